"""Company-level operations: who am I, companies, projects, users, vendors, installs, rights."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.clock import stamp
from simulator.rest.wire import Caller, Refusal, answer, listed, page_of
from simulator.world import PROJECT_TOOLS, Installation, Record


async def me(request: Request, caller: Caller) -> Response:
    if caller.person is None:
        return answer({"id": 1, "login": "service-account@tieback.example", "name": "Tieback"})
    person = caller.person
    return answer({"id": person.id, "login": person.login, "name": person.name})


async def companies(request: Request, caller: Caller) -> Response:
    world = caller.simulator.world
    if caller.person is None:
        installs = (world.installed_at(company_id) for company_id in world.companies)
        ids = {found.company_id for found in installs if found and found.service_account}
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
    _named(request.query_params.get("company_id"), caller)
    rows = [
        project.record
        for project in caller.here().projects.values()
        if caller.may_see(project) and project.record["active"]
    ]
    return page_of(request, listed(request, rows))


async def all_projects(request: Request, caller: Caller) -> Response:
    """The older list: every project at once."""
    _named(request.path_params["company_id"], caller)
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
    _named(request.path_params["company_id"], caller)
    caller.require_admin()
    return page_of(request, listed(request, caller.here().users.values()))


async def vendors(request: Request, caller: Caller) -> Response:
    _named(request.query_params.get("company_id"), caller)
    caller.require_admin()
    return page_of(request, listed(request, caller.here().vendors.values()))


async def cost_types(request: Request, caller: Caller) -> Response:
    _named(request.query_params.get("company_id"), caller)
    return page_of(request, list(caller.here().cost_types.values()))


async def uoms(request: Request, caller: Caller) -> Response:
    _named(request.path_params["company_id"], caller)
    category = {"id": 1, "name": "Standard"}
    rows = [
        {"id": number, "name": name, "is_standard": True, "uom_category": category}
        for number, name in enumerate(caller.here().units, 1)
    ]
    return page_of(request, rows)


async def permissions(request: Request, caller: Caller) -> Response:
    """The viewer's rights, tool by tool.

    Company tools without a project, project tools with one.
    """
    if caller.person is None:
        raise Refusal(403, {"errors": "Not available to service accounts"})
    raw = request.query_params.get("project_id")
    if raw is not None:
        caller.project(raw)
        granted = {name: name in caller.tools() for name in PROJECT_TOOLS}
        admin = caller.person.admin
    else:
        admin = caller.person.admin
        granted = {"directory": True, "admin": admin, "portfolio": True}
    tools = []
    for index, (name, allowed) in enumerate(granted.items()):
        level = "admin" if admin else ("standard" if allowed else "none")
        actions: list[Record] = []
        if name == "budget" and allowed and caller.person.edits_budget:
            actions = [
                {
                    "id": 77,
                    "action_name": "create_and_edit_original_budget_amount",
                    "label": "Create and Edit Original Budget Amount",
                    "tool_name": "budget",
                }
            ]
        tools.append(
            {
                "id": index + 1,
                "name": name,
                "friendly_name": name.replace("_", " ").title(),
                "domain_id": index + 1,
                "tab_group": "project" if raw else "company",
                "available_for_user": level != "none",
                "url": f"/{name}",
                "user_access_level": {"id": 4 if admin else 2, "name": level},
                "permitted_actions": actions,
                "create_url": "",
                "can_create": level in {"standard", "admin"},
                "trial": False,
            }
        )
    return answer({"tools": tools})


async def app_installations(request: Request, caller: Caller) -> Response:
    company = _named(request.query_params.get("company_id"), caller)
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
    if installation.uninstalled_at:
        row |= {"uninstalled_at": stamp(installation.uninstalled_at), "uninstaller": person}
    return row


def _named(raw: str | None, caller: Caller) -> int:
    if raw is None or not raw.isdigit() or int(raw) != caller.here().id:
        raise Refusal(403, {"errors": "The company does not match Procore-Company-Id"})
    return int(raw)
