"""The API origin: its table of operations, and the checks that each call passes."""

import asyncio
import json
import re
from collections.abc import MutableMapping
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator import amounts, deviations, noise  # noqa: F401  # register their switches
from simulator.clock import stamp
from simulator.faults import Fault
from simulator.hiding import empty_without_permission
from simulator.ledger import Call
from simulator.rates import rolling_minute
from simulator.rest import budget, budget_views, codes, company, hooks, oauth, project
from simulator.rest.older import OLDER
from simulator.rest.shows import SHOWS
from simulator.rest.wire import (
    NO_TOOL,
    Operation,
    Refusal,
    answer,
    identify,
    project_id_of,
)
from simulator.state import Simulator

SUPERSEDED = ("/rest/v1.0/webhooks/",)

HOOK = "/rest/v2.0/companies/{company_id}/webhooks/hooks/{hook_id}"
OPERATIONS: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/rest/v1.0/me", company.me),
    ("GET", "/rest/v1.0/companies", company.companies),
    ("GET", "/rest/v1.1/projects", company.projects),
    ("GET", "/rest/v1.0/companies/{company_id}/projects", company.all_projects),
    ("GET", "/rest/v1.3/companies/{company_id}/users", company.users),
    ("GET", "/rest/v1.0/vendors", company.vendors),
    ("GET", "/rest/v1.0/settings/permissions", company.permissions),
    ("GET", "/rest/v1.0/app_installations", company.app_installations),
    ("GET", "/rest/v1.0/projects/{project_id}/rfis", project.rfis),
    ("GET", "/rest/v1.0/projects/{project_id}/rfis/recycle_bin", project.rfis_recycle_bin),
    ("GET", "/rest/v1.1/projects/{project_id}/submittals", project.submittals),
    ("GET", "/rest/v1.1/change_events", project.change_events),
    ("GET", "/rest/v1.0/work_order_contracts", project.work_order_contracts),
    ("GET", "/rest/v1.0/purchase_order_contracts", project.purchase_order_contracts),
    (
        "GET",
        "/rest/v1.0/work_order_contracts/{contract_id:int}/line_items",
        project.contract_line_items,
    ),
    (
        "GET",
        "/rest/v1.0/purchase_order_contracts/{contract_id:int}/line_items",
        project.contract_line_items,
    ),
    ("GET", "/rest/v1.0/projects/{project_id}/commitment_change_orders", project.change_orders),
    ("GET", "/rest/v1.1/projects/{project_id}/direct_costs", project.direct_costs),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/direct_costs/line_items",
        project.direct_cost_line_items,
    ),
    ("GET", "/rest/v1.1/requisitions", project.requisitions),
    ("GET", "/rest/v1.0/observations/items", project.observations),
    ("GET", "/rest/v1.1/punch_items", project.punch_items),
    ("GET", "/rest/v1.0/line_item_types", company.cost_types),
    ("GET", "/rest/v1.0/companies/{company_id}/uoms", company.uoms),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/work_breakdown_structure/wbs_codes",
        codes.wbs_codes,
    ),
    (
        "POST",
        "/rest/v1.0/projects/{project_id}/work_breakdown_structure/wbs_codes",
        codes.create,
    ),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/work_breakdown_structure/segments",
        codes.segments,
    ),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/work_breakdown_structure/segments/{segment_id:int}/segment_items",
        codes.segment_items,
    ),
    ("GET", "/rest/v1.0/projects/{project_id}/budget", budget.budget),
    ("GET", "/rest/v1.0/budget_views", budget_views.budget_views),
    (
        "GET",
        "/rest/v1.0/budget_views/{budget_view_id}/budget_detail_columns",
        budget_views.budget_detail_columns,
    ),
    ("GET", "/rest/v1.0/budget_views/{budget_view_id}/detail_rows", budget_views.detail_rows),
    ("POST", "/rest/v1.1/budget_line_items", budget.create),
    ("POST", "/rest/v1.0/budget_line_items/sync", budget.sync),
    ("GET", "/rest/v1.1/budget_line_items/{id:int}", budget.show),
    ("PATCH", "/rest/v1.1/budget_line_items/{id:int}", budget.update),
    (
        "DELETE",
        "/rest/v2.0/companies/{company_id}/projects/{project_id}/budget_line_items/{id:int}",
        budget.delete,
    ),
    ("GET", "/rest/v2.0/companies/{company_id}/webhooks/resources", hooks.resources),
    ("GET", "/rest/v2.0/companies/{company_id}/webhooks/hooks", hooks.hooks),
    ("POST", "/rest/v2.0/companies/{company_id}/webhooks/hooks", hooks.hooks),
    ("GET", "/rest/v2.0/companies/{company_id}/webhooks/hooks/{id:int}", hooks.hook),
    ("PATCH", "/rest/v2.0/companies/{company_id}/webhooks/hooks/{id:int}", hooks.hook),
    ("DELETE", "/rest/v2.0/companies/{company_id}/webhooks/hooks/{id:int}", hooks.hook),
    ("GET", HOOK + "/triggers", hooks.triggers),
    ("POST", HOOK + "/triggers/bulk", hooks.triggers_bulk),
    ("GET", HOOK + "/deliveries", hooks.deliveries),
    *SHOWS,
    *OLDER,
)


def api_app(simulator: Simulator) -> ASGIApp:
    routes = [
        Route(path, _gate(f"{method} {path}", operation), methods=[method])
        for method, path, operation in OPERATIONS
    ]
    app = Starlette(
        routes=[*routes, *oauth.routes], exception_handlers={404: _unknown, 405: _unknown}
    )
    app.state.simulator = simulator
    return Trouble(app, simulator, "api")


def _gate(name: str, operation: Operation) -> Any:
    async def endpoint(request: Request) -> Response:
        simulator: Simulator = request.app.state.simulator
        headers: dict[str, str] = {}
        method, path = request.method, request.url.path
        try:
            if not request.headers.get("user-agent"):
                simulator.violation("no_user_agent", method, path)
            caller = identify(request, simulator)
            request.scope["state"]["caller"] = caller
            now = simulator.clock.now()
            place = simulator.rates.place(
                caller.credential, caller.company.id if caller.company else 0
            )
            minute = simulator.wild.on(rolling_minute)
            standing = simulator.rates.count(place, now, minute=minute)
            headers = standing.headers(now)
            if standing.refused and not request.scope["state"].get("too_early"):
                simulator.violation("over_rate_limit", method, path, caller.credential)
            if standing.refused:
                raise Refusal(429, {"errors": "You have surpassed the max number of requests"})
            _hidden(request, simulator)
            response = _deviating(simulator, name, await operation(request, caller))
        except Refusal as refusal:
            response = _refused(simulator, name, refusal)
        response.headers.update(headers)
        return response

    return endpoint


def _hidden(request: Request, simulator: Simulator) -> None:
    """Raises Refusal if simulator/hiding.py denies the list or hides the record."""
    place = project_id_of(request)
    status = simulator.hiding.status(request.url.path, place)
    if status != 200:
        raise Refusal(status, NO_TOOL if status == 403 else {"errors": "Not Found"})
    if not simulator.hiding.knows(request.url.path, place):
        raise Refusal(404, {"errors": "Not Found"})


def _refused(simulator: Simulator, name: str, refusal: Refusal) -> Response:
    soft = refusal.body == NO_TOOL and simulator.wild.on(empty_without_permission)
    if not soft or not name.startswith("GET "):
        return answer(refusal.body, refusal.status, refusal.headers)
    if name.endswith("/{id:int}"):
        return answer({"errors": "Item not found"}, 404)
    return answer({"data": []} if "/rest/v2" in name else [], headers={"Total": "0"})


def _deviating(simulator: Simulator, name: str, response: Response) -> Response:
    """The answer unchanged, or changed by the switches of simulator/wild.py."""
    if not simulator.wild.switches or not response.body:
        return response
    document = json.loads(bytes(response.body), parse_float=Decimal)
    changed = answer(simulator.wild.answered(document, name), response.status_code)
    kept = {key: value for key, value in response.headers.items() if key != "content-length"}
    changed.headers.update(kept)
    return changed


async def _unknown(request: Request, _error: Exception) -> Response:
    simulator: Simulator = request.app.state.simulator
    path = request.url.path
    kind = "superseded_operation" if path.startswith(SUPERSEDED) else "private_operation"
    simulator.violation(kind, request.method, path)
    return answer({"errors": "Not Found"}, 404)


class Trouble:
    """The outermost layer of an origin: writes the ledger and applies the faults asked for."""

    def __init__(self, app: ASGIApp, simulator: Simulator, origin: str) -> None:
        self.app, self.simulator, self.origin = app, simulator, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})
        request = Request(scope)
        fault = self.simulator.faults.take(request.method, request.url.path)
        status, place, arrived = 0, self._place(request), self.simulator.clock.now()
        scope["state"]["arrived"] = arrived
        if self.simulator.rates.too_early(place, arrived):
            scope["state"]["too_early"] = True
            self.simulator.violation(
                "before_retry_after", request.method, request.url.path, place[0]
            )

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                date = format_datetime(self.simulator.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
                if self.origin == "login" and self.simulator.login_opener_policy:
                    policy = self.simulator.login_opener_policy.encode()
                    headers = [*message["headers"], (b"cross-origin-opener-policy", policy)]
                    message = {**message, "headers": headers}
            await send(message)

        try:
            if fault is None:
                await self.app(scope, receive, watched)
            else:
                await self._with(fault, scope, receive, watched, send)
        finally:
            if status == 401:
                self.simulator.tokens.refused(_bearer_of(request))
            caller = scope["state"].get("caller")
            raw = request.headers.get("procore-company-id", "")
            self.simulator.ledger.call(
                Call(
                    stamp(self.simulator.clock.now()),
                    self.origin,
                    request.method,
                    request.url.path,
                    tuple(request.query_params.keys()),
                    status,
                    int(raw) if raw.isdigit() else None,
                    _project_of(request),
                    caller.credential if caller else None,
                    request.headers.get("user-agent", ""),
                )
            )

    def _place(self, request: Request) -> tuple[str, int]:
        """Whom a `Retry-After` blocks: a credential at a company, or the app at the login host."""
        if self.origin == "login" or request.url.path.startswith("/oauth/"):
            return ("login", 0)
        grant = self.simulator.tokens.by_access.get(_bearer_of(request))
        who = "" if grant is None else "service"
        if grant and grant.person_id is not None:
            who = f"user:{grant.person_id}"
        raw = request.headers.get("procore-company-id", "")
        return self.simulator.rates.place(who, int(raw) if raw.isdigit() else 0)

    async def _with(
        self, fault: Fault, scope: Scope, receive: Receive, watched: Send, send: Send
    ) -> None:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self.app(scope, receive, watched)
        elif fault.kind == "status":
            headers = None
            if fault.retry_after:
                now = self.simulator.clock.now()
                self.simulator.rates.bar(self._place(Request(scope)), fault.retry_after, now)
                headers = {"Retry-After": fault.advice(now)}
            response = answer({"errors": "Trouble on demand"}, fault.status, headers)
            await response(scope, receive, watched)
        elif fault.kind == "body":
            told = {"content-type": "application/json", **fault.headers}
            await Response(fault.body, fault.status, told)(scope, receive, watched)
        elif fault.kind == "html":
            page = HTMLResponse("<html><h1>502 Bad Gateway</h1></html>", fault.status)
            await page(scope, receive, watched)
        elif fault.kind == "reset_before":
            _transport(send).abort()
        elif fault.kind == "bad_link":

            async def garbled(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    kept = [pair for pair in message["headers"] if pair[0] != b"link"]
                    message = {**message, "headers": [*kept, (b"link", b"<???>; rel=")]}
                await watched(message)

            await self.app(scope, receive, garbled)
        elif fault.kind == "reset_after":

            async def nowhere(message: MutableMapping[str, Any]) -> None:
                return None

            await self.app(scope, receive, nowhere)
            _transport(send).abort()
        else:
            await self.app(scope, receive, _Cut(watched, send))


class _Cut:
    """Promises the whole body, sends half of it and closes the connection."""

    def __init__(self, watched: Send, send: Send) -> None:
        self.watched, self.send = watched, send

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            half = {"type": message["type"], "body": body[: len(body) // 2], "more_body": True}
            await self.watched(half)
            _transport(self.send).close()
            return
        await self.watched(message)


def _bearer_of(request: Request) -> str:
    return request.headers.get("authorization", "").partition(" ")[2]


def _project_of(request: Request) -> int | None:
    """From the path or the parameters; None for a call about the company."""
    named = re.search(r"/projects/(\d+)(/|$)", request.url.path)
    raw = named[1] if named else request.query_params.get("project_id", "")
    return int(raw) if raw.isdigit() else None


def _transport(send: Send) -> Any:
    """uvicorn's `send` is a method of the cycle that owns the connection."""
    return send.__self__.transport  # type: ignore[attr-defined]  # uvicorn's, not ASGI's
