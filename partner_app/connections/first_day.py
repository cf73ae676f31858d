"""The read-only checks of docs/operations/first-day.md: how Procore responds, and what follows.

Nothing is written and nothing is kept. Makes ten calls to the API and reads the sign-in page. Shows
responses as shapes: names of fields and permissions, numbers of records.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import NotFoundOrHidden, ProcoreError, RateLimited
from integrations.procore.api.manifest import PATH, key_of, read_manifest
from integrations.procore.api.rate import standing_from
from integrations.procore.api.values import record_id
from partner_app.connections.access import app_client, companyless_client
from partner_app.connections.login import oauth
from partner_app.core import clock

CALLS = 10  # whose rate headers are checked
ROWS = 100  # budget rows of each view that are checked
VIEWS = 2
HEADERS = ("Cross-Origin-Opener-Policy", "X-Frame-Options", "Content-Security-Policy")
CUTTING = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups")


@dataclass(frozen=True)
class FirstDayFinding:
    """`found`: what Procore did. `means`: what follows from it here."""

    name: str
    found: object
    means: str


@dataclass
class CompanyProbe:
    """One company, checked through one project; remembers the rate headers of each call."""

    client: ProcoreClient
    company_id: int
    project_id: int = 0
    rates: list[dict[str, int] | None] = field(default_factory=list)

    def get(self, path: str, client: ProcoreClient | None = None, /, **query: object) -> Any:
        while True:
            try:
                document, headers = (client or self.client).look(path, query)
            except RateLimited as error:
                clock.wait_until(error.until)
                continue
            standing = standing_from(headers, clock.now())
            seconds = round(standing.reset_at - clock.now().timestamp()) if standing else 0
            self.rates.append(
                {"limit": standing.limit, "remaining": standing.remaining, "reset_in": seconds}
                if standing
                else None
            )
            return document


def first_day(*, company_id: int, project_id: int | None = None) -> dict[str, object]:
    """Checks the given project, else the first permitted one. Raises ProcoreError."""
    look = CompanyProbe(app_client(company_id), company_id)
    listed = rows_in(look.get("/rest/v1.1/projects", company_id=company_id))
    permitted = [key for row in listed if (key := record_id(row.get("id")))]
    if not permitted or (project_id and project_id not in permitted):
        raise NotFoundOrHidden
    look.project_id = project_id or permitted[0]
    checks: tuple[tuple[str, Callable[[CompanyProbe], tuple[object, str]]], ...] = (
        ("permission names of the Budget tool", _budget_permissions),
        ("shape of change order and change event lists", _shapes),
        ("companies with and without header", _companies),
        ("detail rows of two views", _detail_rows),
        ("headers of the login page", _login_page),
        ("rate headers of ten calls", _rates),
    )
    return {"checks": [asdict(_made(name, check, look)) for name, check in checks]}


def _made(
    name: str, check: Callable[[CompanyProbe], tuple[object, str]], look: CompanyProbe
) -> FirstDayFinding:
    try:
        return FirstDayFinding(name, *check(look))
    except ProcoreError as error:
        return FirstDayFinding(name, f"no answer: {error.message}", error.advice)


def _budget_permissions(look: CompanyProbe) -> tuple[object, str]:
    document = look.get(PATH, project_id=look.project_id)
    manifest = read_manifest(document)
    entries = [row for row in rows_in(document) if key_of(row.get("name")) == "budget"]
    found = [
        {"name": row.get("name"), "level": row.get("user_access_level"),
         "permitted_actions": row.get("permitted_actions")}
        for row in entries
    ]  # fmt: skip
    if not manifest.edits_budget:
        means = (
            "Writing is not proved: approvals by manage.py are refused. Give the service account "
            "Budget: Admin; if it has the granular permission, add its name as shown here to "
            "EDIT_ORIGINAL_BUDGET in integrations/procore/api/manifest.py."
        )
    elif manifest.level("budget").label == "Admin":
        means = "Budget: Admin proves writing; the granular names are not needed."
    else:
        means = "The granular permission is named as expected: Budget: Admin is not needed."
    return found, means


def _shapes(look: CompanyProbe) -> tuple[object, str]:
    orders = f"/rest/v1.0/projects/{look.project_id}/commitment_change_orders"
    found = {
        "commitment_change_orders": shape_of(look.get(orders)),
        "change_events": shape_of(
            look.get("/rest/v1.1/change_events", project_id=look.project_id, per_page=ROWS)
        ),
    }
    if all(shape["envelope"] != "unknown" for shape in found.values()):
        return found, "Both shapes are read. A list with 0 rows shows nothing about its fields."
    return found, "A shape that no sync reads: support needs this output before the first sync."


def _companies(look: CompanyProbe) -> tuple[object, str]:
    bare = companyless_client()
    path = "/rest/v1.0/companies"
    listed = {"with header": _listed(look, None), "without header": _listed(look, bare)}
    found = {
        name: {"companies": len(ids), "names_this_one": look.company_id in ids}
        for name, ids in listed.items()
    }
    if listed["with header"] == listed["without header"]:
        return found, f"The header changes nothing at {path}: discover sees the same either way."
    return found, (
        "The lists differ: the app serves several regions. A company that one list leaves out is "
        "asked for with its own header before it counts as gone."
    )


def _listed(look: CompanyProbe, client: ProcoreClient | None) -> set[int | None]:
    return {record_id(row.get("id")) for row in rows_in(look.get("/rest/v1.0/companies", client))}


def _detail_rows(look: CompanyProbe) -> tuple[object, str]:
    place = {"project_id": look.project_id}
    views = rows_in(look.get("/rest/v1.0/budget_views", **place))
    found: list[dict[str, Any]] = []
    for view in views[:VIEWS]:
        path = f"/rest/v1.0/budget_views/{record_id(view.get('id'))}/detail_rows"
        rows = rows_in(look.get(path, **place, budget_row_type="all", per_page=ROWS))
        found.append(
            {
                "view": view.get("name"),
                "role": view.get("role"),
                "rows": len(rows),
                "without_wbs_code_id": sum(1 for row in rows if not row.get("wbs_code_id")),
                "fields": sorted({name for row in rows for name in row}),
            }
        )
    shown = {"views": len(views), "seen": found}
    if not found:
        return shown, "No budget view is shown: without one no budget is read."
    lacking = sum(each["without_wbs_code_id"] for each in found)
    means = f"{len(views)} views; choose the one for Tieback under Settings if the first is wrong."
    if lacking:
        means += f" {lacking} rows have no wbs_code_id and are matched by cost code and cost type."
    return shown, means


def _login_page(_look: CompanyProbe) -> tuple[object, str]:
    pages = [
        {"host": host, "status": status, **{name: headers.get(name) for name in HEADERS}}
        for host, status, headers in oauth().look_at_sign_in()
    ]
    policies = {str(page.get(HEADERS[0]) or "").split(";")[0].strip() for page in pages}
    if policies & {*CUTTING}:
        return pages, (
            "The policy cuts the pop-up from the frame: people type the code that the frame "
            "shows. Nothing has to be changed."
        )
    return pages, "The pop-up reaches the frame: nobody has to type a code."


def _rates(look: CompanyProbe) -> tuple[object, str]:
    """From the calls of the other checks, with more calls up to ten."""
    while len(look.rates) < CALLS:
        look.get(f"/rest/v1.0/projects/{look.project_id}/budget")
    found = look.rates[:CALLS]
    limits = sorted({each["limit"] for each in found if each})
    if not limits:
        return found, (
            "Procore sends no rate headers: only PROCORE_CALLS_PER_MINUTE and "
            "PROCORE_CALLS_PER_HOUR keep within its limits."
        )
    return found, (
        f"Windows of {' and '.join(map(str, limits))} calls show. Set PROCORE_CALLS_PER_MINUTE and "
        "PROCORE_CALLS_PER_HOUR to what they allow; a smaller plan is slower, never refused."
    )


def shape_of(document: object) -> dict[str, object]:
    """How a list is wrapped, how many rows it has, and the names of their fields."""
    key, rows = "unknown", None
    if isinstance(document, list):
        key, rows = "array", document
    elif isinstance(document, dict):
        lists = [name for name, value in document.items() if isinstance(value, list)]
        if len(lists) == 1:
            key, rows = f"object, under “{lists[0]}”", document[lists[0]]
    named = sorted({name for row in rows or () if isinstance(row, dict) for name in row})
    return {"envelope": key, "rows": len(rows) if rows is not None else None, "fields": named}


def rows_in(document: object) -> list[Mapping[str, Any]]:
    """The records of a list, however it is wrapped; empty where there is no list."""
    return list(_rows(document))


def _rows(document: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), [])
    if isinstance(document, list):
        yield from (row for row in document if isinstance(row, dict))
