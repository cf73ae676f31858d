"""A ready client for whoever names a company: the app's own, or a viewer's."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core.cache import cache

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.oauth import TokenPair
from integrations.procore.api.rate import Standing
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.refresh import access_token
from partner_app.tenancy.context import tenant

HOUR = 3600  # seconds; the longest of Procore's windows


@dataclass(frozen=True)
class StoredBearer:
    company_id: int
    kind: ConnectionKind
    remote_user_id: int

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
class FreshBearer:
    """Tokens of a sign-in under way, not stored yet."""

    pair: TokenPair

    def token(self) -> str:
        return self.pair.access_token

    def renew(self, refused: str) -> str:
        raise ReconnectNeeded


@dataclass(frozen=True)
class SharedRate:
    """In Redis, so that all processes know what is left. Without Redis each call learns anew."""

    key: str

    def read(self) -> Standing | None:
        stored: tuple[int, float] | None = cache.get(self.key)
        return Standing(stored[0], datetime.fromtimestamp(stored[1], UTC)) if stored else None

    def write(self, standing: Standing) -> None:
        cache.set(self.key, (standing.remaining, standing.reset_at.timestamp()), HOUR)


def app_client(company_id: int) -> ProcoreClient:
    """As the service account where the company has it, else as the administrator who connected."""
    with tenant(company_id):
        kinds = {
            (c.kind, c.remote_user_id)
            for c in Connection.objects.filter(company_id=company_id, broken_at=None)
        }
    installers = [user for kind, user in kinds if kind == ConnectionKind.INSTALLER]
    if (ConnectionKind.SERVICE, 0) in kinds:
        return _client(company_id, ConnectionKind.SERVICE, 0)
    if installers:
        return _client(company_id, ConnectionKind.INSTALLER, installers[0])
    raise ReconnectNeeded


def service_client(company_id: int) -> ProcoreClient:
    """As the service account; the first call makes its connection."""
    return _client(company_id, ConnectionKind.SERVICE, 0)


def viewer_client(company_id: int, remote_user_id: int) -> ProcoreClient:
    """With the viewer's own token: Procore itself decides what they may see.

    An administrator who connected without a service account has that one grant for both.
    """
    with tenant(company_id):
        own = Connection.objects.filter(company_id=company_id, remote_user_id=remote_user_id)
        kinds = set(own.values_list("kind", flat=True))
    kind = ConnectionKind.VIEWER if ConnectionKind.VIEWER in kinds else ConnectionKind.INSTALLER
    return _client(company_id, kind, remote_user_id)


def fresh_client(pair: TokenPair, *, company_id: int | None, who: str) -> ProcoreClient:
    return _build(FreshBearer(pair), company_id, who)


def _client(company_id: int, kind: ConnectionKind, remote_user_id: int) -> ProcoreClient:
    bearer = StoredBearer(company_id, kind, remote_user_id)
    return _build(bearer, company_id, f"{kind}:{remote_user_id}")


def _build(bearer: StoredBearer | FreshBearer, company_id: int | None, who: str) -> ProcoreClient:
    return ProcoreClient(
        settings.PROCORE.api_url,
        settings.PROCORE.user_agent,
        bearer,
        company_id,
        SharedRate(f"rate:{who}:{company_id}"),
    )
