"""Starting syncs: now in this process, or due for the workers."""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from integrations.procore.api.errors import NotConnected
from integrations.procore.sync.engine import PATIENCE, Wait, run_to_end
from integrations.procore.sync.models import DueWork, RunState, SyncRun
from integrations.procore.sync.runs import counts_by_resource, holder_name, take_run
from partner_app.connections.errors import ReconnectNeeded
from partner_app.core import clock
from partner_app.tenancy.lifecycle import company_or_error

FULL_EVERY = timedelta(hours=6)  # finds deletions that no filter shows
SOONEST = timedelta(seconds=20)
SHARE = 0.3  # of the hourly budget of calls that polling may use
HOURLY_BUDGET = 3600  # calls; Procore's documented example [rate_limiting]
RETRY_PARTIAL = timedelta(minutes=2)


def sync_now(*, company_id: int, full: bool, only: list[str], wait: Wait) -> dict[str, object]:
    """One sync in this process, holding the company's lock. Raises SyncInProgress, SyncError."""
    company = company_or_error(company_id)
    if not company.usable:
        raise NotConnected
    began = time.monotonic()
    run = take_run(
        company_id=company_id,
        mode="full" if full or not _synced_before(company_id) else "incremental",
        only=only,
        holder=holder_name(),
    )
    run = run_to_end(run, wait=wait)
    resources = counts_by_resource(run)
    problems = run.steps.exclude(error="").values("resource", "project_id", "error")
    return {
        "company_id": company_id,
        "mode": run.mode,
        "resources": resources,
        "requests": run.requests,
        "seconds": round(time.monotonic() - began, 3),
        "problems": list(problems),
    }


def make_due(*, company_id: int) -> None:
    """As soon as a worker is free; committed with the caller's work."""
    now = clock.now()
    DueWork.objects.update_or_create(company_id=company_id, defaults={"due_at": now})


def claim_due() -> list[int]:
    """Companies whose sync is due; each is rung for at most once in half a minute."""
    now = clock.now()
    with transaction.atomic():
        rows = list(
            DueWork.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(due_at__lte=now, company__state="connected")
            .exclude(leased_until__gt=now)
            .order_by("due_at")[:100]
        )
        DueWork.objects.filter(id__in=[row.id for row in rows]).update(
            leased_until=now + timedelta(seconds=30)
        )
    return [row.company_id for row in rows]


def run_due(*, company_id: int, wait: Wait) -> None:
    """What a worker does: incremental, full when that is due; then the next time is set."""
    now = clock.now()
    due = DueWork.objects.filter(company_id=company_id).first()
    if due is None or due.due_at > now:
        return
    full = due.full_due_at is None or due.full_due_at <= now
    run = take_run(
        company_id=company_id,
        mode="full" if full else "incremental",
        only=[],
        holder=holder_name(),
    )
    try:
        run = run_to_end(run, wait=wait)
    except (ReconnectNeeded, NotConnected):
        DueWork.objects.filter(company_id=company_id).delete()
        return
    pause = max(SOONEST, timedelta(seconds=run.requests / (HOURLY_BUDGET * SHARE / 3600)))
    if run.state == RunState.PARTIAL:
        pause = max(pause, RETRY_PARTIAL)
    later = clock.now() + pause
    # Whoever asked for a sync while this one ran is served by the next.
    DueWork.objects.filter(company_id=company_id, due_at__lte=now).update(due_at=later)
    DueWork.objects.filter(company_id=company_id).update(
        leased_until=None,
        full_due_at=clock.now() + FULL_EVERY if run.mode == "full" else F("full_due_at"),
    )


def give_back(*, company_id: int, wait_seconds: float = PATIENCE.total_seconds()) -> None:
    """A worker that may not wait leaves the work for later."""
    later = clock.now() + timedelta(seconds=wait_seconds)
    DueWork.objects.filter(company_id=company_id).update(due_at=later, leased_until=None)


def _synced_before(company_id: int) -> bool:
    return SyncRun.objects.filter(
        company_id=company_id, mode="full", state__in=[RunState.DONE, RunState.PARTIAL]
    ).exists()
