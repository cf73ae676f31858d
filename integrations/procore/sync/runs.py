"""Runs and their lease: one sync per company at a time, taken over when its process has died."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum

from integrations.procore.resources.registry import RESOURCES, label
from integrations.procore.sync.errors import SyncInProgress, SyncLeaseLost
from integrations.procore.sync.models import DueRead, Mode, RunState, SyncRun, SyncStep
from integrations.procore.sync.order import Part, PlannedRead
from integrations.procore.sync.parts import COUNTS, withheld_projects
from partner_app.core import clock
from partner_app.core.heartbeat import Heartbeat
from partner_app.tenancy.context import tenant

LEASE = timedelta(seconds=15)  # how long a company waits for a dead process's successor


def holder_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{clock.now().timestamp():.3f}"


def take_run(
    *, company_id: int, mode: str, only: list[str], holder: str, looks: Sequence[PlannedRead] = ()
) -> SyncRun:
    """A new run, or the one that paused or whose process died. Raises SyncInProgress."""
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
            if run.mode == Mode.TARGETED:
                _claim_reads(run)
            return run
        try:
            with transaction.atomic():
                run = SyncRun.objects.create(
                    company_id=company_id,
                    mode=mode,
                    only=only,
                    started_at=now,
                    leased_until=now + LEASE,
                    holder=holder,
                )
                _add_steps(
                    run, {look.part: StepOptions(sweep=True, whole=look.whole) for look in looks}
                )
                if not only:
                    _claim_reads(run)
                return run
        except IntegrityError:
            raise SyncInProgress from None


@dataclass(frozen=True)
class StepOptions:
    """`sweep`: look for deletions as well; `whole`: read everything."""

    sweep: bool = False
    whole: bool = False


def _claim_reads(run: SyncRun) -> None:
    """Assigns the reads that webhooks queued to this run, in the transaction that takes it.

    A walk over everything reads them anyway; its steps come wave by wave.
    """
    claimed = claim_reads(run)
    if run.mode == Mode.TARGETED:
        _add_steps(run, {part: StepOptions(sweep=sweep) for part, sweep in claimed.items()})


def _add_steps(run: SyncRun, parts: Mapping[Part, StepOptions]) -> None:
    """Steps that this run has read before are read again."""
    here = {"run": run, "company_id": run.company_id, "month": run.month}
    SyncStep.objects.bulk_create(
        [
            SyncStep(**here, resource=name, project_id=key, sweep=how.sweep, whole=how.whole)
            for (name, key), how in parts.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "resource", "project_id", "month"],
        update_fields=["done", "sweep", "error", "error_code", "error_remedy"],
    )


def claim_reads(run: SyncRun) -> dict[Part, bool]:
    """Takes lists that webhooks named, and whether to look for deletions, out of the queue.

    Projects that we do not have are not permitted, so nothing is requested of them. A list that
    this run is in the middle of waits: its first pages may be older than the event.
    """
    begun = set(
        run.steps.filter(done=False, progress__isnull=False).values_list("resource", "project_id")
    )
    due = DueRead.objects.select_for_update().filter(
        company_id=run.company_id, due_at__lte=clock.now()
    )
    with tenant(run.company_id):
        rows = RESOURCES["projects"]._base_manager.filter(company_id=run.company_id)
        known = {0, *rows.values_list("remote_id", flat=True)}
        known -= withheld_projects(run.company_id)
        claimed = [read for read in due if (read.resource, read.project_id) not in begun]
        found: dict[Part, bool] = {}
        for read in claimed:
            part = (read.resource, read.project_id)
            if read.project_id in known:
                found[part] = found.get(part, False) or read.sweep
        DueRead.objects.filter(id__in=[read.id for read in claimed]).delete()
    return found


def keep_lease(run: SyncRun) -> None:
    """In the writing transaction.

    A process that was believed dead must write nothing. Raises SyncLeaseLost.
    """
    if not _renewed(run):
        raise SyncLeaseLost


def _renewed(run: SyncRun) -> bool:
    mine = SyncRun.objects.filter(id=run.id, holder=run.holder, state="running")
    return bool(mine.update(leased_until=clock.now() + LEASE))


def heartbeat(run: SyncRun) -> Heartbeat:
    return Heartbeat(lambda: _renewed(run), every=LEASE.total_seconds() / 3)


def release(run: SyncRun, *, until: datetime) -> None:
    """Keeps the run open; another worker may claim it after `until` and continue."""
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


def newest_run(company_id: int) -> SyncRun | None:
    return SyncRun.objects.filter(company_id=company_id).order_by("-started_at").first()


def progress(run: SyncRun) -> list[dict[str, object]]:
    """For each resource of the run: records so far, parts done, and problems."""
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
                "records": row["records"] if row else 0,
                "done": finished,
                "started": row is not None,
                "problems": row["problems"] if row else 0,
            }
        )
    return steps


def problems(run: SyncRun) -> list[str]:
    """A sentence for each resource and cause."""
    rows = (
        run.steps.exclude(error="")
        .values("resource", "error", "error_remedy")
        .annotate(projects=Count("id", filter=~Q(project_id=0)))
        .order_by("resource")
    )
    return [
        f"{label(row['resource'])}{_where(row['projects'])}: {row['error']} {row['error_remedy']}"
        for row in rows
    ]


def _where(projects: int) -> str:
    return f" of {projects} project{'s' if projects > 1 else ''}" if projects else ""
