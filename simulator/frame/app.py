"""The web origin: a shell like Procore's that frames the app full screen and in a side panel."""

import json
import secrets
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.control import routes as control_routes
from simulator.frame.panel import PANEL_SCRIPT
from simulator.pages import page
from simulator.state import Simulator
from simulator.world import Company, Person, Project, Record

COOKIE = "standin_frame"
NEXT_VERSION = "1.1.0"
# Kinds whose records the side panel page lists: Procore's view key, and how many.
VIEWS = {
    "rfis": ("rfi.detail", "RFI", 6),
    "submittals": ("submittal_logs.detail", "Submittal", 4),
    "change_events": ("change_events.detail", "Change event", 4),
    "work_order_contracts": ("commitments.work_order_contracts.detail", "Subcontract", 3),
    "purchase_order_contracts": ("commitments.purchase_order_contracts.detail", "Order", 1),
    "requisitions": ("commitments.requisitions.detail", "Invoice", 1),
}
# Where each kind of record keeps its number and its title.
NUMBERS, TITLES = ("invoice_number", "number"), ("subject", "title", "contract_name")


def frame_app(simulator: Simulator) -> Starlette:
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/session", session),
            Route("/sign-out", sign_out, methods=["POST"]),
            Route("/companies/{company_id:int}", company_home),
            Route("/companies/{company_id:int}/app", full_screen),
            Route("/companies/{company_id:int}/projects/{project_id:int}/app", full_screen),
            Route("/companies/{company_id:int}/projects/{project_id:int}/panel", side_panel),
            Route("/companies/{company_id:int}/management", management, methods=["GET", "POST"]),
            Route("/{project_id:int}/project/{rest:path}", record),
            *control_routes,
        ]
    )
    app.state.simulator = simulator
    return app


async def home(request: Request) -> Response:
    simulator, person = _who(request)
    if person is None:
        then = urlencode({"then": simulator.origins.frame + "/"})
        return RedirectResponse(f"{simulator.origins.login}/sessions?{then}")
    company_id = next(iter(person.company_ids))
    return RedirectResponse(f"/companies/{company_id}", 303)


async def session(request: Request) -> Response:
    """Redeems the login origin's one-time ticket for a cookie of this origin."""
    simulator, _ = _who(request)
    person_id = simulator.tickets.pop(request.query_params.get("ticket", ""), None)
    if person_id is None:
        return RedirectResponse("/", 303)
    then = request.query_params.get("then", "/")
    response = RedirectResponse(then if then.startswith("/") else "/", 303)
    value = secrets.token_urlsafe(24)
    simulator.sessions[value] = person_id
    response.set_cookie(COOKIE, value, httponly=True, samesite="lax")
    return response


async def sign_out(request: Request) -> Response:
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response


async def company_home(request: Request) -> Response:
    simulator, person = _who(request)
    company = _company(request, simulator, person)
    if company is None:
        return RedirectResponse("/", 303)
    rows = []
    for project in company.projects.values():
        panel = ""
        if project.rfis:
            first = next(iter(project.rfis))
            query = urlencode({"view": "rfi.detail", "id": first})
            panel = f' · <a href="/companies/{company.id}/projects/{project.id}/panel?{query}">RFI 1</a>'
        rows.append(
            f'<li><a href="/companies/{company.id}/projects/{project.id}/app">'
            f"{escape(project.record['display_name'])}</a>{panel}</li>"
        )
    body = f"""<main class="card"><h1>{escape(company.name)}</h1>
    <p><a class="button primary" href="/companies/{company.id}/app">Open Tieback</a>
    <a class="button" href="/companies/{company.id}/management">App Management</a></p>
    <h2>Projects</h2><p class="soft">A project’s name opens Tieback on it, full screen.
    “RFI 1” opens the side panel on that record.</p>
    <ul class="plain">{"".join(rows[:40])}</ul></main>"""
    return _shell(person, company, body)


async def full_screen(request: Request) -> Response:
    simulator, person = _who(request)
    company = _company(request, simulator, person)
    if company is None:
        return RedirectResponse("/", 303)
    query = {"company_id": str(company.id)}
    project = request.path_params.get("project_id")
    if project:
        query["project_id"] = str(project)
    if "open" in request.query_params:  # a parameter of the app's own, which Procore passes on
        query["open"] = request.query_params["open"]
    address = f"{app_origin(simulator)}/embedded/?{urlencode(query)}"
    body = (
        f'<div class="stage"><iframe title="Tieback" src="{escape(address)}" '
        f'allow="clipboard-write" referrerpolicy="strict-origin-when-cross-origin"></iframe></div>'
    )
    return _shell(person, company, body)


async def side_panel(request: Request) -> Response:
    simulator, person = _who(request)
    company = _company(request, simulator, person)
    project_id: int = request.path_params["project_id"]
    if company is None or project_id not in company.projects:
        return RedirectResponse("/", 303)
    view = request.query_params.get("view", "rfi.detail")
    record_id = request.query_params.get("id", "")
    context = {"company_id": company.id, "project_id": project_id, "view": view, "id": record_id}
    query = {"company_id": company.id, "project_id": project_id, "view": view}
    address = f"{app_origin(simulator)}/embedded/panel/?{urlencode(query)}"
    script = PANEL_SCRIPT.substitute(
        context=json.dumps(context).replace("<", "\\u003c"),
        origin=json.dumps(app_origin(simulator)),
    )
    body = f"""<div class="split"><div><h1>Records in Procore</h1>
    <p class="soft">Procore’s own pages would be here; the app is in the panel. Open another record, and the panel
    follows.</p><ul class="plain">{_openable(company.projects[project_id])}</ul>
    <button data-send="sidepanel:app:hidden">Hide panel</button>
    <button data-send="sidepanel:app:visible">Show panel</button></div>
    <iframe id="panel" title="Tieback" src="{escape(address)}"></iframe></div>
    <script>{script}</script>"""
    return _shell(person, company, body)


def _openable(project: Project) -> str:
    rows = []
    for kind, (view, word, count) in VIEWS.items():
        for record in list(getattr(project, kind).values())[:count]:
            number, name = (_first(record, keys) for keys in (NUMBERS, TITLES))
            title = escape(f"{word} {number}: {name}")
            rows.append(
                f'<li><button data-view="{view}" data-id="{record["id"]}">{title}</button></li>'
            )
    rows.append('<li><button data-view="budgeting.detail" data-id="">Budget</button></li>')
    return "".join(rows)


def _first(record: Record, keys: tuple[str, ...]) -> str:
    return next((str(record[key]) for key in keys if record.get(key)), "")


async def management(request: Request) -> Response:
    simulator, person = _who(request)
    company = _company(request, simulator, person)
    if person is None or company is None:
        return RedirectResponse("/", 303)
    if not person.admin:
        body = """<main class="card"><h1>App Management</h1>
        <p>Only a company administrator can install apps.</p></main>"""
        return _shell(person, company, body)
    world = simulator.world
    if request.method == "POST":
        form = await request.form()
        if form.get("action") == "uninstall":
            world.uninstall(company.id)
        elif form.get("action") == "update":
            world.update(company.id, NEXT_VERSION)
        else:
            simulator.install(company.id, {int(str(value)) for value in form.getlist("project")})
        return RedirectResponse(request.url.path, 303)
    installation = world.installed_at(company.id)
    chosen = installation.permitted_projects if installation else set(company.projects)
    boxes = "".join(
        f'<label class="row"><input type="checkbox" name="project" value="{project.id}"'
        f"{' checked' if project.id in chosen else ''}>{escape(project.record['display_name'])}</label>"
        for project in company.projects.values()
    )
    state = "Installed" if installation else "Not installed"
    remove = (
        '<form method="post"><button name="action" value="update">Update the app</button> '
        '<button name="action" value="uninstall">Uninstall</button></form>'
        if installation
        else ""
    )
    opened = (
        f'<p><a class="button" href="/companies/{company.id}/app">Open Tieback</a></p>'
        if installation
        else ""
    )
    body = f"""<main class="card"><h1>App Management: Tieback</h1><p>{state}.</p>{opened}
    <form method="post"><h2>Permitted projects</h2>{boxes}
    <p><button class="primary" name="action" value="install">
    {"Save permitted projects" if installation else "Install Tieback"}</button></p></form>
    {remove}</main>"""
    return _shell(person, company, body)


async def record(request: Request) -> Response:
    """The target of the app's “Open in Procore” links: it only says which record it is."""
    body = f"""<main class="card"><h1>A record in Procore</h1>
    <p>Project {request.path_params["project_id"]}: {escape(request.path_params["rest"])}</p></main>"""
    return HTMLResponse(page("Record", body))


def app_origin(simulator: Simulator) -> str:
    parts = urlsplit(simulator.redirect_uris[0])
    return f"{parts.scheme}://{parts.netloc}"


def _shell(person: Person | None, company: Company, body: str) -> Response:
    name = escape(person.name) if person else ""
    bar = f"""<header class="bar"><strong>Procore stand-in</strong>
    <a href="/companies/{company.id}">{escape(company.name)}</a><span class="grow"></span>
    <span>{name}</span><form method="post" action="/sign-out"><button>Sign out</button></form></header>"""
    return HTMLResponse(page(company.name, bar + body), headers={"X-Frame-Options": "DENY"})


def _company(request: Request, simulator: Simulator, person: Person | None) -> Company | None:
    company_id: int = request.path_params["company_id"]
    if person is None or company_id not in person.company_ids:
        return None
    return simulator.world.companies.get(company_id)


def _who(request: Request) -> tuple[Simulator, Person | None]:
    simulator: Any = request.app.state.simulator
    person_id = simulator.sessions.get(request.cookies.get(COOKIE, ""))
    return simulator, simulator.world.people.get(person_id) if person_id else None
