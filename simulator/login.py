"""The login origin: sign-in and consent, which are never framed; and the token endpoints."""

import secrets
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from simulator.pages import page
from simulator.rest import oauth
from simulator.rest.app import Trouble
from simulator.state import Simulator
from simulator.world import Person

COOKIE = "standin_session"
UNFRAMED = {"X-Frame-Options": "DENY", "Cache-Control": "no-store"}


def login_app(simulator: Simulator) -> ASGIApp:
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/sessions", sign_in, methods=["GET", "POST"]),
            Route("/oauth/authorize", authorize),
            Route("/oauth/decision", decide, methods=["POST"]),
            *oauth.routes,
        ]
    )
    app.state.simulator = simulator
    return Trouble(app, simulator, "login")


async def home(request: Request) -> Response:
    return RedirectResponse(_simulator(request).origins.frame)


async def sign_in(request: Request) -> Response:
    """Lists the people to sign in as; a POST opens a session and redirects to `then`."""
    simulator = _simulator(request)
    if request.method == "POST":
        form = await request.form()
        person = simulator.world.people.get(int(str(form.get("person", "0"))))
        if person is None:
            return _plain("Nobody has that name", "Go back and choose again.", 400)
        session = secrets.token_urlsafe(24)
        simulator.sessions[session] = person.id
        response = _onward(simulator, str(form.get("then", "")), person)
        response.set_cookie(COOKIE, session, httponly=True, samesite="lax", path="/")
        return response
    return _people(simulator, request.query_params.get("then", simulator.origins.frame))


def _onward(simulator: Simulator, then: str, person: Person) -> Response:
    """Redirects only to our own two origins. The frame gets the person by a one-time ticket."""
    if then.startswith(simulator.origins.login + "/"):
        return RedirectResponse(then, 303)
    ticket = secrets.token_urlsafe(24)
    simulator.tickets[ticket] = person.id
    frame = urlsplit(simulator.origins.frame)
    path = then.removeprefix(simulator.origins.frame) or "/"
    query = urlencode({"ticket": ticket, "then": path})
    return RedirectResponse(f"{frame.scheme}://{frame.netloc}/session?{query}", 303)


async def authorize(request: Request) -> Response:
    simulator = _simulator(request)
    query = request.query_params
    if query.get("client_id") != simulator.client_id:
        return _plain("Unknown application", "The client id is not registered here.", 401)
    if query.get("redirect_uri") not in simulator.redirect_uris:
        return _plain("Redirect address refused", "It is not one of the registered ones.", 400)
    if query.get("response_type") != "code":
        return _back(query["redirect_uri"], query.get("state"), error="unsupported_response_type")
    person = _signed_in(request)
    if person is None:
        return _people(
            simulator, simulator.origins.login + str(request.url).removeprefix(_base(request))
        )
    if person.id in simulator.consents:
        return _grant(simulator, person, dict(query))
    hidden = "".join(
        f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in query.items()
    )
    body = f"""<main class="card"><h1>Allow Tieback to work for you?</h1>
    <p>Signed in as <strong>{escape(person.name)}</strong>. The app will act with your rights.</p>
    <form method="post" action="/oauth/decision">{hidden}
    <button class="primary" name="decision" value="allow">Allow</button>
    <button name="decision" value="deny">Don’t allow</button></form></main>"""
    return HTMLResponse(page("Allow access", body), headers=UNFRAMED)


async def decide(request: Request) -> Response:
    simulator = _simulator(request)
    form = {key: str(value) for key, value in (await request.form()).items()}
    person = _signed_in(request)
    if person is None or form.get("redirect_uri") not in simulator.redirect_uris:
        return _plain("Please start again", "The request cannot be completed.", 400)
    if form.get("decision") != "allow":
        return _back(form["redirect_uri"], form.get("state"), error="access_denied")
    simulator.consents.add(person.id)
    return _grant(simulator, person, form)


def _grant(simulator: Simulator, person: Person, query: dict[str, str]) -> Response:
    challenge = (
        query.get("code_challenge") if query.get("code_challenge_method") == "S256" else None
    )
    code = simulator.tokens.issue_code(person.id, query["redirect_uri"], challenge)
    return _back(query["redirect_uri"], query.get("state"), code=code.value)


def _back(redirect_uri: str, state: str | None, **values: str) -> Response:
    if state is not None:
        values["state"] = state
    return RedirectResponse(f"{redirect_uri}?{urlencode(values)}", 303, headers=UNFRAMED)


def _people(simulator: Simulator, then: str) -> Response:
    world = simulator.world
    rows = []
    for person in world.people.values():
        company = world.companies[next(iter(person.company_ids))].name
        rows.append(
            f'<li><button name="person" value="{person.id}">{escape(person.name)}</button> '
            f'<span class="soft">{escape(company)} · {escape(person.login)}</span></li>'
        )
    body = f"""<main class="card"><h1>Sign in to the Procore stand-in</h1>
    <p class="soft">No password: choose who you are. The Field Engineer has no access to budgets.</p>
    <form method="post" action="/sessions"><input type="hidden" name="then" value="{escape(then)}">
    <ul class="plain">{"".join(rows)}</ul></form></main>"""
    return HTMLResponse(page("Sign in", body), headers=UNFRAMED)


def _signed_in(request: Request) -> Person | None:
    simulator = _simulator(request)
    person_id = simulator.sessions.get(request.cookies.get(COOKIE, ""))
    return simulator.world.people.get(person_id) if person_id else None


def _plain(title: str, text: str, status: int) -> Response:
    body = f'<main class="card"><h1>{escape(title)}</h1><p>{escape(text)}</p></main>'
    return HTMLResponse(page(title, body), status, headers=UNFRAMED)


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _simulator(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator
