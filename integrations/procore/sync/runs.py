"""Runs and their lease: one sync a company at a time, taken over when its process has died."""

import os
import socket
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.errors import LeaseLost, SyncInProgress
from integrations.procore.sync.models import RunState, SyncRun, SyncStep
from partner_app.core import clock

LEASE = timedelta(seconds=60)  # longer than any single call or write
COUNTS = ("fetched", "created", "updated", "deleted", "unchanged", "requests")


def holder_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{clock.now().timestamp():.3f}"


def take_run(*, company_id: int, mode: str, only: list[str], holder: str) -> SyncRun:
    """A new run, or the one whose process died: it goes on there. Raises SyncInProgress."""
    now = clock.now()
    with transaction.atomic():
        run = (
            SyncRun.objects.select_for_update()
            .filter(company_id=company_id, state="running")
            .first()
        )
        if run:
            if run.leased_until > now:
                raise SyncInProgress
            run.holder, run.leased_until = holder, now + LEASE
            run.save(update_fields=["holder", "leased_until"])
            return run
        try:
            with transaction.atomic():
                return SyncRun.objects.create(
                    company_id=company_id,
                    mode=mode,
                    only=only,
                    started_at=now,
                    leased_until=now + LEASE,
                    holder=holder,
                )
        except IntegrityError:
            raise SyncInProgress from None


def keep_lease(run: SyncRun) -> None:
    """In the writing transaction.

    A process that was believed dead writes nothing. Raises LeaseLost.
    """
    kept = SyncRun.objects.filter(id=run.id, holder=run.holder, state="running").update(
        leased_until=clock.now() + LEASE
    )
    if not kept:
        raise LeaseLost


def release(run: SyncRun, *, until: datetime) -> None:
    """The run stays open; whoever claims it after `until` goes on with it."""
    SyncRun.objects.filter(id=run.id, holder=run.holder).update(leased_until=until)


def finish(run: SyncRun, *, failed: bool = False) -> SyncRun:
    keep_lease(run)
    problems = run.steps.exclude(error="").exists()
    run.state = RunState.FAILED if failed else RunState.PARTIAL if problems else RunState.DONE
    run.finished_at = clock.now()
    run.requests = run.steps.aggregate(total=Sum("requests"))["total"] or 0
    run.save(update_fields=["state", "finished_at", "requests"])
    return run


def counts_by_resource(run: SyncRun) -> dict[str, dict[str, int]]:
    """In the order of a sync; resources not reached yet are absent."""
    found: dict[str, dict[str, int]] = {}
    for step in SyncStep.objects.filter(run=run):
        sums = found.setdefault(step.resource, dict.fromkeys(COUNTS, 0))
        for name in COUNTS:
            sums[name] += getattr(step, name)
    return {name: found[name] for name in RESOURCES if name in found}


def progress(company_id: int) -> tuple[SyncRun | None, list[dict[str, object]]]:
    """The newest run with, for each resource, records so far, parts done, and problems."""
    run = SyncRun.objects.filter(company_id=company_id).order_by("-started_at").first()
    if run is None:
        return None, []
    rows = {
        row["resource"]: row
        for row in SyncStep.objects.filter(run=run)
        .values("resource")
        .annotate(
            records=Sum("fetched"),
            parts=Count("id"),
            parts_done=Count("id", filter=Q(done=True)),
            problems=Count("id", filter=~Q(error="")),
        )
    }
    steps = []
    for name in run.only or RESOURCES:
        row = rows.get(name)
        finished = row is not None and row["parts"] == row["parts_done"]
        steps.append(
            {
                "resource": name,
                "label": label(name),
                "records": row["records"] if row else 0,
                "done": finished,
                "started": row is not None,
                "problems": row["problems"] if row else 0,
            }
        )
    return run, steps


def label(resource: str) -> str:
    """For people: RFIs, WBS codes, budget rows."""
    words = resource.replace("_", " ")
    return {"rfis": "RFIs", "wbs codes": "WBS codes"}.get(words, words.capitalize())
