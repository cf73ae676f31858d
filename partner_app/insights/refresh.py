"""Keeps metrics, cases and search words up to date with the mirror: jobs in Postgres, with leases.

A sync queues the projects it wrote in the same transaction; midnight queues every project, because
lateness and age count in days. A project whose metrics cannot be computed keeps the former ones,
opens an incident and is tried again later; the others continue.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from integrations.procore.resources.projects import Project
from integrations.procore.sync.signals import records_changed, run_ended
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.core.locks import Lock, hold
from partner_app.core.zones import zone
from partner_app.embedded.session import Viewer
from partner_app.insights.models import (
    CaseSettings,
    ChangeFigure,
    ContractFigure,
    CostFigure,
    ExceptionCase,
    FigureWork,
    ProjectDay,
    PublicDay,
    SearchWord,
)
from partner_app.insights.parts import PARTS, PROJECTS, Faults, compute_parts, report
from partner_app.tenancy.context import tenant

LEASE = timedelta(seconds=60)  # then another worker computes the project
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)  # after a fault; doubles
AT_ONCE = 20  # projects claimed at once
PROJECT_LIST = 0


@dataclass(frozen=True)
class Claim:
    """`failed` are the parts that failed last time, `attempts` counts attempts without an end."""

    id: int
    company_id: int
    project_id: int
    drawn_at: datetime | None
    until: datetime
    attempts: int
    failed: str


def listen() -> None:
    records_changed.connect(_on_records_changed, dispatch_uid="insights.due")
    run_ended.connect(_on_run_ended, dispatch_uid="insights.draw")


def make_due(company_id: int, project_ids: Iterable[int]) -> None:
    """In the caller's transaction; a later due time moves to now."""
    now = clock.now()
    FigureWork.objects.bulk_create(
        [FigureWork(company_id=company_id, project_id=key, due_at=now) for key in project_ids],
        update_conflicts=True,
        unique_fields=["company", "project_id"],
        update_fields=["due_at"],
    )


def change_limits(viewer: Viewer, limits: CaseSettings, *, changed: list[str]) -> None:
    """Inside tenant(). Queues all projects at once: their lists depend on the limits."""
    limits.save()
    ids = Project.objects.filter(company_id=limits.company_id).values_list("remote_id", flat=True)
    make_due(limits.company_id, sorted(ids))
    record(
        Event.LIMITS_CHANGED,
        actor=viewer.actor,
        company_id=limits.company_id,
        **{name: str(getattr(limits, name)) for name in changed},
    )


def compute_due(*, company_id: int | None = None) -> int:
    """Computes what is due, for one company or all. Returns the number of projects.

    No project's fault is raised: one that fails is due again after a delay, so the loop ends.
    """
    count = 0
    while claims := _claim(company_id):
        for claim in claims:
            _attempt(claim)
        count += len(claims)
    return count


def _claim(company_id: int | None) -> list[Claim]:
    """Failed ones come last, and each failure makes the lease longer.

    The attempt is counted here, so that one that kills its process counts as well.
    """
    now = clock.now()
    with transaction.atomic():
        rows = FigureWork.objects.filter(due_at__lte=now).order_by("attempts", "due_at", "id")
        if company_id is not None:
            rows = rows.filter(company_id=company_id)
        found = list(rows.select_for_update(skip_locked=True)[:AT_ONCE])
        for row in found:
            row.due_at = now + max(LEASE, _wait(row.attempts))
            row.attempts += 1
        update_rows(FigureWork, found, ["due_at", "attempts"])
    return [
        Claim(r.id, r.company_id, r.project_id, r.drawn_at, r.due_at, r.attempts, r.failed)
        for r in found
    ]


def _wait(attempts: int) -> timedelta:
    """The delay after so many attempts in a row; none after none."""
    return min(FIRST_WAIT * 2 ** (min(attempts, 12) - 1), LONGEST_WAIT) if attempts else LEASE * 0


def _attempt(claim: Claim) -> None:
    """A change meanwhile moves `due_at`, so that the project stays due."""
    now = clock.now()
    try:
        next_due, faults = _compute(claim, now)
    except Exception as error:  # noqa: BLE001  # one project's fault holds up no other
        part = PARTS[0] if claim.project_id else PROJECTS
        next_due, faults = now, {part: error}
    work = FigureWork.objects.filter(id=claim.id)
    if faults:
        next_due = now + _wait(claim.attempts)
        work.update(failed=" ".join(part.name for part in faults))
    elif next_due is None:
        work.filter(due_at=claim.until).delete()
    else:
        work.update(drawn_at=now, attempts=0, failed="")
    if next_due is not None:
        work.filter(due_at=claim.until).update(due_at=next_due)
    if faults or claim.failed:
        report(claim.company_id, faults, before=claim.failed.split())


def _compute(claim: Claim, now: datetime) -> tuple[datetime | None, Faults]:
    """The next due time (None: none), and the parts that failed."""
    if claim.project_id == PROJECT_LIST:
        _forget_projects(claim.company_id)
        return None, {}  # the list of projects does not change with the day
    with tenant(claim.company_id):
        # A worker slower than its lease would write the same rows as the next one.
        hold(Lock.FIGURES, claim.project_id)
        project = Project.objects.filter(
            company_id=claim.company_id, remote_id=claim.project_id
        ).first()
        if project is None:
            return None, {}
        faults = compute_parts(project, now, since=claim.drawn_at)
    return _next_midnight(project.time_zone, now), faults


def _forget_projects(company_id: int) -> None:
    """Deletes the metrics and cases of projects that are gone."""
    with tenant(company_id):
        present = Project.objects.filter(company_id=company_id).values("remote_id")
        for model in (
            ChangeFigure,
            ContractFigure,
            CostFigure,
            ProjectDay,
            PublicDay,
            ExceptionCase,
            SearchWord,
        ):
            gone = model._base_manager.filter(company_id=company_id)
            gone = gone.exclude(project_id__in=present)
            gone._raw_delete(gone.db)
        missing = Project.objects.filter(company_id=company_id).exclude(
            remote_id__in=FigureWork.objects.filter(company_id=company_id).values("project_id")
        )
        make_due(company_id, sorted(missing.values_list("remote_id", flat=True)))


def _next_midnight(time_zone: str, now: datetime) -> datetime:
    here = now.astimezone(zone(time_zone))
    tomorrow = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return tomorrow + timedelta(seconds=1)


def _on_records_changed(*, company_id: int, project_ids: list[int], **_: Any) -> None:
    make_due(company_id, project_ids)


def _on_run_ended(*, company_id: int, **_: Any) -> None:
    compute_due(company_id=company_id)
