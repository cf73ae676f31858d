"""Celery's doorbells: ids only, harmless twice."""

from datetime import datetime, timedelta

from celery import shared_task

from integrations.procore.api.errors import ProcoreError
from integrations.procore.sync.errors import LeaseLost, Paused, SyncInProgress
from integrations.procore.sync.models import DueWork, SyncRun
from integrations.procore.sync.services import claim_due, give_back, run_due
from partner_app.connections.discover import discover as discover_companies
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.tenancy.models import Company, CompanyState

KEEP_RUNS = timedelta(days=90)  # retention class O [product.md, section 3]


@shared_task
def wake() -> None:
    """Rings for every company that is due; also finds those that nobody made due."""
    connected = Company.objects.filter(state=CompanyState.CONNECTED)
    missing = connected.exclude(id__in=DueWork.objects.values("company_id"))
    DueWork.objects.bulk_create(
        [DueWork(company=company, due_at=clock.now()) for company in missing], ignore_conflicts=True
    )
    for company_id in claim_due():
        sync_company.delay(company_id)


@shared_task
def sync_company(company_id: int) -> None:
    try:
        run_due(company_id=company_id, wait=_leave)
    except (SyncInProgress, LeaseLost):
        return
    except Paused as pause:
        give_back(
            company_id=company_id,
            wait_seconds=max(1.0, (pause.until - clock.now()).total_seconds()),
        )
    except ProcoreError as error:
        log.info("sync.postponed", company_id=company_id, code=error.code)
        give_back(company_id=company_id)


@shared_task
def discover() -> None:
    try:
        discover_companies()
    except ProcoreError as error:
        log.info("discover.failed", code=error.code)


@shared_task
def housekeeping() -> None:
    SyncRun.objects.filter(started_at__lt=clock.now() - KEEP_RUNS).delete()


def _leave(until: datetime) -> None:
    raise Paused(until)
