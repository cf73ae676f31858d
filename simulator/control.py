"""The control API, for tests and for exploring: faults, clock, changes, installs, the ledger."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import stamp
from simulator.costs import Costs
from simulator.faults import KINDS, Fault
from simulator.hiding import Rule
from simulator.ledger import as_json
from simulator.links import link_to_budget, link_to_contract, link_to_order, to_three_tiers
from simulator.mutations import Mutations
from simulator.rest.wire import answer
from simulator.rights import PROJECT_LEVELS
from simulator.state import Simulator
from simulator.webhooks import Mischief, ulid
from simulator.wild import PROFILE, SWITCHES
from simulator.world import PROJECT_TOOLS, Project

WEBHOOK_NAMES = {
    "rfis": "RFIs",
    "submittals": "Submittals",
    "change_events": "Change Events",
    "work_order_contracts": "Work Order Contracts",
    "purchase_order_contracts": "Purchase Order Contracts",
    "change_orders": "Commitment Change Orders",
    "change_order_packages": "Change Order Packages",
    "potential_change_orders": "Potential Change Orders",
    "direct_costs": "Direct Costs",
    "direct_cost_line_items": "Direct Costs",
    "requisitions": "Requisitions",
    "observations": "Observation Items",
    "punch_items": "Punch Items",
    "wbs_codes": "WBS Codes",
    "budget_line_items": "Budget Line Items",
}


SOFTLY_DELETED = (
    "change_events", "work_order_contracts", "purchase_order_contracts", "change_order_packages",
    "potential_change_orders",
)  # fmt: skip


def _simulator(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator


async def violations(request: Request) -> Response:
    return answer(as_json(_simulator(request).ledger.violations))


async def ledger(request: Request) -> Response:
    return answer(as_json(_simulator(request).ledger.calls))


async def clear(request: Request) -> Response:
    _simulator(request).forget()
    return answer({})


async def clear_faults(request: Request) -> Response:
    _simulator(request).faults.waiting.clear()
    return answer({})


async def reset(request: Request) -> Response:
    _simulator(request).reset()
    return answer({})


async def faults(request: Request) -> Response:
    """POST {"kind", "method", "path", "times", "status", "seconds", "retry_after", "body", …}."""
    simulator = _simulator(request)
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        if body.get("kind") not in KINDS:
            return answer({"error": f"kind is one of {', '.join(KINDS)}"}, 422)
        simulator.faults.add(Fault(**body))
    return answer([asdict(fault) for fault in simulator.faults.waiting])


async def hiding(request: Request) -> Response:
    """POST {"rules": [{"path", "keep", "status", "by_id", "project_id"}]}; [] shows all again."""
    simulator = _simulator(request)
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        simulator.hiding.rules = [Rule(**rule) for rule in body["rules"]]
    return answer([asdict(rule) for rule in simulator.hiding.rules])


async def clock(request: Request) -> Response:
    """POST {"skew_seconds"}; {"expire_tokens": true} ends every access token now."""
    simulator = _simulator(request)
    body: dict[str, Any] = await request.json()
    if "skew_seconds" in body:
        simulator.clock.skew = timedelta(seconds=body["skew_seconds"])
    if body.get("expire_tokens"):
        simulator.tokens.expire_all()
    return answer({"now": stamp(simulator.clock.now())})


async def login(request: Request) -> Response:
    """POST {"opener_policy"}: the Cross-Origin-Opener-Policy of the login pages; empty for none."""
    simulator = _simulator(request)
    body: dict[str, str] = await request.json()
    simulator.login_opener_policy = body["opener_policy"]
    return answer({"opener_policy": simulator.login_opener_policy})


async def rates(request: Request) -> Response:
    """POST {"per_hour", "per_spike", "spike_seconds", "rolling", "shared"}; others stay unchanged.

    Forgets the calls made so far: no app could foresee a limit below its past use.
    """
    found = _simulator(request).rates
    body: dict[str, Any] = await request.json()
    for name in ("per_hour", "per_spike", "spike_seconds"):
        setattr(found, name, int(body.get(name, getattr(found, name))))
    for name in ("rolling", "shared"):
        setattr(found, name, bool(body.get(name, getattr(found, name))))
    found.used.clear()
    kept = ("per_hour", "per_spike", "spike_seconds", "rolling", "shared")
    return answer({name: getattr(found, name) for name in kept})


async def tokens(request: Request) -> Response:
    """POST {"revoke_app": true} ends the app's own tokens.

    {"one_app_token": true}: from now on, using an older one is a violation once a newer is issued.
    """
    found = _simulator(request).tokens
    body: dict[str, Any] = await request.json()
    if body.get("revoke_app"):
        found.revoke_app()
    found.one_app_token = bool(body.get("one_app_token", found.one_app_token))
    return answer({"one_app_token": found.one_app_token})


async def wild(request: Request) -> Response:
    """POST {"switches": names, or "wild" for all, or [] for none; "seed", "schemas"}.

    Answers with the records that each switch has changed since then.
    """
    turned = _simulator(request).wild
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        try:
            turned.turn(
                body.get("switches", PROFILE), int(body.get("seed", 1)), body.get("schemas")
            )
        except LookupError as error:
            return answer({"error": str(error)}, 422)
    on = sorted(turned.switches)
    struck = {name: sorted(ids) for name, ids in turned.struck.items()}
    return answer({"on": on, "seed": turned.seed, "struck": struck, "switches": SWITCHES})


async def mischief(request: Request) -> Response:
    """POST {"duplicate", "reorder", "silent", "time_scale"}: how webhooks misbehave."""
    simulator = _simulator(request)
    simulator.webhooks.mischief = Mischief(**(await request.json()))
    return answer(asdict(simulator.webhooks.mischief))


async def installs(request: Request) -> Response:
    """POST {"company_id", "permitted_projects", "service_account"} or {"company_id", "update"}.

    Ids, "all", or null to uninstall; an update names the app's new version.
    """
    simulator = _simulator(request)
    world = simulator.world
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        company = world.companies[body["company_id"]]
        chosen = body.get("permitted_projects", "all")
        if "update" in body:
            world.update(company.id, str(body["update"]))
        elif chosen is None:
            world.uninstall(company.id)
        else:
            projects = set(company.projects if chosen == "all" else chosen)
            account = bool(body.get("service_account", True))
            simulator.install(company.id, projects, service_account=account)
    return answer(
        [
            {
                "company_id": installation.company_id,
                "active": installation.active,
                "permitted_projects": sorted(installation.permitted_projects),
            }
            for installation in world.installations.values()
        ]
    )


async def people(request: Request) -> Response:
    """Everybody who can sign in, with rights.

    POST {"id", "tools", "levels", "edits_budget"} changes them; levels are those of rights.LEVELS.
    """
    simulator = _simulator(request)
    world = simulator.world
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        person = world.people[body["id"]]
        person.tools = set(body.get("tools", person.tools))
        person.levels = dict(body.get("levels", person.levels))
        person.edits_budget = bool(body.get("edits_budget", person.edits_budget))
    return answer(
        [
            {
                "id": person.id,
                "name": person.name,
                "login": person.login,
                "role": person.role,
                "company_ids": sorted(person.company_ids),
                "tools": sorted(person.tools),
                "levels": {tool: person.level(tool) for tool in PROJECT_TOOLS},
            }
            for person in world.people.values()
        ]
    )


async def service_tools(request: Request) -> Response:
    """POST {"tools"}: the project tools that the manifest grants at every company."""
    tools = set((await request.json())["tools"])
    levels = {
        tool: level if tool in tools or tool == "webhooks_api" else "none"
        for tool, level in PROJECT_LEVELS.items()
    }
    for installation in _simulator(request).world.installations.values():
        account = installation.account
        account.manifest = account.manifest.changed({"project": levels})
    return answer({"tools": sorted(tools)})


async def service_account(request: Request) -> Response:
    """POST {"company_id", "manifest", "template", "memberships", "rejoin", "answers"}.

    `manifest` and `template` take {"company": {tool: level}, "project": {tool: level}, "granular":
    [names]}; `memberships` the same by project id: rights that the user keeps there from before.
    """
    body: dict[str, Any] = await request.json()
    account = _simulator(request).world.installations[body["company_id"]].account
    try:
        account.manifest = account.manifest.changed(body.get("manifest", {}))
        account.template = account.template.changed(body.get("template", {}))
        for key, levels in body.get("memberships", {}).items():
            before = account.memberships.get(int(key), account.template)
            account.memberships[int(key)] = before.changed(levels)
    except ValueError as error:
        return answer({"error": str(error)}, 422)
    for project_id in body.get("rejoin", []):
        account.memberships[project_id] = account.template
    account.answers = bool(body.get("answers", account.answers))
    return answer(account.as_json())


async def records(request: Request) -> Response:
    """GET a project's records of one kind, as the API shows them, all at once."""
    project = _project(request)
    kind: dict[int, Any] = getattr(project, request.path_params["kind"])
    return answer(list(kind.values()))


async def add(request: Request) -> Response:
    """POST {"record": {…}}: adds a record of this kind; only its id and stamps are set here."""
    simulator, project = _simulator(request), _project(request)
    name = request.path_params["kind"]
    body: dict[str, Any] = await request.json()
    record = {**body["record"], "id": simulator.world.new_id()}
    record["created_at"] = stamp(simulator.clock.now())
    simulator.world.touch(record)
    getattr(project, name)[record["id"]] = record
    _emit(simulator, project, name, record["id"], "create")
    return answer(record)


async def change(request: Request) -> Response:
    """POST {"set": {...}} changes, {"delete": true} removes (softly where Procore does)."""
    simulator = _simulator(request)
    project = _project(request)
    name = request.path_params["kind"]
    kind: dict[int, Any] = getattr(project, name)
    record = kind[request.path_params["id"]]
    body: dict[str, Any] = await request.json()
    reason = "update"
    if body.get("delete"):
        reason = "delete"
        if name == "rfis":
            record["deleted"] = True
            record["deleted_at"] = stamp(simulator.clock.now())
        elif name in SOFTLY_DELETED:
            record["deleted_at"] = stamp(simulator.clock.now())
        else:
            del kind[record["id"]]
    for key, value in body.get("set", {}).items():
        decimal = name == "budget_line_items" and key.endswith(("amount", "changes"))
        if value is None:
            record.pop(key, None)
        else:
            record[key] = Decimal(str(value)) if decimal else value
    simulator.world.touch(record)
    if name == "commitment_line_items":  # a contract changes when its lines do
        record = project.contract(record["holder"]["id"])
        simulator.world.touch(record)
        name, reason = "work_order_contracts", "update"
    if record.get("contract_id") in {
        *project.work_order_contracts,
        *project.purchase_order_contracts,
    }:
        Costs.settle(project, project.contract(record["contract_id"]))
        simulator.world.touch(project.contract(record["contract_id"]))
    _emit(simulator, project, name, record["id"], reason)
    return answer(record)


async def change_project(request: Request) -> Response:
    """POST {"set": {...}}: changes the project's own record."""
    simulator = _simulator(request)
    project = _project(request)
    project.record |= (await request.json())["set"]
    simulator.world.touch(project.record)
    return answer(project.record)


async def mutate(request: Request) -> Response:
    """POST {"changes": n, "seed": s, "projects": ids}: people add, change and delete n records.

    The answer counts them, and lists the events that webhooks would send, in "events".
    """
    simulator = _simulator(request)
    body: dict[str, Any] = await request.json()
    events: list[dict[str, str]] = []

    def tell_and_list(
        simulator: Simulator, project: Project, kind: str, record_id: int, reason: str
    ) -> None:
        tell(simulator, project, kind, record_id, reason)
        events.append(
            {
                "id": ulid(),
                "reason": reason,
                "resource_type": WEBHOOK_NAMES[kind],
                "company_id": str(project.company_id),
                "project_id": str(project.id),
                "resource_id": str(record_id),
            }
        )

    mutations = Mutations(
        simulator, int(body.get("seed", 1)), body.get("company_id"), tell_and_list
    )
    if "projects" in body:
        mutations.projects = [p for p in mutations.projects if p.id in body["projects"]]
    return answer({**mutations.make(int(body["changes"])), "events": events})


async def budget_views(request: Request) -> Response:
    """GET a company's views. POST {"delete": id}; {"project_id", "hide": ids} for a project."""
    world = _simulator(request).world
    company = world.companies[request.path_params["company_id"]]
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        company.budget_views.pop(body.get("delete", 0), None)
        if "hide" in body:
            company.projects[body["project_id"]].hidden_views = set(body["hide"])
    return answer([asdict(view) for view in company.budget_views.values()])


async def lock(request: Request) -> Response:
    """POST {"locked": true}: someone locks, or unlocks, the project's budget."""
    project = _project(request)
    project.budget_locked = bool((await request.json())["locked"])
    return answer({"locked": project.budget_locked})


async def event_link(request: Request) -> Response:
    """POST {"line", …}: where the cost of a change event's line is; `line` alone: nowhere."""
    simulator, project = _simulator(request), _project(request)
    body: dict[str, Any] = await request.json()
    event = next(
        event
        for event in project.change_events.values()
        if any(item["id"] == body["line"] for item in event["change_items"])
    )
    link: dict[str, Any] = {}
    if "order_cost" in body:
        contract = project.contract(body["contract_id"])
        link = link_to_order(contract, body["order_cost"], body.get("order_status", "approved"))
    elif "contract_id" in body:
        link = link_to_contract(project.contract(body["contract_id"]), body["contract_cost"])
    if "budget_change" in body:
        link |= link_to_budget(body["budget_change"])
    project.event_links[body["line"]] = link
    simulator.world.touch(event)
    _emit(simulator, project, "change_events", event["id"], "update")
    return answer(link)


async def three_tiers(request: Request) -> Response:
    """POST {"tiers": 3}: the project's change orders become packages and potential ones."""
    simulator, project = _simulator(request), _project(request)
    to_three_tiers(simulator.world, project)
    return answer({"tiers": project.change_order_tiers})


async def drift(request: Request) -> Response:
    """POST {"changes": n, "seconds": s}: people work, n changes to RFIs spread over s seconds."""
    simulator = _simulator(request)
    body: dict[str, Any] = await request.json()
    every = [(p, r) for p in simulator.world.all_projects() for r in p.rfis.values()]
    count = int(body["changes"])
    for number in range(count):
        project, record = every[(number * 7919) % len(every)]
        record["due_date"] = (
            (simulator.clock.now() + timedelta(days=number % 30)).date().isoformat()
        )
        simulator.world.touch(record)
        _emit(simulator, project, "rfis", record["id"], "update")
        await asyncio.sleep(float(body.get("seconds", 0)) / count)
    return answer({"changed": count})


def _emit(simulator: Simulator, project: Project, kind: str, record_id: int, reason: str) -> None:
    tell(simulator, project, kind, record_id, reason)


def tell(simulator: Simulator, project: Project, kind: str, record_id: int, reason: str) -> None:
    simulator.webhooks.emit(
        resource=WEBHOOK_NAMES[kind],
        reason=reason,
        company_id=project.company_id,
        project_id=project.id,
        resource_id=record_id,
        user_id=None,
    )


def _project(request: Request) -> Project:
    project = _simulator(request).world.project(request.path_params["project_id"])
    if project is None:
        raise LookupError(request.path_params["project_id"])
    return project


BASE = "/control/projects/{project_id:int}"
routes = [
    Route("/control/violations", violations),
    Route("/control/ledger", ledger),
    Route("/control/clear", clear, methods=["POST"]),
    Route("/control/clear-faults", clear_faults, methods=["POST"]),
    Route("/control/reset", reset, methods=["POST"]),
    Route("/control/faults", faults, methods=["GET", "POST"]),
    Route("/control/hiding", hiding, methods=["GET", "POST"]),
    Route("/control/clock", clock, methods=["POST"]),
    Route("/control/login", login, methods=["POST"]),
    Route("/control/rates", rates, methods=["POST"]),
    Route("/control/tokens", tokens, methods=["POST"]),
    Route("/control/wild", wild, methods=["GET", "POST"]),
    Route("/control/webhooks", mischief, methods=["POST"]),
    Route("/control/installs", installs, methods=["GET", "POST"]),
    Route("/control/people", people, methods=["GET", "POST"]),
    Route("/control/service-tools", service_tools, methods=["POST"]),
    Route("/control/service-account", service_account, methods=["POST"]),
    Route("/control/drift", drift, methods=["POST"]),
    Route("/control/mutations", mutate, methods=["POST"]),
    Route(BASE, change_project, methods=["POST"]),
    Route(BASE + "/lock", lock, methods=["POST"]),
    Route(
        "/control/companies/{company_id:int}/budget-views", budget_views, methods=["GET", "POST"]
    ),
    Route(BASE + "/event-links", event_link, methods=["POST"]),
    Route(BASE + "/three-tiers", three_tiers, methods=["POST"]),
    Route(BASE + "/{kind}", records),
    Route(BASE + "/{kind}", add, methods=["POST"]),
    Route(BASE + "/{kind}/{id:int}", change, methods=["POST"]),
]
