"""Budget views: the list, the columns of each, and a row for each WBS code in use."""

from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response

from simulator.budget_columns import CURRENCY, Amounts, columns_by_code
from simulator.rest.holds import erp_status
from simulator.rest.wire import Caller, Refusal, answer, page_of
from simulator.world import BudgetView, Company, Project, Record

ALWAYS = {
    "original_budget_amount": "Original Budget Amount",
    "budget_modifications": "Budget Modifications",
}  # in every view, under exactly these keys
FIRST_COLUMN_ID = 7_000_001


async def budget_views(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "budget")
    views = [
        _shown(view, project)
        for view in caller.here().budget_views.values()
        if view.id not in project.hidden_views
    ]
    return page_of(request, views)


async def budget_detail_columns(request: Request, caller: Caller) -> Response:
    _project, view = _asked(request, caller)
    columns = [
        *((key, name, "standard") for key, name in ALWAYS.items()),
        *((key, name, "source") for key, name in _ids(view).items()),
    ]
    return answer(
        [
            {
                "id": key,
                "name": name,
                "type": kind,
                "position": position,
                "aggregatable": True,
                "filterable": False,
                "groupable": False,
            }
            for position, (key, name, kind) in enumerate(columns)
        ]
    )


async def detail_rows(request: Request, caller: Caller) -> Response:
    """Without `budget_row_type`, only budgeted rows."""
    project, view = _asked(request, caller)
    kind = request.query_params.get("budget_row_type", "budgeted")
    amounts = columns_by_code(project)
    rows = []
    if kind != "unbudgeted":
        rows = [_line_row(caller, project, view, line, amounts)
                for line in project.budget_line_items.values()]  # fmt: skip
    if kind != "budgeted":
        rows += _unbudgeted(caller, project, view, amounts)
    held = erp_status(caller)
    return page_of(request, [{**row, **held} for row in rows])


def _unbudgeted(
    caller: Caller, project: Project, view: BudgetView, amounts: dict[int, Amounts]
) -> list[Record]:
    """A code with costs and no budget also has a row, until somebody budgets it."""
    budgeted = {line["wbs_code_id"] for line in project.budget_line_items.values()}
    rows = []
    for code in [code for code in amounts if code not in budgeted]:
        row_id = project.unbudgeted.setdefault(code, caller.simulator.world.new_id())
        row = _row(caller.here(), project, view, code, amounts[code])
        rows.append({**row, "id": row_id, "unbudgeted_reason": "commitment"})
    return rows


def _line_row(
    caller: Caller,
    project: Project,
    view: BudgetView,
    line: Record,
    amounts: dict[int, Amounts],
) -> Record:
    code = line["wbs_code_id"]
    return {
        **_row(caller.here(), project, view, code, amounts[code]),
        "id": line["id"],
        "deletable": line["deletable"],
        "budget_line_item_id": line["id"],
    }


def _row(
    company: Company, project: Project, view: BudgetView, wbs_code_id: int, own: Amounts
) -> Record:
    wbs = project.wbs_codes[wbs_code_id]
    code, kind = wbs["segment_items"]
    types = {row["code"]: key for key, row in company.cost_types.items()}
    return {
        "deletable": False,
        "company_id": project.company_id,
        "company": company.name,
        "project_id": project.id,
        "project": project.record["name"],
        "wbs_code_id": wbs["id"],
        "biller_id": project.id,
        "biller": project.record["name"],
        "biller_type": "Project",
        "root_cost_code_id": code["id"],
        "root_cost_code": code["code"].split("-")[0],
        "cost_code_id": code["id"],
        "cost_code": f"{code['code']} - {code['name']}",
        "category_id": types.get(kind["code"], kind["id"]),
        "category": kind["name"],
        **{key: _text(own.get(key, Decimal(0))) for key in ALWAYS},
        **{name: _text(own.get(key, Decimal(0))) for name, key in view.columns.items()},
        "budget_forecast": {"amount": _text(own["forecast_to_complete"])},
        "currency_configuration": {"currency_iso_code": CURRENCY},
        "additional_properties": {},
    }


def _asked(request: Request, caller: Caller) -> tuple[Project, BudgetView]:
    project = caller.project(request.query_params.get("project_id"), "budget")
    view = caller.here().budget_views.get(int(request.path_params["budget_view_id"]))
    if view is None or view.id in project.hidden_views:
        raise Refusal(404, {"errors": "Not Found"})
    return project, view


def _shown(view: BudgetView, project: Project) -> Record:
    return {
        "id": view.id,
        "name": view.name,
        "description": "",
        "created_at": project.record["created_at"],
        "updated_at": project.record["updated_at"],
        "created_by": {"id": 1, "name": "Procore", "login": "support@procore.example"},
        "role": view.role,
        "links": {
            "detail_rows": f"/rest/v1.0/budget_views/{view.id}/detail_rows",
            "summary_rows": f"/rest/v1.0/budget_views/{view.id}/summary_rows",
        },
    }


def _ids(view: BudgetView) -> dict[str, str]:
    return {str(FIRST_COLUMN_ID + n): name for n, name in enumerate(view.columns)}


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"
