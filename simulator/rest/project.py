"""Project lists: RFIs, submittals, change events, contracts and what belongs to them, WBS codes."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.rest.wire import Caller, Refusal, listed, page_of

RFI_SORTS = ("due_date", "created_at", "updated_at", "subject", "status")
WITH_DELETED = ("updated_at", "include_deleted")


async def rfis(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "rfis")
    rows = [row for row in project.rfis.values() if not row["deleted"]]
    status = request.query_params.get("filters[status]")
    if status:
        rows = [row for row in rows if row["status"] == status]
    rows = listed(request, rows)
    name = request.query_params.get("sort[attribute]")
    if name in RFI_SORTS:
        backwards = request.query_params.get("sort[direction]") == "desc"
        rows.sort(key=lambda row: row.get(name, ""), reverse=backwards)
    return page_of(request, rows)


async def rfis_recycle_bin(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "rfis")
    rows = [row for row in project.rfis.values() if row["deleted"]]
    return page_of(request, listed(request, rows))


async def submittals(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "submittals")
    return page_of(request, listed(request, project.submittals.values()))


async def change_events(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "change_events")
    rows = listed(request, project.change_events.values(), filters=WITH_DELETED)
    return page_of(request, rows)


async def work_order_contracts(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "commitments")
    rows = listed(request, project.work_order_contracts.values(), filters=WITH_DELETED)
    return page_of(request, rows)


async def purchase_order_contracts(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "commitments")
    rows = listed(request, project.purchase_order_contracts.values(), filters=WITH_DELETED)
    return page_of(request, rows)


async def contract_line_items(request: Request, caller: Caller) -> Response:
    """Of one contract; 404 if the project has no such contract of that kind."""
    project = caller.project(request.query_params.get("project_id"), "commitments")
    key = int(request.path_params["contract_id"])
    path = request.url.path
    contracts = (
        project.work_order_contracts
        if "/work_order_contracts/" in path
        else project.purchase_order_contracts
    )
    if key not in contracts or "deleted_at" in contracts[key]:
        raise Refusal(404, {"errors": "Not Found"})
    lines = project.commitment_line_items.values()
    return page_of(request, listed(request, [row for row in lines if row["holder"]["id"] == key]))


async def change_orders(request: Request, caller: Caller) -> Response:
    """All at once: this list has no pages."""
    project = caller.project(request.path_params["project_id"], "commitments")
    rows = listed(request, project.change_orders.values())
    return page_of(request, rows, paginate=False)


async def direct_costs(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "direct_costs")
    return page_of(request, listed(request, project.direct_costs.values()))


async def direct_cost_line_items(request: Request, caller: Caller) -> Response:
    """Of all direct costs of the project."""
    project = caller.project(request.path_params["project_id"], "direct_costs")
    return page_of(request, listed(request, project.direct_cost_line_items.values()))


async def requisitions(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "commitments")
    return page_of(request, listed(request, project.requisitions.values()))


async def observations(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "observations")
    return page_of(request, listed(request, project.observations.values()))


async def punch_items(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "punch_list")
    return page_of(request, listed(request, project.punch_items.values()))
