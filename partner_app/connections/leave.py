"""When a company leaves: calls end, tokens are revoked, data is deleted after the grace period."""

from django.conf import settings

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.login import oauth
from partner_app.connections.models import Connection, ConnectionKind, GrantedRights
from partner_app.connections.vault import unseal
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error, note_closed_down
from partner_app.tenancy.models import Company, CompanyState
from partner_app.tenancy.purge import due_for_purge, purge_company


def close_down(*, company_id: int) -> None:
    """After an uninstall: revokes and deletes the tokens it can; then the grace period begins.

    What the service account was granted is deleted too: a reinstall creates a new account. May be
    repeated after an interruption.
    """
    revoke_all(company_id=company_id)
    with tenant(company_id):
        Connection.objects.filter(company_id=company_id).delete()
        GrantedRights.objects.filter(company_id=company_id).delete()
    note_closed_down(company_id=company_id)


def close_down_all() -> None:
    """Companies that left and are not closed down completely: a few per pass."""
    left = Company.objects.filter(state=CompanyState.DISCONNECTED).order_by("state_since", "id")
    few = left.values_list("id", flat=True)[: settings.DOUBT.close_at_most]
    for company_id in list(few):
        close_down(company_id=company_id)


def finish_leaving(company_id: int) -> None:
    """Before a return is recorded: a company that comes back starts without its former grants."""
    if Company.objects.filter(id=company_id, state=CompanyState.DISCONNECTED).exists():
        close_down(company_id=company_id)


def purge_due() -> list[int]:
    """Revokes tokens and deletes data of every company whose grace period has ended."""
    purged = due_for_purge()
    for company_id in purged:
        purge_now(company_id=company_id, actor="system")
    return purged


def purge_now(*, company_id: int, actor: str = "operator") -> dict[str, object]:
    revoked = revoke_all(company_id=company_id)
    return {**purge_company(company_id=company_id, actor=actor), "revoked": revoked}


def revoke_all(*, company_id: int) -> int:
    """Revokes all grants; the number that Procore confirmed.

    The service account's token is shared by all companies of the app: it can only expire.
    """
    company_or_error(company_id)
    with tenant(company_id):
        rows = Connection.objects.filter(company_id=company_id, broken_at=None)
        tokens = [unseal(c.access_token) for c in rows.exclude(kind=ConnectionKind.SERVICE)]
    revoked = 0
    for token in tokens:
        try:
            oauth().revoke(token)
            revoked += 1
        except ProcoreError as error:
            log.warning("token.revoke_failed", company_id=company_id, code=error.code)
    return revoked
