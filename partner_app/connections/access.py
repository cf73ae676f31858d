"""A ready Procore client for a company: with the app's own credential, or with a viewer's."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from django.conf import settings
from django.db import connection

from integrations.procore.api.client import Bearer, ProcoreClient
from integrations.procore.api.errors import NotConnected
from integrations.procore.api.oauth import TokenPair
from integrations.procore.api.values import names_by_id
from partner_app.connections.app_token import FLAG, app_token
from partner_app.connections.companies import COMPANIES, CompanyLists
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.purposes import CallPurpose
from partner_app.connections.rates import SharedRate
from partner_app.connections.refresh import Key, access_token
from partner_app.connections.replaced import was_refused, was_replaced
from partner_app.tenancy.context import tenant

KEPT = 30.0  # seconds


class SharedBearer(Bearer, Protocol):
    """Shares its token with all processes; `flag` names what they learn from each other."""

    @property
    def flag(self) -> str: ...


@dataclass(frozen=True)
class StoredBearer:
    company_id: int
    kind: ConnectionKind
    remote_user_id: int

    @property
    def flag(self) -> str:
        return Key(self.company_id, self.kind, self.remote_user_id).flag

    def token(self) -> str:
        return self._ask(None)

    def renew(self, refused: str) -> str:
        return self._ask(refused)

    def _ask(self, refused: str | None) -> str:
        return access_token(
            company_id=self.company_id,
            kind=self.kind,
            remote_user_id=self.remote_user_id,
            refused=refused,
        )


@dataclass(frozen=True)
class AppBearer:
    """The app itself, without a company yet."""

    flag: str = FLAG

    def token(self) -> str:
        return app_token()

    def renew(self, refused: str) -> str:
        return app_token(refused)


@dataclass(frozen=True)
class FixedBearer:
    """One access token that cannot be renewed: for a sign-in in progress, or for a few calls."""

    access_token: str

    def token(self) -> str:
        return self.access_token

    def renew(self, refused: str) -> str:
        raise ReconnectNeeded


class KeptBearer:
    """Keeps the token in memory for many calls from many threads; reloads it every half minute.

    The stored bearer refreshes minutes before expiry, so half a minute is never too late. When
    another process has met a refusal or has a new token, this one learns it within a moment.
    """

    def __init__(self, stored: SharedBearer) -> None:
        self.stored, self.lock = stored, threading.Lock()
        self.value, self.asked_at = "", 0.0

    def token(self) -> str:
        with self.lock:
            old = time.monotonic() - self.asked_at > KEPT
            if not self.value or old or was_replaced(self.stored.flag, self.value):
                self._keep(self.stored.token)
            elif was_refused(self.stored.flag, self.value):
                self._keep(partial(self.stored.renew, self.value))
            return self.value

    def renew(self, refused: str) -> str:
        with self.lock:
            if self.value == refused:
                self._keep(partial(self.stored.renew, refused))
            return self.value

    def _keep(self, ask: Callable[[], str]) -> None:
        try:
            self.value, self.asked_at = ask(), time.monotonic()
        finally:
            if threading.current_thread() is not threading.main_thread():
                connection.close()  # the fetching thread's own


def app_client(company_id: int, purpose: CallPurpose = CallPurpose.PEOPLE) -> ProcoreClient:
    """As the service account where the company has it, else as the administrator who connected."""
    return _client(company_id, *_app_credential(company_id), purpose)


def _app_credential(company_id: int) -> tuple[ConnectionKind, int]:
    with tenant(company_id):
        kinds = {
            (c.kind, c.remote_user_id)
            for c in Connection.objects.filter(company_id=company_id, broken_at=None)
        }
    installers = [user for kind, user in kinds if kind == ConnectionKind.INSTALLER]
    if (ConnectionKind.SERVICE, 0) in kinds:
        return ConnectionKind.SERVICE, 0
    if installers:
        return ConnectionKind.INSTALLER, installers[0]
    # The person who connected has lost the right; a service account installed since can continue.
    if service_listed(company_id):
        return ConnectionKind.SERVICE, 0
    raise ReconnectNeeded


def serves_a_person(company_id: int) -> bool:
    """Inside tenant(): whether app_client() acts for an administrator who connected."""
    living = Connection.objects.filter(company_id=company_id, broken_at=None)
    kinds = set(living.values_list("kind", flat=True))
    return ConnectionKind.INSTALLER in kinds and ConnectionKind.SERVICE not in kinds


def service_listed(company_id: int) -> bool:
    """Whether the service account is installed at the company. Raises ProcoreError."""
    return bool(company_lists().has(company_id))


def companyless_client() -> ProcoreClient:
    """As the service account, without a company: only for the list of companies."""
    return _build(AppBearer(), None, "service:0", CallPurpose.DISCOVERY)


def company_lists() -> CompanyLists:
    """For the companies where the service account is installed. Raises ProcoreError."""

    def ask(company_id: int | None) -> dict[int, str]:
        client = _build(AppBearer(), company_id, "service:0", CallPurpose.DISCOVERY)
        return names_by_id(client.rows(COMPANIES, {}))

    return CompanyLists(ask).begin()


def still_connected(company_id: int) -> bool:
    """After "not connected": calls once more with the same credential, for the company itself.

    Raises ProcoreError where there is no response.
    """
    try:
        app_client(company_id).get(COMPANIES)
    except NotConnected:
        return False
    return True


def service_client(company_id: int) -> ProcoreClient:
    """As the service account; the first call creates its connection."""
    return _client(company_id, ConnectionKind.SERVICE, 0, CallPurpose.DISCOVERY)


def viewer_client(
    company_id: int, remote_user_id: int, purpose: CallPurpose = CallPurpose.PEOPLE
) -> ProcoreClient:
    """With the viewer's own token: Procore itself decides what they may see.

    An administrator who connected without a service account has one grant for both.
    """
    with tenant(company_id):
        own = Connection.objects.filter(company_id=company_id, remote_user_id=remote_user_id)
        kinds = set(own.values_list("kind", flat=True))
    kind = ConnectionKind.VIEWER if ConnectionKind.VIEWER in kinds else ConnectionKind.INSTALLER
    return _client(company_id, kind, remote_user_id, purpose)


def fresh_client(pair: TokenPair, *, company_id: int | None, who: str) -> ProcoreClient:
    return _build(FixedBearer(pair.access_token), company_id, who, CallPurpose.PEOPLE)


def in_threads(client: ProcoreClient) -> ProcoreClient:
    """With the token in memory, for threads without their own database connection."""
    if isinstance(client.bearer, StoredBearer):
        client = replace(client, bearer=KeptBearer(client.bearer))
    client.bearer.token()
    return client


def _client(
    company_id: int, kind: ConnectionKind, remote_user_id: int, purpose: CallPurpose
) -> ProcoreClient:
    stored = StoredBearer(company_id, kind, remote_user_id)
    bearer = KeptBearer(stored) if purpose.batch > 1 else stored
    return _build(bearer, company_id, f"{kind}:{remote_user_id}", purpose)


def _build(bearer: Bearer, company_id: int | None, who: str, purpose: CallPurpose) -> ProcoreClient:
    return ProcoreClient(
        settings.PROCORE.api_url,
        settings.PROCORE.user_agent,
        bearer,
        company_id,
        SharedRate(company_id, purpose, who),
    )
