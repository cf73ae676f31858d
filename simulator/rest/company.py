"""Company-level operations: who am I, companies, projects, users, vendors, installs, rights."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.wire import Caller, Refusal, answer, listed, page_of
from simulator.rights import COMPANY_LEVELS, GRANULAR, LEVELS, PROJECT_LEVELS, Grants
from simulator.world import Installation, Person, Project, Record


async def me(request: Request, caller: Caller) -> Response:
    if caller.person is None:
        return answer({"id": 1, "login": "service-account@tieback.example", "name": "Tieback"})
    person = caller.person
    return answer({"id": person.id, "login": person.login, "name": person.name})


async def companies(request: Request, caller: Caller) -> Response:
    world = caller.simulator.world
    if caller.person is None:
        here = caller.company.id if caller.company else next(iter(world.companies))
        region = caller.simulator.region(here)
        installs = (world.installed_at(company_id) for company_id in world.companies)
        ids = {
            found.company_id
            for found in installs
            if found
            and found.service_account
            and caller.simulator.region(found.company_id) == region
        }
    else:
        ids = caller.person.company_ids
    rows: list[Record] = [
        {
            "id": company.id,
            "name": company.name,
            "is_active": True,
            "logo_url": "",
            "pcn_business_experience": False,
            "my_company": True,
        }
        for company in world.companies.values()
        if company.id in ids
    ]
    return page_of(request, rows)


async def projects(request: Request, caller: Caller) -> Response:
    """Without `filters[by_status]`, only the active ones."""
    named(request.query_params.get("company_id"), caller)
    status = request.query_params.get("filters[by_status]", "Active")
    rows = [
        project.record
        for project in caller.here().projects.values()
        if caller.may_see(project)
        and (status == "All" or project.record["active"] is (status != "Inactive"))
    ]
    return page_of(request, listed(request, rows))


async def all_projects(request: Request, caller: Caller) -> Response:
    """The older list: every project at once."""
    named(request.path_params["company_id"], caller)
    rows: list[Record] = [
        {
            "id": found.id,
            "name": found.record["name"],
            "address": {key: found.record[key] for key in ("city", "state_code", "country_code")},
            "stage_name": found.record["project_stage"]["name"],
            "status_name": "Active" if found.record["active"] else "Inactive",
            "open_items": [],
            "created_by": {},
        }
        for found in caller.here().projects.values()
        if caller.may_see(found)
    ]
    return page_of(request, rows, paginate=False)


async def users(request: Request, caller: Caller) -> Response:
    named(request.path_params["company_id"], caller)
    caller.require_admin("directory")
    return page_of(request, listed(request, caller.here().users.values()))


async def vendors(request: Request, caller: Caller) -> Response:
    named(request.query_params.get("company_id"), caller)
    caller.require_admin("directory")
    return page_of(request, listed(request, caller.here().vendors.values()))


async def cost_types(request: Request, caller: Caller) -> Response:
    named(request.query_params.get("company_id"), caller)
    caller.require_member("admin")
    return page_of(request, list(caller.here().cost_types.values()))


async def uoms(request: Request, caller: Caller) -> Response:
    named(request.path_params["company_id"], caller)
    caller.require_member("admin")
    category = {"id": 1, "name": "Standard"}
    rows = [
        {"id": number, "name": name, "is_standard": True, "uom_category": category}
        for number, name in enumerate(caller.here().units, 1)
    ]
    return page_of(request, rows)


async def permissions(request: Request, caller: Caller) -> Response:
    """The caller's rights, tool by tool.

    Company tools without a project, project tools with one.
    """
    raw = request.query_params.get("project_id")
    project = caller.project(raw) if raw is not None else None
    if caller.person is None:
        levels, actions = _of_service_account(caller, project)
    else:
        levels, actions = _of_person(caller.person, project)
    tab = "project" if raw else "company"
    tools = [
        _tool(number, name, level, actions if name == "budget" else [], tab)
        for number, (name, level) in enumerate(levels.items(), 1)
    ]
    return answer({"tools": tools})


def _of_service_account(
    caller: Caller, project: Project | None
) -> tuple[dict[str, str], list[str]]:
    installation = caller.simulator.world.installed_at(caller.here().id)
    if installation is None or not installation.account.answers:
        raise Refusal(403, {"errors": "Not available to service accounts"})
    if project is None:
        return installation.account.on(None).company, []
    grants = installation.account.on(project.id)
    return grants.project, sorted(grants.granular)


def _of_person(person: Person, project: Project | None) -> tuple[dict[str, str], list[str]]:
    if project is None:
        allowed = dict.fromkeys(COMPANY_LEVELS, "admin" if person.admin else "none")
        return {**allowed, **dict.fromkeys(("directory", "portfolio"), _level(person, True))}, []
    levels = {name: person.level(name) for name in PROJECT_LEVELS}
    edits = "budget" in person.tools and person.edits_budget
    return levels, sorted(GRANULAR) if edits else []


def _level(person: Person, allowed: bool) -> str:
    return "admin" if person.admin else ("standard" if allowed else "none")


def _tool(number: int, name: str, level: str, actions: list[str], tab: str) -> Record:
    return {
        "id": number,
        "name": name,
        "friendly_name": name.replace("_", " ").title(),
        "domain_id": number,
        "tab_group": tab,
        "available_for_user": level != "none",
        "url": f"/{name}",
        "user_access_level": {"id": LEVELS.index(level) + 1, "name": level},
        "permitted_actions": [
            {"id": 77 + place, "action_name": action, "label": GRANULAR[action], "tool_name": name}
            for place, action in enumerate(actions)
        ],
        "create_url": "",
        "can_create": level in {"standard", "admin"},
        "trial": False,
    }


async def app_installations(request: Request, caller: Caller) -> Response:
    company = named(request.query_params.get("company_id"), caller)
    installation = caller.simulator.world.installations.get(company)
    rows: list[Record] = []
    if installation:
        rows.append(_app(caller, installation))
    return page_of(request, rows)


def _app(caller: Caller, installation: Installation) -> Record:
    admin = next(p for p in caller.simulator.world.people.values() if p.admin)
    person = {"id": admin.id, "login": admin.login, "name": admin.name, "is_active": True}
    row: Record = {
        "id": 1,
        "app_uid": caller.simulator.client_id,
        "components": ["fullscreen", "sidepanel", "oauth"],
        "developer_app": {"id": 1, "name": "Tieback", "marketplace_app": {"website_link": {}}},
        "status": "installed" if installation.active else "uninstalled",
        "installed_at": stamp(installation.installed_at),
        "installer": person,
        "uninstaller": {},
        "semantic_version": installation.version,
    }
    if installation.account.manifest != Grants():
        row["updatable_app_version_id"] = "2"
    if installation.uninstalled_at:
        row |= {"uninstalled_at": stamp(installation.uninstalled_at), "uninstaller": person}
    return row


def named(raw: str | None, caller: Caller) -> int:
    if raw is None or not raw.isdigit() or int(raw) != caller.here().id:
        raise Refusal(403, {"errors": "The company does not match Procore-Company-Id"})
    return int(raw)
