"""Shows records in doubt to a person, who may confirm that they were deleted in Procore."""

from collections.abc import Iterable

from django.db import transaction

from integrations.procore.resources.registry import label
from integrations.procore.sync.errors import NotMissing
from integrations.procore.sync.models import Absence, Permission, Reason
from integrations.procore.sync.schedule import make_read_due
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.tenancy.lifecycle import company_or_error


def missing_records(company_id: int) -> list[dict[str, object]]:
    """Raises CompanyUnknown."""
    company_or_error(company_id)
    rows = Absence.objects.filter(company_id=company_id).order_by("since", "id")
    return [
        {
            "id": row.id,
            "resource": row.resource,
            "project_id": row.project_id or None,
            "records": row.missing,
            "reason": row.reason,
            "permission": row.permission,
            "since": row.since,
            "asked_again_at": row.retry_at,
            "confirmed_at": row.confirmed_at,
        }
        for row in rows
    ]


def missing_in_words(company_id: int) -> list[tuple[int, str]]:
    """Those that nobody has confirmed yet, by their ids."""
    rows = Absence.objects.filter(company_id=company_id, confirmed_at=None)
    return [(row.id, _in_words(row)) for row in rows.order_by("since", "id")]


@transaction.atomic
def confirm_deletion(*, company_id: int, ids: Iterable[int], actor: str) -> int:
    """The records are deleted the next time their lists are read. Raises NotMissing."""
    wanted = set(ids)
    rows = Absence.objects.select_for_update().filter(company_id=company_id, id__in=wanted)
    found = list(rows.order_by("id"))
    if len(found) != len(wanted):
        raise NotMissing
    for row in found:
        row.confirmed_at, row.confirmed_by = clock.now(), actor
        row.save(update_fields=["confirmed_at", "confirmed_by"])
        record(
            Event.DELETION_CONFIRMED,
            actor=actor,
            company_id=company_id,
            subject=f"{row.resource}:{row.project_id}",
            records=row.missing,
        )
        place = 0 if row.resource == "projects" else row.project_id
        make_read_due(company_id=company_id, resource=row.resource, project_id=place)
    return len(found)


def _in_words(row: Absence) -> str:
    where = f" of project {row.project_id}" if row.project_id else ""
    what = "Everything" if row.resource == "projects" else label(row.resource)
    return (
        f"{what}{where}: {row.missing:,} records since {row.since:%d %b %Y %H:%M} UTC. "
        f"{Reason(row.reason).label}; the service account’s access to the tool: "
        f"{Permission(row.permission).label}."
    )
