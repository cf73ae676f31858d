"""Runs and their lease: one sync a company at a time, taken over when its process has died."""

import os
import socket
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Count, Q, Sum

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.errors import LeaseLost, SyncInProgress
from integrations.procore.sync.models import DueRead, Mode, RunState, SyncRun, SyncStep
from integrations.procore.sync.parts import COUNTS, withheld_projects
from partner_app.core import clock
from partner_app.tenancy.context import tenant

LEASE = timedelta(seconds=15)  # a company waits so long for the successor of a dead process


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
                run = SyncRun.objects.create(
                    company_id=company_id,
                    mode=mode,
                    only=only,
                    started_at=now,
                    leased_until=now + LEASE,
                    holder=holder,
                )
                _claim_reads(run)
                return run
        except IntegrityError:
            raise SyncInProgress from None


def _claim_reads(run: SyncRun) -> None:
    """What Procore told us of becomes this run's steps: in the transaction that makes the run.

    A walk over everything does it as well; its steps come wave by wave.
    """
    if run.mode == Mode.TARGETED:
        SyncStep.objects.bulk_create(
            SyncStep(
                run=run,
                company_id=run.company_id,
                resource=resource,
                project_id=project_id,
                sweep=sweep,
            )
            for (resource, project_id), sweep in claim_reads(run.company_id).items()
        )
    elif not run.only:
        claim_reads(run.company_id)


def claim_reads(company_id: int) -> dict[tuple[str, int], bool]:
    """Parts that Procore told us of, and whether to look for deletions; they are due no more.

    Of projects that we do not have, nothing is asked: they are not permitted.
    """
    due = DueRead.objects.select_for_update().filter(company_id=company_id)
    with tenant(company_id):
        rows = RESOURCES["projects"]._base_manager.filter(company_id=company_id)
        known = {0, *rows.values_list("remote_id", flat=True)} - withheld_projects(company_id)
        found: dict[tuple[str, int], bool] = {}
        for read in due:
            key = (read.resource, read.project_id)
            if read.project_id in known:
                found[key] = found.get(key, False) or read.sweep
        due.delete()
    return found


def keep_lease(run: SyncRun) -> None:
    """In the writing transaction.

    A process that was believed dead writes nothing. Raises LeaseLost.
    """
    kept = SyncRun.objects.filter(id=run.id, holder=run.holder, state="running").update(
        leased_until=clock.now() + LEASE
    )
    if not kept:
        raise LeaseLost


class Heartbeat:
    """Keeps the lease while its process lives, however long a single call takes."""

    def __init__(self, run: SyncRun) -> None:
        self.run, self.over = run, threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _beat(self) -> None:
        try:
            while not self.over.wait(LEASE.total_seconds() / 3):
                keep_lease(self.run)
        except (LeaseLost, DatabaseError):
            return  # the next write of the run finds out by itself
        finally:
            connection.close()  # this thread's own


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
                "label": label(name),
                "records": row["records"] if row else 0,
                "done": finished,
                "started": row is not None,
                "problems": row["problems"] if row else 0,
            }
        )
    return steps


def problems(run: SyncRun) -> list[str]:
    """In words, a sentence for each resource and cause."""
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


def label(resource: str) -> str:
    """For people: RFIs, WBS codes, People, Budget rows."""
    words = resource.replace("_", " ")
    return {"rfis": "RFIs", "wbs codes": "WBS codes", "users": "People"}.get(
        words, words.capitalize()
    )
