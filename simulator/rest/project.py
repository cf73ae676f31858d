"""Project lists: RFIs, submittals, change events, contracts, WBS codes."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.rest.wire import Caller, listed, page_of

WITH_DELETED = ("updated_at", "include_deleted")


async def rfis(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "rfis")
    rows = [row for row in project.rfis.values() if not row["deleted"]]
    status = request.query_params.get("filters[status]")
    if status:
        rows = [row for row in rows if row["status"] == status]
    return page_of(request, listed(request, rows))


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


async def wbs_codes(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"])
    rows = listed(request, project.wbs_codes.values())
    statuses = request.query_params.getlist("filters[status][]")
    if statuses:
        rows = [row for row in rows if row["status"] in statuses]
    return page_of(request, rows)
