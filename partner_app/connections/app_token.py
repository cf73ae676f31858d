"""The app's own token: stored sealed, shared by all companies, renewed by one process at a time."""

from datetime import timedelta

from django.db import transaction

from integrations.procore.api.errors import ProcoreError, ServerTrouble, Unreachable
from integrations.procore.api.oauth import TokenPair
from partner_app.connections.login import SharedBar, oauth
from partner_app.connections.models import AppToken
from partner_app.connections.replaced import note_current, note_refused, was_refused
from partner_app.connections.vault import seal, unseal
from partner_app.core import clock
from partner_app.core.logging import log

FLAG = "tieback:token:app"
AHEAD = timedelta(minutes=5)  # before expiry, so that no call ever meets a 401
AT_LEAST = timedelta(seconds=30)  # remaining lifetime that is used while the login host is paused
ATTEMPTS = 3  # a repeated request is harmless: there is no refresh token
BACKOFF = 0.1  # seconds; doubles


def app_token(refused: str | None = None) -> str:
    """The current token, renewed before expiry, or because Procore refused `refused`.

    Raises GrantRefused, RateLimited, Unreachable, ServerTrouble.
    """
    if refused:
        note_refused(FLAG, refused)
    row = AppToken.objects.first()
    ahead = AT_LEAST if SharedBar().until() else AHEAD
    token = _living(row, refused, ahead)
    if token and was_refused(FLAG, token):
        refused, token = token, ""
    return token or _renew(refused)


def new_app_token() -> str:
    """Always requests a new one: to prove that Procore accepts our credentials."""
    row = AppToken.objects.first()
    return _renew(unseal(row.access_token) if row and row.access_token else "", attempts=1)


def _renew(refused: str | None, *, attempts: int = ATTEMPTS) -> str:
    """The exception to "no network call in a transaction": only one process at a time may renew.

    A process that waited while another one failed does not request a token itself.
    """
    began = clock.now()
    error: ProcoreError | None = None
    with transaction.atomic():
        AppToken.objects.get_or_create(
            id=1, defaults={"access_token": b"", "expires_at": began, "updated_at": began}
        )
        row = AppToken.objects.select_for_update().get(id=1)
        token = _living(row, refused, AHEAD)
        if token:
            return token  # another process was quicker
        if row.failed_at and row.failed_at > began:
            raise Unreachable
        try:
            pair = _ask(attempts)
        except ProcoreError as caught:
            error, row.failed_at = caught, clock.now()
        else:
            token = pair.access_token
            row.access_token, row.expires_at = seal(token), pair.expires_at
            row.generation, row.failed_at = row.generation + 1, None
        row.updated_at = clock.now()
        row.save()
    if error:
        raise error
    note_current(FLAG, token)
    log.info("token.refreshed", kind="app")
    return token


def _ask(attempts: int) -> TokenPair:
    """Repeats the request when the response is lost, unless Procore said when to retry."""
    for attempt in range(1, attempts):
        try:
            return oauth().client_credentials()
        except Unreachable:
            pass
        except ServerTrouble as error:
            if error.until:
                raise
        clock.pause(BACKOFF * 2**attempt)
    return oauth().client_credentials()


def _living(row: AppToken | None, refused: str | None, ahead: timedelta) -> str:
    """Empty when there is none, or none that lasts long enough."""
    if row is None or not row.access_token or row.expires_at - ahead < clock.now():
        return ""
    token = unseal(row.access_token)
    return token if token != refused else ""
