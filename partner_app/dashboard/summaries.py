"""Updates a tenant's summary when a run has ended."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, QuerySet

from integrations.procore.sync.models import RunState, SyncCursor, SyncRun
from integrations.procore.sync.runs import newest_run
from integrations.procore.sync.signals import run_ended
from partner_app.core import clock
from partner_app.dashboard.models import TenantSummary
from partner_app.tenancy.models import CONNECTED

STALE = timedelta(hours=1)  # since the oldest reading


def stale() -> QuerySet[TenantSummary]:
    """Readable tenants whose oldest reading is too long ago."""
    return connected().filter(stalest_at__lt=clock.now() - STALE)


def connected() -> QuerySet[TenantSummary]:
    return TenantSummary.objects.filter(company__state__in=CONNECTED)


def listen() -> None:
    run_ended.connect(_heard, dispatch_uid="dashboard.summaries")


def _heard(*, company_id: int, **_: Any) -> None:
    run = newest_run(company_id)
    if run is not None and run.finished_at is not None:
        summarise(run, run.finished_at)


def summarise(run: SyncRun, ended_at: datetime) -> None:
    # What Procore withholds is a separate problem; here it would seem ever staler.
    read = SyncCursor.objects.filter(company_id=run.company_id, refused_at=None)
    stalest = read.exclude(fresh_at=None).aggregate(oldest=Min("fresh_at"))["oldest"]
    TenantSummary.objects.update_or_create(
        company_id=run.company_id,
        defaults={
            "run_state": RunState(run.state),
            "run_at": ended_at,
            "stalest_at": stalest,
            "problems": run.steps.exclude(error="").count(),
        },
    )
