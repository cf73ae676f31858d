"""Fresh access tokens: single flight across processes, each refresh token used once."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from integrations.procore.api.errors import GrantRefused, ServerTrouble, Unreachable
from integrations.procore.api.oauth import OAuth, TokenPair
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.vault import seal, unseal
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant

AHEAD = timedelta(minutes=5)  # before expiry, so that no call ever meets a 401


def oauth() -> OAuth:
    procore = settings.PROCORE
    return OAuth(
        procore.login_url,
        procore.client_id,
        procore.client_secret,
        procore.redirect_uri,
        procore.user_agent,
    )


def store_tokens(
    *, company_id: int, kind: ConnectionKind, remote_user_id: int, pair: TokenPair
) -> None:
    """A new grant replaces the former one of the same kind and person."""
    with tenant(company_id):
        Connection.objects.update_or_create(
            company_id=company_id,
            kind=kind,
            remote_user_id=remote_user_id,
            defaults={**_sealed(pair), "broken_at": None},
        )


def access_token(
    *, company_id: int, kind: ConnectionKind, remote_user_id: int, refused: str | None = None
) -> str:
    """The living token, refreshed ahead of expiry, or because Procore refused `refused`.

    Raises ReconnectNeeded, Unreachable, ServerTrouble.
    """
    with tenant(company_id):
        connection = _find(company_id, kind, remote_user_id)
        if connection and connection.broken_at is None:
            token = unseal(connection.access_token)
            if token != refused and connection.expires_at - AHEAD > clock.now():
                return token
    return _renew(company_id, kind, remote_user_id, refused)


def _renew(company_id: int, kind: ConnectionKind, user_id: int, refused: str | None) -> str:
    """The exception to "no network call in a transaction": the row's lock makes it single flight.

    What Procore answers is committed even when it is a refusal, so no token is tried twice.
    """
    failure: type[Exception] | None = None
    token = ""
    with tenant(company_id):
        connection = _find(company_id, kind, user_id, lock=True)
        if connection is None:
            if kind != ConnectionKind.SERVICE:
                raise ReconnectNeeded
            _lock_service(company_id)
            connection = _find(company_id, kind, user_id, lock=True)
        if connection and connection.broken_at is None:
            token = unseal(connection.access_token)
            if token != refused and connection.expires_at - AHEAD > clock.now():
                return token  # another process was quicker
        try:
            pair = _ask(kind, connection)
        except GrantRefused:
            failure = ReconnectNeeded
        except (Unreachable, ServerTrouble):
            # The refresh token is spent at Procore, whether or not the answer came.
            failure = ReconnectNeeded if kind != ConnectionKind.SERVICE else Unreachable
        else:
            token = pair.access_token
            Connection.objects.update_or_create(
                company_id=company_id,
                kind=kind,
                remote_user_id=user_id,
                defaults={
                    **_sealed(pair),
                    "broken_at": None,
                    "generation": connection.generation + 1 if connection else 1,
                },
            )
        if failure is ReconnectNeeded and connection:
            connection.broken_at = clock.now()
            connection.save(update_fields=["broken_at"])
    if failure:
        log.info("token.refresh_failed", company_id=company_id, kind=str(kind))
        raise failure
    log.info("token.refreshed", company_id=company_id, kind=str(kind))
    return token


def _ask(kind: ConnectionKind, connection: Connection | None) -> TokenPair:
    if kind == ConnectionKind.SERVICE:
        return oauth().client_credentials()
    if connection is None or connection.refresh_token is None or connection.broken_at:
        raise GrantRefused
    return oauth().refresh(unseal(connection.refresh_token))


def _find(
    company_id: int, kind: ConnectionKind, user_id: int, *, lock: bool = False
) -> Connection | None:
    rows = Connection.objects.filter(company_id=company_id, kind=kind, remote_user_id=user_id)
    return (rows.select_for_update() if lock else rows).first()


def _lock_service(company_id: int) -> None:
    """There is no row to lock yet."""
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [1, company_id % 2**31])


def _sealed(pair: TokenPair) -> dict[str, object]:
    return {
        "access_token": seal(pair.access_token),
        "refresh_token": seal(pair.refresh_token) if pair.refresh_token else None,
        "expires_at": pair.expires_at,
        "updated_at": clock.now(),
    }
