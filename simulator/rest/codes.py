"""WBS codes: their segments, those that a project has, and creating more."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.wire import NO_TOOL, Caller, Refusal, answer, body_of, listed, page_of
from simulator.rights import EDIT_BUDGET
from simulator.wild import elsewhere
from simulator.world import Project, Record


@elsewhere
def codes_absent_until_made() -> None:
    """A project lists only the WBS codes that its budget and costs use, and those created since."""


async def wbs_codes(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"])
    rows = listed(request, present(caller, project).values())
    statuses = request.query_params.getlist("filters[status][]")
    if statuses:
        rows = [row for row in rows if row["status"] in statuses]
    return page_of(request, rows)


def present(caller: Caller, project: Project) -> dict[int, Record]:
    """The codes that exist for the project, by id."""
    if not caller.simulator.wild.on(codes_absent_until_made):
        return project.wbs_codes
    lines = (*project.commitment_line_items.values(), *project.direct_cost_line_items.values())
    used = {line["wbs_code"]["id"] for line in lines} | set(project.unbudgeted) | project.made_codes
    used |= {line["wbs_code_id"] for line in project.budget_line_items.values()}
    return {key: row for key, row in project.wbs_codes.items() if key in used}


async def segments(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"])
    return page_of(request, list(_segments(project).values()))


async def segment_items(request: Request, caller: Caller) -> Response:
    project = caller.project(request.path_params["project_id"])
    segment = int(request.path_params["segment_id"])
    if segment not in _segments(project):
        raise Refusal(404, {"errors": "Not Found"})
    return page_of(request, [item for (of, _), item in _items(project).items() if of == segment])


async def create(request: Request, caller: Caller) -> Response:
    """One item of each segment; a combination that the project already has is rejected."""
    project = caller.project(request.path_params["project_id"], "budget")
    if not caller.may(EDIT_BUDGET, "budget", project):
        raise Refusal(403, NO_TOOL)
    body = await body_of(request)
    parts, items = body.get("segment_items"), _items(project)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise Refusal(400, {"errors": "param is missing: segment_items"})
    keys = sorted(
        (part.get("segment_id"), part.get("segment_item_id"))
        for part in parts
        if isinstance(part.get("segment_id"), int) and isinstance(part.get("segment_item_id"), int)
    )
    if [segment for segment, _ in keys] != list(_segments(project)) or not items.keys() >= set(
        keys
    ):
        raise Refusal(422, {"errors": {"segment_items": ["must have one item of each segment"]}})
    description = body.get("description", "")
    if not isinstance(description, str):
        raise Refusal(422, {"errors": {"description": ["is not a text"]}})
    row = _code(caller, project, [items[key] for key in keys], description)
    if row["id"] in present(caller, project):
        raise Refusal(422, {"errors": {"segment_items": ["have already been taken"]}})
    project.wbs_codes[row["id"]] = row
    project.made_codes.add(row["id"])
    caller.simulator.webhooks.emit(
        resource="WBS Codes",
        reason="create",
        company_id=project.company_id,
        project_id=project.id,
        resource_id=row["id"],
        user_id=caller.person.id if caller.person else 1,
    )
    return answer(row, 201)


def _code(caller: Caller, project: Project, items: list[Record], description: str) -> Record:
    """An existing code that the project did not list yet, or a new one."""
    flat_code = ".".join(item["code"] for item in items)
    now = stamp(caller.simulator.clock.now())
    for row in project.wbs_codes.values():
        if row["flat_code"] == flat_code:
            return {**row, "updated_at": now} if row["id"] not in present(caller, project) else row
    names = [item["name"] for item in items]
    return {
        "id": caller.simulator.world.new_id(),
        "flat_code": flat_code,
        "flat_name": ".".join(names),
        "description": description or " – ".join(names),
        "status": "active",
        "created_at": now,
        "updated_at": now,
        "wbs_pattern_id": 1,
        "segment_items": items,
    }


def _segments(project: Project) -> dict[int, Record]:
    found = {item["segment"]["id"]: item["segment"] for item in _items(project).values()}
    counts = [segment for segment, _ in _items(project)]
    return {key: {**found[key], "segment_items_count": counts.count(key)} for key in sorted(found)}


def _items(project: Project) -> dict[tuple[int, int], Record]:
    """Items of all possible codes, by segment and id."""
    return {
        (item["segment"]["id"], item["id"]): item
        for row in project.wbs_codes.values()
        for item in row["segment_items"]
    }
