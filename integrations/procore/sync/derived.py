"""Work derived from a sync: a fault in it opens an incident and never fails the sync.

Metrics, exceptions, search words and summaries follow from the mirror and can be computed again at
any time. So none of them may undo, stop or fail what was written before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import Error as DatabaseFault
from django.db.models import QuerySet

from integrations.procore.sync.models import Incident, SyncRun
from integrations.procore.sync.signals import run_ended
from partner_app.core import clock
from partner_app.core.logging import log

CODE_BEGINS = "derived."
REMEDY = (
    "The synced records are complete, and this is retried automatically. If it stays open for more "
    "than a day, report it with this incident."
)


@dataclass(frozen=True)
class DerivedWork:
    """`resource` takes the place of the resource in a sync's incident; `message` has a {cause}."""

    resource: str
    code: str
    message: str
    remedy: str = REMEDY


MARKING = DerivedWork(
    "figures", "derived.not_marked",
    "Changed projects could not be queued for new figures ({cause}).",
)  # fmt: skip
AFTER_SYNC = DerivedWork(
    "sync", "derived.after_sync",
    "A step that follows each sync failed ({cause}).",
)  # fmt: skip
CONCLUSION = DerivedWork(
    "sync", "derived.conclusion",
    "Incidents and health of the company could not be updated after a sync ({cause}).",
)  # fmt: skip


@contextmanager
def apart(work: DerivedWork, company_id: int) -> Iterator[None]:
    """Turns a fault inside into an open incident; without a fault the incident closes."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever it is, the work before it is done
        report_fault(work, company_id, error)
    else:
        close_incident(work, company_id)


def follow_up(company_id: int) -> None:
    """After a run: calls every receiver of `run_ended`, whether or not the others fail."""
    answers = run_ended.send_robust(SyncRun, company_id=company_id)
    faults = [answer for _, answer in answers if isinstance(answer, Exception)]
    with apart(AFTER_SYNC, company_id):
        for fault in faults:
            raise fault


def report_fault(
    work: DerivedWork, company_id: int, error: Exception, *, projects: int = 0
) -> None:
    """Opens the incident, or renews it. Where even that fails, the fault is in the log."""
    cause = cause_of(error)
    log.error("derived.failed", company_id=company_id, code=work.code, exc_info=error)
    now = clock.now()
    facts = {
        "message": work.message.format(cause=cause),
        "remedy": work.remedy,
        "projects": projects,
        "seen_at": now,
    }
    try:
        Incident.objects.update_or_create(
            company_id=company_id, resource=work.resource, code=work.code, closed_at=None,
            defaults=facts, create_defaults={**facts, "opened_at": now},
        )  # fmt: skip
    except DatabaseFault:
        log.exception("incident.not_opened", company_id=company_id, code=work.code)


def close_incident(work: DerivedWork, company_id: int) -> None:
    open_now(work, company_id).update(closed_at=clock.now())


def is_open(work: DerivedWork, company_id: int) -> bool:
    return open_now(work, company_id).exists()


def open_now(work: DerivedWork, company_id: int) -> QuerySet[Incident]:
    return Incident.objects.filter(
        company_id=company_id, resource=work.resource, code=work.code, closed_at=None
    )


def warnings_of(company_id: int) -> list[dict[str, object]]:
    """Derived work that failed for the company, for a command's output."""
    found = Incident.objects.filter(
        company_id=company_id, code__startswith=CODE_BEGINS, closed_at=None
    )
    rows = found.order_by("code").values("code", "message", "remedy", "projects")
    return [dict(row) for row in rows]


def cause_of(error: Exception) -> str:
    """The kind of fault; never its text, which may quote a customer's record."""
    return type(error.__cause__ or error).__name__
