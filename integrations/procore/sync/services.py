"""Starts syncs: now in this process, or in a worker when they are due."""

import time
from functools import partial

from integrations.procore.api.errors import NotConnected
from integrations.procore.sync.derived import follow_up, warnings_of
from integrations.procore.sync.engine import Wait, run_to_end
from integrations.procore.sync.models import Mode
from integrations.procore.sync.runs import counts_by_resource, holder_name, take_run
from integrations.procore.sync.schedule import others_wait, plan_next, synced_before, work_due
from partner_app.connections.errors import ReconnectNeeded
from partner_app.tenancy.lifecycle import company_or_error


def sync_now(*, company_id: int, full: bool, only: list[str], wait: Wait) -> dict[str, object]:
    """Syncs once in this process, holding the company's lock. Raises SyncInProgress, SyncError."""
    company = company_or_error(company_id)
    if not company.usable:
        raise NotConnected
    began = time.monotonic()
    run = take_run(
        company_id=company_id,
        mode=Mode.FULL if full or not synced_before(company_id) else Mode.INCREMENTAL,
        only=only,
        holder=holder_name(),
    )
    run = run_to_end(run, wait=wait)
    resources = counts_by_resource(run)
    problems = run.steps.exclude(error="").values("resource", "project_id", "error")
    answer = {
        "company_id": company_id,
        "mode": run.mode,
        "resources": resources,
        "requests": run.requests,
        "seconds": round(time.monotonic() - began, 3),
        "problems": list(problems),
    }
    follow_up(company_id)
    return {**answer, "warnings": warnings_of(company_id)}


def run_due(*, company_id: int, wait: Wait) -> bool:
    """Runs in a worker: does what is due for the company, then sets the next time.

    True when that is now: webhook events arrived while this ran.
    """
    work = work_due(company_id)
    if work is None:
        return False
    run = take_run(
        company_id=company_id, mode=work.mode, only=[], holder=holder_name(), looks=work.looks
    )
    try:
        run = run_to_end(run, wait=wait, may_yield=partial(others_wait, company_id))
    except (ReconnectNeeded, NotConnected):
        return plan_next(company_id=company_id, run=None)
    follow_up(company_id)
    return plan_next(company_id=company_id, run=run)
