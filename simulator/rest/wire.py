"""What every operation shares: the caller, errors, pages, filters and JSON."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from simulator.rights import Grants, reaches
from simulator.state import Simulator
from simulator.world import Company, Person, Project, Record

PAGE_LIMIT_V1 = 2000
PAGE_LIMIT_V2 = 100
PAGE_V1 = 100
PAGE_V2 = 10
NO_TOOL = {"errors": "You do not have permission to access this tool"}


class Refusal(Exception):
    """A response other than success, with the body that Procore documents for it."""

    def __init__(self, status: int, body: Record, headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or {}


@dataclass(frozen=True)
class Caller:
    """Whom the bearer token represents; `person` is None for the service account."""

    simulator: Simulator
    person: Person | None
    company: Company | None

    @property
    def credential(self) -> str:
        return "service" if self.person is None else f"user:{self.person.id}"

    def here(self) -> Company:
        if self.company is None:
            raise Refusal(400, {"errors": "Missing Procore-Company-Id header!"})
        return self.company

    def may_see(self, project: Project) -> bool:
        if self.person is None:
            installation = self.simulator.world.installed_at(project.company_id)
            return bool(installation and project.id in installation.permitted_projects)
        return project.company_id in self.person.company_ids and (
            self.person.project_ids is None or project.id in self.person.project_ids
        )

    def project(
        self, raw: str | None, tool: str | None = None, level: str = "read_only"
    ) -> Project:
        """The project named by a call; 404 if the caller may not see it, 403 without the tool."""
        if raw is None or not raw.isdigit():
            raise Refusal(400, {"errors": "param is missing or the value is empty: project_id"})
        project = self.here().projects.get(int(raw))
        if project is None or not self.may_see(project):
            self._tell_hidden(int(raw))
            raise Refusal(404, {"errors": "Not Found"})
        if tool and not self._has(tool, level, project.id):
            raise Refusal(403, NO_TOOL)
        return project

    def _tell_hidden(self, project_id: int) -> None:
        """A violation if the service account asks again after a 404; people may try freely."""
        key = (self.here().id, project_id)
        told = self.simulator.told(self.simulator.told_hidden, key)
        if self.person is None and told:
            self.simulator.violation("not_permitted", "GET", f"project {project_id}")

    def grants(self, project_id: int | None) -> Grants:
        """What a service account may do on a project, or on the company (None)."""
        installation = self.simulator.world.installed_at(self.here().id)
        return installation.account.on(project_id) if installation else Grants({}, {}, frozenset())

    def _has(self, tool: str, level: str, project_id: int) -> bool:
        if self.person is not None:
            return tool in self.person.tools and reaches(self.person.level(tool), level)
        return reaches(self.grants(project_id).project.get(tool, "none"), level)

    def may(self, action: str, tool: str, project: Project) -> bool:
        """A granular permission within a tool; administrators of the tool have all of them."""
        if self.person is not None:
            return self.person.admin or self.person.edits_budget
        grants = self.grants(project.id)
        return grants.project.get(tool) == "admin" or action in grants.granular

    def require_member(self, tool: str) -> None:
        """For every person of the company; a service account needs the tool."""
        if self.person is None:
            self.require_admin(tool)

    def require_admin(self, tool: str, level: str = "read_only") -> None:
        """A person must be a company administrator; a service account needs the company tool."""
        if self.person is None:
            allowed = reaches(self.grants(None).company.get(tool, "none"), level)
        else:
            allowed = self.person.admin
        if not allowed:
            raise Refusal(403, NO_TOOL)


Operation = Callable[[Request, Caller], Awaitable[Response]]

# Operations that a user's token may call without naming a company.
WITHOUT_COMPANY = {"/rest/v1.0/me", "/rest/v1.0/companies"}


def identify(request: Request, simulator: Simulator) -> Caller:
    """Checks bearer token, company header and installation. Raises Refusal."""
    path, method = request.url.path, request.method
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    grant = simulator.tokens.living(bearer) if scheme.lower() == "bearer" else None
    misused = simulator.tokens.misused(bearer, request.scope["state"]["arrived"])
    if misused:
        kind = "expired_token" if misused == "expired" else "replaced_token"
        simulator.violation(kind, method, path, misused)
    if grant is None:
        raise Refusal(401, {"errors": "The access token is invalid"})
    world = simulator.world
    person = world.people[grant.person_id] if grant.person_id is not None else None
    raw = request.headers.get("procore-company-id")
    free = path in WITHOUT_COMPANY and (person is not None or path.endswith("/companies"))
    if raw is None and not free:
        simulator.violation("missing_company_header", method, path)
        raise Refusal(400, {"errors": "Missing Procore-Company-Id header!"})
    if raw is None:
        return Caller(simulator, person, None)
    company = world.companies.get(int(raw)) if raw.isdigit() else None
    if company is None or (person is not None and company.id not in person.company_ids):
        raise Refusal(403, {"errors": "You do not have access to this company"})
    installation = world.installed_at(company.id)
    if installation is None or (person is None and not installation.service_account):
        who = "service" if person is None else f"user:{person.id}"
        if simulator.told(simulator.told_disconnected, (who, company.id)):
            simulator.violation("not_connected", method, path, f"company {company.id}")
        raise Refusal(403, {"errors": "App is not connected to this company"})
    return Caller(simulator, person, company)


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        json.dumps(data, default=_encode, ensure_ascii=False),
        status,
        headers,
        media_type="application/json",
    )


def _encode(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)  # a double holds any amount under 10^13 to the cent
    raise TypeError(repr(value))


def page_of(
    request: Request, records: Sequence[Record], *, v2: bool = False, paginate: bool = True
) -> Response:
    """One page with `Link`, `Total` and `Per-Page`; a page size too large is cut, visibly."""
    hiding = request.app.state.simulator.hiding
    records = hiding.shown(request.url.path, project_id_of(request), records)
    if not paginate:
        return answer(list(records))
    limit = PAGE_LIMIT_V2 if v2 else PAGE_LIMIT_V1
    per_page = min(max(1, _number(request, "per_page", PAGE_V2 if v2 else PAGE_V1)), limit)
    page = max(1, _number(request, "page", 1))
    total = len(records)
    last = max(1, -(-total // per_page))
    rows = list(records[(page - 1) * per_page : page * per_page])
    wanted = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    links = []
    for name, target in wanted.items():
        if (name == "prev" and page == 1) or (name == "next" and page >= last):
            continue
        query = [(k, v) for k, v in request.query_params.multi_items() if k != "page"]
        query.append(("page", str(target)))
        url = f"{request.app.state.simulator.origins.api}{request.url.path}?{urlencode(query)}"
        links.append(f'<{url}>; rel="{name}"')
    headers = {"Total": str(total), "Per-Page": str(per_page), "Link": ", ".join(links)}
    return answer({"data": rows} if v2 else rows, headers=headers)


def project_id_of(request: Request) -> str | None:
    """From the path or the query."""
    given = request.path_params.get("project_id") or request.query_params.get("project_id")
    return None if given is None else str(given)


def _number(request: Request, name: str, default: int) -> int:
    raw = request.query_params.get(name, "")
    return int(raw) if raw.isdigit() else default


def listed(
    request: Request, records: Iterable[Record], *, filters: tuple[str, ...] = ("updated_at",)
) -> list[Record]:
    """Applies the filters that the operation lists.

    Other filters are ignored silently, as Procore does.
    """
    rows = list(records)
    if "updated_at" in filters:
        for name in ("updated_at", "created_at"):
            raw = request.query_params.get(f"filters[{name}]")
            if raw:
                begin, end = _range(raw)
                rows = [row for row in rows if begin <= _second(row[name]) <= end]
    if "include_deleted" in filters:
        mode = request.query_params.get("filters[include_deleted]")
        if mode == "only":
            rows = [row for row in rows if "deleted_at" in row]
        elif mode != "with":
            rows = [row for row in rows if "deleted_at" not in row]
    for key in request.query_params.get("sort", "").split(","):
        name = key.removeprefix("-")
        if name in {"id", "created_at", "updated_at"}:
            rows.sort(key=lambda row, name=name: row[name], reverse=key.startswith("-"))  # type: ignore[misc]
    return rows


def _range(raw: str) -> tuple[datetime, datetime]:
    """Both ends inclusive, to the second. An open end is rejected, the stricter reading."""
    begin, dots, end = raw.strip('"').partition("...")
    try:
        if not dots:
            day = datetime.fromisoformat(begin).replace(microsecond=0)
            return day, day + timedelta(days=1)
        return (
            datetime.fromisoformat(begin).replace(microsecond=0),
            datetime.fromisoformat(end).replace(microsecond=0),
        )
    except ValueError:
        raise Refusal(400, {"errors": f"Invalid date range: {raw}"}) from None


def _second(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(microsecond=0)


async def body_of(request: Request) -> Record:
    """The JSON object of a request, with exact decimals."""
    try:
        body = json.loads(await request.body(), parse_float=Decimal)
    except ValueError:
        raise Refusal(400, {"errors": "Malformed JSON"}) from None
    if not isinstance(body, dict):
        raise Refusal(400, {"errors": "A JSON object is expected"})
    return body
