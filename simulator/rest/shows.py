"""One record by its id, for each list that the app reads if Procore has such a call.

A deleted record is 404, in the recycle bin or not: the stricter reading.
"""

import copy
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.rest.company import named
from simulator.rest.wire import Caller, Operation, Refusal, answer
from simulator.world import Project, Record

NOT_FOUND: Record = {"errors": "Not Found"}


def _all(value: Any, names: str) -> Record:
    return {name: copy.copy(value) for name in names.split()}


# Fields of a single record that its list omits, where Procore's description requires them.
DETAILS: Mapping[str, Record] = {
    "projects": {
        **_all({}, "persistent_message project_bid_type project_owner_type project_region"),
        **_all({}, "project_type program"),
        "office": {"logo": {"id": 0, "name": "", "url": ""}},
        "standard_cost_code_list_id": 0,
    },
    "rfis": _all({}, "custom_textfield_1 custom_textfield_2 specification_section"),
    "submittals": {
        **_all({}, "cost_code scheduled_task sub_job location"),
        **_all([], "attachments distributed_submittals"),
        **_all("", "custom_textarea_1 custom_textfield_1"),
        **_all(0, "attachments_count buffer_time design_team_review_time"),
        **_all(0, "internal_review_time lead_time source_submittal_log_id"),
        **_all("2026-01-05", "actual_delivery_date confirmed_delivery_date open_date"),
        "required_on_site_date": "2026-01-05",
        "for_record_only": False,
        "submittal_package": {
            **_all("", "description number title"),
            **_all([], "attachments submittal_ids"),
            **_all(0, "id attachments_count"),
            "created_by": {"id": 1, "login": "support@procore.example", "name": "Procore"},
        },
    },
    "purchase_order_contracts": {
        "attachments": {},
        **_all([], "change_order_packages change_order_requests"),
    },
    "direct_costs": _all({}, "company project vendor"),
    "direct_cost_line_items": {
        "company": {},
        "change_event_line_item": {"cost_code": {"id": 0, "name": ""}, "line_item_type": {}},
    },
    "observations": {
        **_all({}, "checklist_item checklist_list contributing_behavior"),
        **_all({}, "contributing_condition hazard"),
        "attachments": [],
        "created_by": {"id": 1, "name": "Procore", "vendor": {}},
    },
}


def of_project(kind: str, tool: str) -> Operation:
    async def show(request: Request, caller: Caller) -> Response:
        rows: dict[int, Record] = getattr(_project(request, caller, tool), kind)
        return answer(living(rows, request.path_params["id"]) | DETAILS.get(kind, {}))

    return show


def of_company(kind: str, tool: str, *, members: bool = False) -> Operation:
    """`members`: every person of the company may read it."""

    async def show(request: Request, caller: Caller) -> Response:
        raw = request.path_params.get("company_id") or request.query_params.get("company_id")
        named(raw, caller)
        (caller.require_member if members else caller.require_admin)(tool)
        rows: dict[int, Record] = getattr(caller.here(), kind)
        return answer(living(rows, request.path_params["id"]) | DETAILS.get(kind, {}))

    return show


def _line_of(kind: str, holder: str, tool: str) -> Operation:
    """A line is read below the record that holds it."""

    async def show(request: Request, caller: Caller) -> Response:
        project = _project(request, caller, tool)
        line = living(getattr(project, kind), request.path_params["id"])
        living(getattr(project, holder), request.path_params["holder_id"])
        if line["holder"]["id"] != request.path_params["holder_id"]:
            raise Refusal(404, NOT_FOUND)
        return answer(line | DETAILS.get(kind, {}))

    return show


async def project(request: Request, caller: Caller) -> Response:
    """An inactive project too, if the caller may see it."""
    named(request.query_params.get("company_id"), caller)
    found = caller.project(str(request.path_params["id"]))
    company: Record = {"id": caller.here().id, "name": caller.here().name}
    return answer({**DETAILS.get("projects", {}), **found.record, "company": company})


def _project(request: Request, caller: Caller, tool: str) -> Project:
    raw = request.path_params.get("project_id") or request.query_params.get("project_id")
    return caller.project(raw, tool)


def living(rows: dict[int, Record], record_id: Any) -> Record:
    """Raises Refusal."""
    record = rows.get(int(record_id))
    if record is None or record.get("deleted") or "deleted_at" in record:
        raise Refusal(404, NOT_FOUND)
    return record


SHOWS: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/rest/v1.0/projects/{id:int}", project),
    ("GET", "/rest/v1.3/companies/{company_id}/users/{id:int}", of_company("users", "directory")),
    ("GET", "/rest/v1.0/vendors/{id:int}", of_company("vendors", "directory")),
    (
        "GET",
        "/rest/v1.0/line_item_types/{id:int}",
        of_company("cost_types", "admin", members=True),
    ),
    ("GET", "/rest/v1.0/projects/{project_id}/rfis/{id:int}", of_project("rfis", "rfis")),
    (
        "GET",
        "/rest/v1.1/projects/{project_id}/submittals/{id:int}",
        of_project("submittals", "submittals"),
    ),
    ("GET", "/rest/v1.1/change_events/{id:int}", of_project("change_events", "change_events")),
    (
        "GET",
        "/rest/v1.0/work_order_contracts/{id:int}",
        of_project("work_order_contracts", "commitments"),
    ),
    (
        "GET",
        "/rest/v1.0/purchase_order_contracts/{id:int}",
        of_project("purchase_order_contracts", "commitments"),
    ),
    (
        "GET",
        "/rest/v1.0/work_order_contracts/{holder_id:int}/line_items/{id:int}",
        _line_of("commitment_line_items", "work_order_contracts", "commitments"),
    ),
    (
        "GET",
        "/rest/v1.0/purchase_order_contracts/{holder_id:int}/line_items/{id:int}",
        _line_of("commitment_line_items", "purchase_order_contracts", "commitments"),
    ),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/commitment_change_orders/{id:int}",
        of_project("change_orders", "commitments"),
    ),
    (
        "GET",
        "/rest/v1.1/projects/{project_id}/direct_costs/{id:int}",
        of_project("direct_costs", "direct_costs"),
    ),
    (
        "GET",
        "/rest/v1.0/projects/{project_id}/direct_costs/{holder_id:int}/line_items/{id:int}",
        _line_of("direct_cost_line_items", "direct_costs", "direct_costs"),
    ),
    ("GET", "/rest/v1.1/requisitions/{id:int}", of_project("requisitions", "commitments")),
    ("GET", "/rest/v1.0/observations/items/{id:int}", of_project("observations", "observations")),
    ("GET", "/rest/v1.1/punch_items/{id:int}", of_project("punch_items", "punch_list")),
)
