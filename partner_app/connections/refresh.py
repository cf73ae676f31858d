"""Fresh access tokens: one refresh at a time across processes, each refresh token used once.

A service account uses the app's own token, which has no refresh token: see app_token.

A refresh token becomes invalid when Procore sees it, whether or not the response arrives. So its
use is announced in a transaction of its own before the call. An announcement without a result shows
that the token is spent: the connection is broken and never tried again.
"""

import time
import uuid
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from integrations.procore.api.errors import (
    GrantRefused,
    NotSent,
    RateLimited,
    ServerTrouble,
    Unreachable,
)
from integrations.procore.api.oauth import TokenPair
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections import app_token
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.login import SharedBar, oauth
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.replaced import note_current, note_refused, was_refused
from partner_app.connections.vault import seal, unseal
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.access import end_access
from partner_app.tenancy.context import tenant

AHEAD = timedelta(minutes=5)  # before expiry, so that no call ever meets a 401
AT_LEAST = timedelta(seconds=30)  # remaining lifetime that is used while the login host is paused
JITTER = timedelta(minutes=5)  # spread over this span, so that connections do not renew together
GAP = timedelta(seconds=5)  # between an announcement and its lock; then the process has died
PAUSE = 0.05  # seconds


@dataclass(frozen=True)
class Key:
    """One credential of one company."""

    company_id: int
    kind: ConnectionKind
    remote_user_id: int

    @property
    def where(self) -> dict[str, Any]:
        return {
            "company_id": self.company_id,
            "kind": self.kind,
            "remote_user_id": self.remote_user_id,
        }

    @property
    def flag(self) -> str:
        """The flag by which all processes learn that the token was refused or replaced."""
        if self.kind == ConnectionKind.SERVICE:
            return app_token.FLAG
        return f"tieback:token:{self.company_id}:{self.kind}:{self.remote_user_id}"

    @property
    def ahead(self) -> timedelta:
        """The same for one connection in every process."""
        share = zlib.crc32(f"{self.company_id}:{self.kind}:{self.remote_user_id}".encode()) % 1000
        return AHEAD + JITTER * share / 1000


def store_tokens(
    *, company_id: int, kind: ConnectionKind, remote_user_id: int, pair: TokenPair
) -> None:
    """A new grant replaces the former one of the same kind and person, and clears its faults."""
    key = Key(company_id, kind, remote_user_id)
    with tenant(company_id):
        Connection.objects.update_or_create(**key.where, defaults=_fresh(pair))
    note_current(key.flag, pair.access_token)


def access_token(
    *, company_id: int, kind: ConnectionKind, remote_user_id: int, refused: str | None = None
) -> str:
    """The current token, refreshed before expiry, or because Procore refused `refused`.

    Raises ReconnectNeeded, RateLimited, Unreachable, ServerTrouble.
    """
    key = Key(company_id, kind, remote_user_id)
    if kind == ConnectionKind.SERVICE:
        return _of_service_account(key, refused)
    if refused:
        note_refused(key.flag, refused)
    barred = SharedBar().until()
    with tenant(company_id):
        token = _living(_find(key), refused, AT_LEAST if barred else key.ahead)
    if token and was_refused(key.flag, token):
        refused, token = token, ""
    return token or _refresh(key, refused)


def _of_service_account(key: Key, refused: str | None) -> str:
    """The first call for a company creates its connection."""
    try:
        token = app_token.app_token(refused)
    except GrantRefused:
        raise ReconnectNeeded from None
    with tenant(key.company_id):
        now = clock.now()
        Connection.objects.get_or_create(
            **key.where, defaults={"access_token": b"", "expires_at": now, "updated_at": now}
        )
    return token


def _refresh(key: Key, refused: str | None) -> str:
    """Announces the use of the refresh token, then uses it, each under the row's lock."""
    mine = uuid.uuid4()
    while True:
        with tenant(key.company_id):
            connection = _find(key, lock=True)
            token = _living(connection, refused, key.ahead)
            if token:
                return token  # another process was quicker
            if connection is None or connection.broken_at or connection.refresh_token is None:
                raise ReconnectNeeded
            if connection.spent_at is None:
                connection.spent_at, connection.spent_by = clock.now(), mine
                connection.save(update_fields=["spent_at", "spent_by"])
                break
            lost = clock.now() - connection.spent_at > GAP
            if lost:
                _break(connection, "access.answer_lost")
        if lost:
            raise ReconnectNeeded
        time.sleep(PAUSE)  # noqa: TID251  # it is about to hold the lock that we then wait for
    return _use(key, mine)


def _use(key: Key, mine: uuid.UUID) -> str:
    """The exception to "no network call in a transaction": only one process at a time may refresh.

    Procore's response is committed even when it is a refusal.
    """
    failure = token = ""
    unsent: NotSent | None = None
    with tenant(key.company_id):
        connection = _find(key, lock=True)
        if connection is None or connection.refresh_token is None:
            raise ReconnectNeeded
        if connection.spent_by != mine or connection.broken_at:
            raise ReconnectNeeded  # a new sign-in replaced it, or this process was believed dead
        try:
            pair = oauth().refresh(unseal(connection.refresh_token))
        except GrantRefused as error:
            failure = error.code
        except NotSent as error:
            unsent, connection.spent_at, connection.spent_by = error, None, None
            connection.save(update_fields=["spent_at", "spent_by"])
        except (Unreachable, ServerTrouble, RateLimited):
            failure = "access.answer_lost"
        else:
            token = pair.access_token
            for name, value in _fresh(pair).items():
                setattr(connection, name, value)
            connection.generation += 1
            connection.save()
        if failure:
            _break(connection, failure)
    if unsent:
        raise unsent
    if failure:
        raise ReconnectNeeded
    note_current(key.flag, token)
    log.info("token.refreshed", company_id=key.company_id, kind=str(key.kind))
    return token


def _living(connection: Connection | None, refused: str | None, ahead: timedelta) -> str:
    """Empty when there is none, or none that lasts long enough."""
    if connection is None or connection.broken_at:
        return ""
    token = unseal(connection.access_token)
    lasts = connection.expires_at - ahead > clock.now()
    return token if lasts and token != refused else ""


def _break(connection: Connection, reason: str) -> None:
    """From here only a person, or client credentials, can help.

    The person who gave the grant has to sign in again: their sessions here end with it.
    """
    end_access(company_id=connection.company_id, remote_user_id=connection.remote_user_id)
    connection.broken_at, connection.last_error = clock.now(), reason
    connection.save(update_fields=["broken_at", "last_error"])
    record(
        Event.CONNECTION_BROKEN,
        actor="system",
        company_id=connection.company_id,
        subject=f"{connection.kind}:{connection.remote_user_id}",
        reason=reason,
    )


def _find(key: Key, *, lock: bool = False) -> Connection | None:
    rows = Connection.objects.filter(**key.where)
    return (rows.select_for_update() if lock else rows).first()


def _fresh(pair: TokenPair) -> dict[str, object]:
    """All fields of a connection that a new pair sets, and the faults it clears."""
    return {
        "access_token": seal(pair.access_token),
        "refresh_token": seal(pair.refresh_token) if pair.refresh_token else None,
        "expires_at": pair.expires_at,
        "spent_at": None,
        "spent_by": None,
        "broken_at": None,
        "last_error": "",
        "updated_at": clock.now(),
    }
