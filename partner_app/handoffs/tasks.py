"""Celery tasks for pushes and undos: wake-up messages with ids only, harmless twice."""

from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from partner_app.core.logging import log
from partner_app.handoffs.models import HandoffWork
from partner_app.handoffs.work import claim_due, run


@shared_task
def wake_handoffs() -> None:
    """Finds work whose message was lost, and what must continue after a pause or a crash."""
    for work_id in claim_due():
        carry_out_handoff.delay(work_id)


@shared_task
def carry_out_handoff(work_id: int) -> None:
    run(work_id)


def enqueue(handoff_id: UUID) -> None:
    """Without a broker the message is lost; the next poll finds the work in Postgres."""
    work = HandoffWork.objects.filter(handoff_id=handoff_id).first()
    if work is None:
        return
    try:
        carry_out_handoff.apply_async((work.id,), retry=False)
    except OperationalError:
        log.warning("enqueue.failed", company_id=work.company_id)
