"""Older versions that Procore still lists, for third-party clients; the app uses newer ones.

They show the same records, with the names and parts that the older description requires.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.rest.company import named, users
from simulator.rest.shows import DETAILS, living, of_company
from simulator.rest.wire import Caller, Operation, answer, listed, page_of
from simulator.world import Project, Record

EVENT_TYPES = {"OC": "owner_change", "AL": "allowance", "CN": "contingency", "TR": "transfer"}


@dataclass(frozen=True)
class Older:
    """A list at `path`, and its records by id."""

    path: str
    kind: str
    tool: str
    convert: Callable[[Project, Record], Record]
    deleted: bool = False

    async def list(self, request: Request, caller: Caller) -> Response:
        project = self._project(request, caller)
        filters = ("updated_at", "include_deleted") if self.deleted else ("updated_at",)
        rows = listed(request, getattr(project, self.kind).values(), filters=filters)
        return page_of(request, [self.convert(project, row) for row in rows])

    async def show(self, request: Request, caller: Caller) -> Response:
        project = self._project(request, caller)
        row = living(getattr(project, self.kind), request.path_params["id"])
        return answer({**DETAILS.get(self.kind, {}), **self.convert(project, row)})

    def _project(self, request: Request, caller: Caller) -> Project:
        raw = request.path_params.get("project_id") or request.query_params.get("project_id")
        return caller.project(raw, self.tool)


async def potential_change_order(request: Request, caller: Caller) -> Response:
    """With its lines, people and vendor, which the list leaves out."""
    project = caller.project(request.query_params.get("project_id"), "commitments")
    row = living(project.potential_change_orders, request.path_params["id"])
    nobody: dict[str, Any] = {
        name: {} for name in ("creator", "designated_reviewer", "received_from", "reviewer")
    }
    vendor = next(iter(caller.here().vendors.values()))
    return answer({**row, **nobody, "attachments": [], "line_items": [], "vendor": vendor})


async def projects(request: Request, caller: Caller) -> Response:
    """Active ones, like the newer list without filters."""
    named(request.query_params.get("company_id"), caller)
    company = {"id": caller.here().id, "name": caller.here().name}
    rows: list[Record] = [
        {"project_template": {}, "custom_fields": {}, **found.record, "company": company}
        for found in caller.here().projects.values()
        if caller.may_see(found) and found.record["active"]
    ]
    return page_of(request, listed(request, rows))


async def change_order_package(request: Request, caller: Caller) -> Response:
    """With its lines and people, which the list leaves out."""
    project = caller.project(request.query_params.get("project_id"), "commitments")
    row = living(project.change_order_packages, request.path_params["id"])
    nobody: dict[str, Any] = {name: {} for name in ("creator", "designated_reviewer", "reviewer")}
    return answer({"custom_fields": {}, **row, **nobody, "attachments": [], "line_items": []})


def _same(_project: Project, record: Record) -> Record:
    return record


def _change_event(project: Project, record: Record) -> Record:
    """Its items are called lines; the reason, status and origin have other names."""
    origin, status = record["event_origin"], record["status"]
    return {
        **_only(record, "id title description project_id created_at updated_at deleted_at"),
        **_only(record, "created_by currency_configuration x_unlisted"),
        "number": int(record["number"]),
        "alphanumeric_number": record["number"],
        "status": status["mapped_to_status"],
        "change_event_status": {**status, "show_in_select": True},
        "event_type": EVENT_TYPES.get(record["change_type"]["abbreviation"], "tbd"),
        "event_scope": record["scope"],
        "change_order_change_reason": {
            **record["change_reason"],
            "company_id": project.company_id,
            "show_in_select": True,
        },
        "rfi": _rfi(project, origin.get("origin_id")),
        "change_event_line_items": [
            {**_change_event_line(item), **project.event_links.get(item["id"], {})}
            for item in record["change_items"]
        ],
        "attachments": [],
        "rfqs": [],
    }


def _rfi(project: Project, rfi_id: int | None) -> Record:
    rfi = project.rfis.get(rfi_id or 0)
    if rfi is None:
        return {}
    number = {"number": int(rfi["number"]), "title": rfi["subject"]}
    return {**_only(rfi, "id due_date status"), **number}


def _change_event_line(item: Record) -> Record:
    empty: dict[str, Any] = {
        name: {}
        for name in (
            "budget_code", "line_item_type", "contract", "links", "statuses",
            "biller", "budget_mod",
        )
    }  # fmt: skip
    return {
        **empty,
        "id": item["id"],
        "event_id": item["event_id"],
        "cost_code": {"id": 0, "name": ""},
        "vendor": {"id": 0, "name": ""},
        "estimated_cost_amount": item["latest_cost_values"]["amount"],
        "currency_configuration": {"currency_iso_code": "USD"},
    }


def _submittal(_project: Project, record: Record) -> Record:
    package = {**record["submittal_package"], "attachments_count": 0}
    added: Record = {
        "attachments_count": 0,
        "buffer_time": 0,
        "for_record_only": False,
        "open_date": record["issue_date"],
        "location": {},
        "sub_job": {},
    }
    return {**record, **added, "submittal_package": package}


def _requisition(_project: Project, record: Record) -> Record:
    return {**record, "erp_status": "not_integrated"}


PROJECT = "/projects/{project_id}"
LISTS = (
    Older("/change_events", "change_events", "change_events", _change_event, deleted=True),
    Older(PROJECT + "/submittals", "submittals", "submittals", _submittal),
    Older(PROJECT + "/direct_costs", "direct_costs", "direct_costs", _same),
    Older("/punch_items", "punch_items", "punch_list", _same),
    Older("/requisitions", "requisitions", "commitments", _requisition),
)
POTENTIAL = Older(
    "/potential_change_orders", "potential_change_orders", "commitments", _same, deleted=True
)
PACKAGES = Older(
    "/change_order_packages", "change_order_packages", "commitments", _same, deleted=True
)
USERS = "/rest/{version}/companies/{{company_id}}/users"
OLDER: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/rest/v1.0/projects", projects),
    *(("GET", USERS.format(version=version), users) for version in ("v1.0", "v1.1", "v1.2")),
    *(
        ("GET", USERS.format(version=version) + "/{id:int}", of_company("users", "directory"))
        for version in ("v1.0", "v1.1", "v1.2")
    ),
    ("GET", "/rest/v1.0/potential_change_orders", POTENTIAL.list),
    ("GET", "/rest/v1.0/potential_change_orders/{id:int}", potential_change_order),
    ("GET", "/rest/v1.0/change_order_packages", PACKAGES.list),
    ("GET", "/rest/v1.0/change_order_packages/{id:int}", change_order_package),
    *(("GET", f"/rest/v1.0{older.path}", older.list) for older in LISTS),
    *(("GET", f"/rest/v1.0{older.path}/{{id:int}}", older.show) for older in LISTS),
)


def _only(record: Record, names: str) -> Record:
    return {name: record[name] for name in names.split() if name in record}
