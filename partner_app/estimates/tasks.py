"""Celery tasks for files to read: wake-up messages with ids only, harmless twice."""

from celery import shared_task
from kombu.exceptions import OperationalError

from partner_app.core.logging import log
from partner_app.estimates import files


@shared_task
def wake_files() -> None:
    """Finds readings without a message, and those that a dead process has left."""
    for work_id in files.claim_due():
        enqueue(work_id)


@shared_task(soft_time_limit=files.MOST_SECONDS, time_limit=files.MOST_SECONDS + 30)
def read_file(work_id: int) -> None:
    company_id = files.run(work_id)
    if company_id:
        enqueue_next(company_id)


def enqueue_next(company_id: int) -> None:
    if work_id := files.next_of(company_id):
        enqueue(work_id)


def enqueue(work_id: int) -> None:
    """Without a broker the message is lost; the next poll finds the work in Postgres."""
    try:
        read_file.apply_async((work_id,), retry=False)
    except OperationalError:
        log.warning("enqueue.failed")
        return
    files.note_enqueued(work_id)
