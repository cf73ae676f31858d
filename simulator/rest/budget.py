"""The budget: line items by create, update, sync and delete, and the lock."""

from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.codes import present
from simulator.rest.holds import refuse_held
from simulator.rest.wire import Caller, Refusal, answer, body_of
from simulator.rights import DELETE_BUDGET_LINES, EDIT_BUDGET
from simulator.world import Project, Record

SYNC_LIMIT = 1000
FIELDS = ("original_budget_amount", "uom", "quantity", "unit_cost", "calculation_strategy")
STRATEGIES = ("manual", "automatic")
NUMBERS = ("original_budget_amount", "quantity", "unit_cost")


async def budget(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "budget")
    return answer({"locked": project.budget_locked})


async def create(request: Request, caller: Caller) -> Response:
    body = await body_of(request)
    project = _writable(caller, body)
    given = body.get("budget_line_item")
    if not isinstance(given, dict):
        raise Refusal(400, {"errors": "param is missing: budget_line_item"})
    problems = _problems(caller, project, given)
    if not problems and given["wbs_code_id"] in _budgeted(project):
        problems = {"wbs_code": ["has already been taken"]}
    if problems:
        raise Refusal(422, {"errors": problems})
    line = _store(caller, project, given)
    return answer(_item(project, line), 201)


async def update(request: Request, caller: Caller) -> Response:
    body = await body_of(request)
    project = _writable(caller, body)
    line = project.budget_line_items.get(int(request.path_params["id"]))
    if line is None:
        raise Refusal(404, {"errors": "Not Found"})
    given = body.get("budget_line_item")
    if not isinstance(given, dict):
        raise Refusal(400, {"errors": "param is missing: budget_line_item"})
    problems = _problems(caller, project, {"wbs_code_id": line["wbs_code_id"], **given})
    if problems:
        raise Refusal(422, {"errors": problems})
    return answer(_item(project, _store(caller, project, {**given, "id": line["id"]})))


async def show(request: Request, caller: Caller) -> Response:
    project = caller.project(request.query_params.get("project_id"), "budget")
    line = project.budget_line_items.get(int(request.path_params["id"]))
    if line is None:
        raise Refusal(404, {"errors": "Not Found"})
    return answer(_item(project, line))


async def sync(request: Request, caller: Caller) -> Response:
    """Creates or updates up to 1,000 lines.

    One bad line rejects the whole call, and nothing is saved.
    """
    body = await body_of(request)
    project = _writable(caller, body)
    given = body.get("budget_line_items")
    if not isinstance(given, list) or not all(isinstance(line, dict) for line in given):
        raise Refusal(400, {"errors": "param is missing: budget_line_items"})
    if len(given) > SYNC_LIMIT:
        raise Refusal(400, {"errors": f"No more than {SYNC_LIMIT} items are allowed"})
    taken = dict(_budgeted(project))
    for position, line in enumerate(given):
        problems = _problems(caller, project, line)
        code: Any = line.get("wbs_code_id")
        if not problems and "id" in line and not _exists(project, line["id"]):
            problems = {"id": ["does not exist"]}
        elif not problems and taken.get(code, line.get("id")) != line.get("id"):
            problems = {"wbs_code": ["has already been taken"]}
        if problems:
            named = {f"budget_line_items[{position}].{key}": text for key, text in problems.items()}
            raise Refusal(422, {"errors": named})
        taken[code] = line.get("id", -position - 1)
    return answer([_item(project, _store(caller, project, line)) for line in given])


async def delete(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"], "budget")
    _require(caller, project, DELETE_BUDGET_LINES)
    line = project.budget_line_items.get(int(request.path_params["id"]))
    error: Record = {"code": "NOT_FOUND", "message": "Not found", "details": []}
    if line is None:
        raise Refusal(404, {"error": error})
    if project.budget_locked or not line["deletable"]:
        error = {"code": "FORBIDDEN", "message": "The line item cannot be deleted", "details": []}
        raise Refusal(403, {"error": error})
    del project.budget_line_items[line["id"]]
    _tell(caller, project, line["id"], "delete")
    return Response(status_code=204)


def _writable(caller: Caller, body: Record) -> Project:
    raw = body.get("project_id")
    project = caller.project(str(raw) if isinstance(raw, int) else None, "budget")
    _require(caller, project, EDIT_BUDGET)
    if project.budget_locked:
        raise Refusal(403, {"errors": "The budget is locked", "reason": "budget_locked"})
    refuse_held(caller)
    return project


def _require(caller: Caller, project: Project, action: str) -> None:
    if not caller.may(action, "budget", project):
        raise Refusal(403, {"errors": "You do not have permission to edit the budget"})


def _exists(project: Project, line_id: Any) -> bool:
    return isinstance(line_id, int) and line_id in project.budget_line_items


def _budgeted(project: Project) -> dict[int, int]:
    return {line["wbs_code_id"]: line["id"] for line in project.budget_line_items.values()}


def _problems(caller: Caller, project: Project, line: Record) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    wbs_id, units = line.get("wbs_code_id"), caller.here().units
    wbs = present(caller, project).get(wbs_id) if isinstance(wbs_id, int) else None
    if wbs is None:
        problems["wbs_code_id"] = ["Budget Code was not found."]
    elif wbs["status"] != "active":
        problems["wbs_code_id"] = ["is inactive"]
    for name in NUMBERS:
        value: Any = line.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            problems[name] = ["is not a number"]
    if "uom" in line and line["uom"] not in units:
        problems["uom"] = ["is not included in the list"]
    if line.get("calculation_strategy", "manual") not in STRATEGIES:
        problems["calculation_strategy"] = ["is not included in the list"]
    return problems


def _store(caller: Caller, project: Project, given: Record) -> Record:
    line = project.budget_line_items.get(given["id"]) if "id" in given else None
    reason = "update"
    if line is None:
        reason = "create"
        line_id = caller.simulator.world.new_id()
        line = {
            "id": line_id,
            "wbs_code_id": given["wbs_code_id"],
            "calculation_strategy": "manual",
            "budget_modifications": Decimal("0.00"),
            "deletable": True,
        }
        project.budget_line_items[line_id] = line
    line["updated_at"] = stamp(caller.simulator.clock.now())
    for name in FIELDS:
        if name in given:
            value = given[name]
            line[name] = Decimal(value) if isinstance(value, int) else value
    if line["calculation_strategy"] == "automatic" and "quantity" in line:
        line["original_budget_amount"] = line["quantity"] * line.get("unit_cost", Decimal(0))
    _tell(caller, project, line["id"], reason)
    return line


def _tell(caller: Caller, project: Project, line_id: int, reason: str) -> None:
    caller.simulator.webhooks.emit(
        resource="Budget Line Items",
        reason=reason,
        company_id=project.company_id,
        project_id=project.id,
        resource_id=line_id,
        user_id=caller.person.id if caller.person else 1,
    )


def _item(project: Project, line: Record) -> Record:
    wbs = project.wbs_codes[line["wbs_code_id"]]
    return {
        "id": line["id"],
        **{name: line[name] for name in FIELDS if name in line},
        "wbs_code": {key: wbs[key] for key in ("id", "flat_code", "description")},
        "currency_configuration": {"currency_iso_code": "USD"},
    }
