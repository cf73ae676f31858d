"""Celery tasks that start syncs: wake-up messages with ids only, harmless twice."""

from datetime import datetime

from celery import shared_task
from kombu.exceptions import OperationalError

from integrations.procore.api.errors import ProcoreError
from integrations.procore.sync.errors import Paused, SyncInProgress, SyncLeaseLost
from integrations.procore.sync.schedule import (
    claim_due,
    give_back,
    schedule_new_companies,
    wake_companies_with_pending_events,
)
from integrations.procore.sync.services import run_due
from partner_app.connections.discover import discover as discover_companies
from partner_app.connections.leave import close_down_all, purge_due
from partner_app.connections.lookups import is_usable, may_look
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.core.partitions import keep_months
from partner_app.tenancy.retention import delete_expired

AGAIN = 1.0  # seconds
PATIENCE = 30.0  # seconds, where Procore gave no time


@shared_task
def wake() -> None:
    """Queues a wake-up message for every company that is due, and finds those never queued."""
    schedule_new_companies()
    wake_companies_with_pending_events()
    for company_id in claim_due():
        sync_company.delay(company_id)


@shared_task
def sync_company(company_id: int) -> None:
    try:
        if run_due(company_id=company_id, wait=_leave):
            enqueue(company_id)
    except (SyncInProgress, SyncLeaseLost):
        return
    except Paused as pause:
        wait = (pause.until - clock.now()).total_seconds()
        give_back(company_id=company_id, wait_seconds=max(AGAIN, wait))
    except ProcoreError as error:
        log.info("sync.postponed", company_id=company_id, code=error.code)
        give_back(company_id=company_id, wait_seconds=PATIENCE)


@shared_task
def discover() -> None:
    try:
        discover_companies()
    except ProcoreError as error:
        log.info("discover.failed", code=error.code)


def discover_soon(company_id: int) -> None:
    """A person opened the app in an unconnected company: it may have been installed since.

    The person is not known yet, so a stranger's guesses cost at most one check a minute.
    """
    if is_usable(company_id) or not may_look("opened"):
        return
    try:
        discover.apply_async(retry=False)
    except OperationalError:
        log.warning("enqueue.failed", company_id=company_id)


@shared_task
def housekeeping() -> None:
    """Completes uninstalls, purges companies after their grace period, deletes old records."""
    close_down_all()
    purge_due()
    delete_expired()
    keep_months()


def enqueue(company_id: int) -> None:
    """Without a broker the message is lost; the next poll finds the work in Postgres."""
    try:
        sync_company.apply_async((company_id,), retry=False)
    except OperationalError:
        log.warning("enqueue.failed", company_id=company_id)


def _leave(until: datetime) -> None:
    raise Paused(until)
