"""Tokens: issued, refreshed, revoked, described. On the login origin and on the API's."""

import base64
import binascii

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.rest.wire import answer
from simulator.state import Simulator
from simulator.tokens import TOKEN_LIFETIME, Grant


async def token(request: Request) -> Response:
    simulator = _simulator(request)
    form = await request.form()
    grant_type = form.get("grant_type")
    if _client(request, form) != (simulator.client_id, simulator.client_secret):
        return _oauth_error("invalid_client", "Client authentication failed")
    grant: Grant | None
    if grant_type == "client_credentials":
        grant = simulator.tokens.issue(None)
    elif grant_type == "authorization_code":
        grant = simulator.tokens.redeem_code(
            str(form.get("code")),
            str(form.get("redirect_uri")),
            str(form["code_verifier"]) if "code_verifier" in form else None,
        )
    elif grant_type == "refresh_token":
        refresh = str(form.get("refresh_token"))
        if refresh in simulator.tokens.spent_refresh:
            simulator.violation("reused_refresh_token", "POST", "/oauth/token")
        grant = simulator.tokens.rotate(refresh)
    else:
        return _oauth_error("unsupported_grant_type", "The grant type is not supported", 400)
    if grant is None:
        return _oauth_error("invalid_grant", "The grant is invalid, expired or revoked")
    body = {
        "access_token": grant.access_token,
        "token_type": "bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
        "created_at": int(grant.created_at.timestamp()),
    }
    if grant.refresh_token:
        body["refresh_token"] = grant.refresh_token
    return answer(body, headers={"Cache-Control": "no-store"})


async def revoke(request: Request) -> Response:
    """Always 200 for any caller; only the app itself can revoke anything."""
    simulator = _simulator(request)
    form = await request.form()
    if _client(request, form) == (simulator.client_id, simulator.client_secret):
        simulator.tokens.revoke(str(form.get("token")))
    return answer({})


async def token_info(request: Request) -> Response:
    simulator = _simulator(request)
    bearer = request.headers.get("authorization", "").partition(" ")[2]
    grant = simulator.tokens.living(bearer)
    if grant is None:
        return _oauth_error("invalid_token", "The access token is invalid")
    left = grant.expires_at - simulator.clock.now()
    return answer(
        {
            "resource_owner_id": grant.person_id,
            "scopes": [],
            "expires_in_seconds": int(left.total_seconds()),
            "application": {"uid": simulator.client_id},
            "created_at": int(grant.created_at.timestamp()),
        }
    )


def _client(request: Request, form: FormData) -> tuple[str, str]:
    """The app's credentials: form fields as documented, or OAuth's HTTP Basic."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return name, secret
    return str(form.get("client_id")), str(form.get("client_secret"))


def _oauth_error(error: str, description: str, status: int = 401) -> Response:
    return answer({"error": error, "error_description": description}, status)


def _simulator(request: Request) -> Simulator:
    simulator: Simulator = request.app.state.simulator
    return simulator


routes = [
    Route("/oauth/token", token, methods=["POST"]),
    Route("/oauth/revoke", revoke, methods=["POST"]),
    Route("/oauth/token/info", token_info),
]
