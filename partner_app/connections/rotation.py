"""Re-encryption under the first key of FIELD_ENCRYPTION_KEYS, resumable and under load."""

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.models import Connection, SignInAttempt
from partner_app.connections.vault import reseal, sealed_under_first
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company


def rotate_encryption_keys() -> dict[str, object]:
    """A row at a time under its lock: a refresh waits for it, and it for a refresh.

    What is under the first key already is left alone, so a second run goes on where one stopped.
    """
    done = 0
    for company_id in Company.objects.order_by("id").values_list("id", flat=True):
        done += _company(company_id)
    # Sign-ins under way live ten minutes; they are deleted rather than carried over.
    old = [row.pk for row in SignInAttempt.objects.all() if not _fresh(row)]
    SignInAttempt.objects.filter(pk__in=old).delete()
    record(Event.KEYS_ROTATED, actor="operator", company_id=None, re_encrypted=done)
    return {"re_encrypted": done, "remaining": remaining()}


def remaining() -> int:
    """Connections that a key other than the first still has to open."""
    count = 0
    for company_id in Company.objects.order_by("id").values_list("id", flat=True):
        with tenant(company_id):
            rows = Connection.objects.filter(company_id=company_id)
            count += sum(not _current(row) for row in rows)
    return count


def _company(company_id: int) -> int:
    with tenant(company_id):
        keys = list(
            Connection.objects.filter(company_id=company_id).values_list("kind", "remote_user_id")
        )
    done = 0
    for kind, user_id in keys:
        with tenant(company_id):
            row = (
                Connection.objects.select_for_update()
                .filter(company_id=company_id, kind=kind, remote_user_id=user_id)
                .first()
            )
            if row is None or _current(row):
                continue
            row.access_token = reseal(row.access_token)
            if row.refresh_token:
                row.refresh_token = reseal(row.refresh_token)
            row.save(update_fields=["access_token", "refresh_token"])
            done += 1
    return done


def _current(row: Connection) -> bool:
    sealed = [row.access_token, row.refresh_token]
    return all(sealed_under_first(value) for value in sealed if value)


def _fresh(row: SignInAttempt) -> bool:
    return all(sealed_under_first(value) for value in (row.verifier, row.tokens) if value)
