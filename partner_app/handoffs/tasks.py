"""Celery's doorbells for pushes and undos: ids only, harmless twice."""

from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from partner_app.core.logging import log
from partner_app.handoffs.models import HandoffWork
from partner_app.handoffs.work import claim_due, run


@shared_task
def wake_handoffs() -> None:
    """Finds what nobody rang for, and what has to go on after a wait or a death."""
    for work_id in claim_due():
        carry_out_handoff.delay(work_id)


@shared_task
def carry_out_handoff(work_id: int) -> None:
    run(work_id)


def enqueue(handoff_id: UUID) -> None:
    """Without a broker nobody hears it; the next look finds the work in Postgres."""
    work = HandoffWork.objects.filter(handoff_id=handoff_id).first()
    if work is None:
        return
    try:
        carry_out_handoff.apply_async((work.id,), retry=False)
    except OperationalError:
        log.warning("enqueue.failed", company_id=work.company_id)
