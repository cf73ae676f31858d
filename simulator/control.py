"""The control API, for tests and curious people: faults, clock, changes, installs, the ledger."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.clock import stamp
from simulator.faults import KINDS, Fault
from simulator.ledger import as_json
from simulator.rest.wire import answer
from simulator.state import Simulator
from simulator.webhooks import Mischief
from simulator.world import Project

WEBHOOK_NAMES = {
    "rfis": "RFIs",
    "submittals": "Submittals",
    "change_events": "Change Events",
    "work_order_contracts": "Work Order Contracts",
    "purchase_order_contracts": "Purchase Order Contracts",
    "wbs_codes": "WBS Codes",
    "budget_line_items": "Budget Line Items",
}


def _simulator(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator


async def violations(request: Request) -> Response:
    return answer(as_json(_simulator(request).ledger.violations))


async def ledger(request: Request) -> Response:
    return answer(as_json(_simulator(request).ledger.calls))


async def clear(request: Request) -> Response:
    simulator = _simulator(request)
    simulator.ledger.clear()
    simulator.faults.waiting.clear()
    return answer({})


async def faults(request: Request) -> Response:
    """POST {"kind", "method", "path", "times", "status", "seconds", "retry_after"}."""
    simulator = _simulator(request)
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        if body.get("kind") not in KINDS:
            return answer({"error": f"kind is one of {', '.join(KINDS)}"}, 422)
        simulator.faults.add(Fault(**body))
    return answer([asdict(fault) for fault in simulator.faults.waiting])


async def clock(request: Request) -> Response:
    """POST {"skew_seconds"}; {"expire_tokens": true} ends every access token now."""
    simulator = _simulator(request)
    body: dict[str, Any] = await request.json()
    if "skew_seconds" in body:
        simulator.clock.skew = timedelta(seconds=body["skew_seconds"])
    if body.get("expire_tokens"):
        simulator.tokens.expire_all()
    return answer({"now": stamp(simulator.clock.now())})


async def rates(request: Request) -> Response:
    """POST {"per_hour", "per_spike"}."""
    simulator = _simulator(request)
    body: dict[str, int] = await request.json()
    simulator.rates.per_hour = body.get("per_hour", simulator.rates.per_hour)
    simulator.rates.per_spike = body.get("per_spike", simulator.rates.per_spike)
    simulator.rates.used.clear()
    return answer({"per_hour": simulator.rates.per_hour, "per_spike": simulator.rates.per_spike})


async def mischief(request: Request) -> Response:
    """POST {"duplicate", "reorder", "silent", "time_scale"}: how webhooks misbehave."""
    simulator = _simulator(request)
    simulator.webhooks.mischief = Mischief(**(await request.json()))
    return answer(asdict(simulator.webhooks.mischief))


async def installs(request: Request) -> Response:
    """POST {"company_id", "permitted_projects", "service_account"}.

    Ids, "all", or null to uninstall.
    """
    simulator = _simulator(request)
    world = simulator.world
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        company = world.companies[body["company_id"]]
        chosen = body.get("permitted_projects", "all")
        if chosen is None:
            world.uninstall(company.id)
        else:
            projects = set(company.projects if chosen == "all" else chosen)
            account = bool(body.get("service_account", True))
            world.install(company.id, projects, service_account=account)
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
    """Everybody who can sign in, with rights. POST {"id", "tools"} changes the tools."""
    simulator = _simulator(request)
    world = simulator.world
    if request.method == "POST":
        body: dict[str, Any] = await request.json()
        world.people[body["id"]].tools = set(body["tools"])
    return answer(
        [
            {
                "id": person.id,
                "name": person.name,
                "login": person.login,
                "role": person.role,
                "company_ids": sorted(person.company_ids),
                "tools": sorted(person.tools),
            }
            for person in world.people.values()
        ]
    )


async def records(request: Request) -> Response:
    """GET a project's records of one kind, as the API would show them all at once."""
    project = _project(request)
    kind: dict[int, Any] = getattr(project, request.path_params["kind"])
    return answer(list(kind.values()))


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
        elif "deleted_at" in record:
            record["deleted_at"] = stamp(simulator.clock.now())
        else:
            del kind[record["id"]]
    for key, value in body.get("set", {}).items():
        decimal = name == "budget_line_items" and key.endswith("amount")
        record[key] = Decimal(str(value)) if decimal else value
    simulator.world.touch(record)
    _emit(simulator, project, name, record["id"], reason)
    return answer(record)


async def lock(request: Request) -> Response:
    """POST {"locked": true}: someone locks, or unlocks, the project's budget."""
    project = _project(request)
    project.budget_locked = bool((await request.json())["locked"])
    return answer({"locked": project.budget_locked})


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
    Route("/control/faults", faults, methods=["GET", "POST"]),
    Route("/control/clock", clock, methods=["POST"]),
    Route("/control/rates", rates, methods=["POST"]),
    Route("/control/webhooks", mischief, methods=["POST"]),
    Route("/control/installs", installs, methods=["GET", "POST"]),
    Route("/control/people", people, methods=["GET", "POST"]),
    Route("/control/drift", drift, methods=["POST"]),
    Route(BASE + "/lock", lock, methods=["POST"]),
    Route(BASE + "/{kind}", records),
    Route(BASE + "/{kind}/{id:int}", change, methods=["POST"]),
]
