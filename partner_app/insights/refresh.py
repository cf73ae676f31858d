"""Keeps figures, cases and search words up with the mirror: due work in Postgres, under a lease.

What a sync wrote makes its projects due in the same transaction; midnight makes every project due,
because lateness and age count in days.
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
from partner_app.core.zones import zone
from partner_app.embedded.session import Viewer
from partner_app.insights.cases import follow, settings_of
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.models import (
    CaseSettings,
    CostFigure,
    ExceptionCase,
    FigureWork,
    ProjectDay,
    SearchWord,
)
from partner_app.insights.search import index_words
from partner_app.insights.snapshots import draw
from partner_app.tenancy.context import tenant

LEASE = timedelta(seconds=60)  # then somebody else draws up the project
AT_ONCE = 20  # projects that one look takes
PROJECT_LIST = 0


@dataclass(frozen=True)
class Claim:
    id: int
    company_id: int
    project_id: int
    drawn_at: datetime | None
    until: datetime


def listen() -> None:
    records_changed.connect(_on_records_changed, dispatch_uid="insights.due")
    run_ended.connect(_on_run_ended, dispatch_uid="insights.draw")


def make_due(company_id: int, project_ids: Iterable[int]) -> None:
    """In the caller's transaction; a later midnight moves to now."""
    now = clock.now()
    FigureWork.objects.bulk_create(
        [FigureWork(company_id=company_id, project_id=key, due_at=now) for key in project_ids],
        update_conflicts=True,
        unique_fields=["company", "project_id"],
        update_fields=["due_at"],
    )


def change_limits(viewer: Viewer, limits: CaseSettings, *, changed: list[str]) -> None:
    """Inside tenant(). All projects are due at once: what is listed depends on it."""
    limits.save()
    ids = Project.objects.filter(company_id=limits.company_id).values_list("remote_id", flat=True)
    make_due(limits.company_id, sorted(ids))
    record(
        Event.LIMITS_CHANGED,
        actor=viewer.actor,
        company_id=limits.company_id,
        **{name: str(getattr(limits, name)) for name in changed},
    )


def draw_due(*, company_id: int | None = None) -> int:
    """Draws up what is due, of one company or of all. Gives back how many projects."""
    count = 0
    while claims := _claim(company_id):
        for claim in claims:
            _draw(claim)
        count += len(claims)
    return count


def _claim(company_id: int | None) -> list[Claim]:
    now = clock.now()
    with transaction.atomic():
        rows = FigureWork.objects.filter(due_at__lte=now).order_by("due_at", "id")
        if company_id is not None:
            rows = rows.filter(company_id=company_id)
        found = list(rows.select_for_update(skip_locked=True)[:AT_ONCE])
        until = now + LEASE
        FigureWork.objects.filter(id__in=[row.id for row in found]).update(due_at=until)
    return [Claim(r.id, r.company_id, r.project_id, r.drawn_at, until) for r in found]


def _draw(claim: Claim) -> None:
    """What changes meanwhile moves `due_at`, so that the project stays due."""
    now = clock.now()
    if claim.project_id == PROJECT_LIST:
        _forget_projects(claim.company_id)
        # Nothing of the list itself changes with the day.
        FigureWork.objects.filter(id=claim.id, due_at=claim.until).delete()
        return
    with tenant(claim.company_id):
        project = Project.objects.filter(
            company_id=claim.company_id, remote_id=claim.project_id
        ).first()
        if project is None:
            FigureWork.objects.filter(id=claim.id).delete()
            return
        facts = ProjectFacts(project, now)
        limits = settings_of(claim.company_id)
        draw(facts, event_days=limits.event_days)
        follow(facts, limits)
        index_words(claim.company_id, claim.project_id, since=claim.drawn_at)
    FigureWork.objects.filter(id=claim.id).update(drawn_at=now)
    FigureWork.objects.filter(id=claim.id, due_at=claim.until).update(
        due_at=_next_midnight(project.time_zone, now)
    )


def _forget_projects(company_id: int) -> None:
    """A project that is gone takes with it what was drawn up of it."""
    with tenant(company_id):
        present = Project.objects.filter(company_id=company_id).values("remote_id")
        for model in (CostFigure, ProjectDay, ExceptionCase, SearchWord):
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
    draw_due(company_id=company_id)
