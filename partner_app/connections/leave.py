"""What happens to tokens at the end: revoked at Procore; and their re-encryption on rotation."""

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.models import Connection
from partner_app.connections.refresh import oauth
from partner_app.connections.vault import reseal, unseal
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company


def revoke_all(*, company_id: int) -> int:
    """How many grants Procore confirmed as revoked. The rows themselves go with the purge."""
    company_or_error(company_id)
    with tenant(company_id):
        tokens = [unseal(c.access_token) for c in Connection.objects.filter(company_id=company_id)]
    revoked = 0
    for token in tokens:
        try:
            oauth().revoke(token)
            revoked += 1
        except ProcoreError as error:
            log.warning("token.revoke_failed", company_id=company_id, code=error.code)
    return revoked


def reencrypt_all() -> dict[str, object]:
    """A row at a time under its lock, so that an interruption loses nothing."""
    done = 0
    for company_id in Company.objects.values_list("id", flat=True):
        with tenant(company_id):
            for row in Connection.objects.select_for_update().filter(company_id=company_id):
                row.access_token = reseal(row.access_token)
                if row.refresh_token:
                    row.refresh_token = reseal(row.refresh_token)
                row.save(update_fields=["access_token", "refresh_token"])
                done += 1
    return {"re_encrypted": done, "remaining": 0}
