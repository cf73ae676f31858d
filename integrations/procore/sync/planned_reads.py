"""A company's next reads: the pure order of use, filled from Postgres."""

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings

from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Scope
from integrations.procore.sync.models import DueWork, SyncCursor
from integrations.procore.sync.order import (
    ListProgress,
    Part,
    PlannedRead,
    ReadingConditions,
    at_night,
    looks,
    next_due,
)
from integrations.procore.sync.parts import withheld_projects
from integrations.procore.sync.use import uses_of
from partner_app.core import clock
from partner_app.core.zones import zone
from partner_app.tenancy.context import tenant

SOONEST = 20  # seconds between polls of one company, where calls are not planned
STANDING = ("fresh_at", "full_at", "refused_at", "failed_at", "failures")
AT_ONCE = 60  # lists per run; then the most urgent are chosen again
EVERYTHING = 100_000  # lists; where Procore's headers alone limit the calls


def looks_due(due: DueWork) -> list[PlannedRead]:
    """The most urgent lists of the company, in order."""
    most = AT_ONCE if settings.PROCORE.plans_calls else EVERYTHING
    return looks(_parts(due.company_id), day_of(due), clock.now())[:most]


def next_look(due: DueWork) -> datetime:
    return next_due(_parts(due.company_id), day_of(due), clock.now())


def day_of(due: DueWork) -> ReadingConditions:
    pace = None if settings.PROCORE.plans_calls else timedelta(seconds=max(due.pace, SOONEST))
    return ReadingConditions(
        uses_of(due.company_id), hooked=due.hooked, night=_night(due.company_id),
        pace=pace, asked_at=due.asked_at,
    )  # fmt: skip


def _parts(company_id: int) -> dict[Part, ListProgress]:
    """Every list that the company has, including those never read."""
    known = {
        (resource, project): ListProgress(*standing)
        for resource, project, *standing in SyncCursor.objects.filter(
            company_id=company_id
        ).values_list("resource", "project_id", *STANDING)
    }
    with tenant(company_id):
        rows = Project.objects.filter(company_id=company_id)
        projects = set(rows.values_list("remote_id", flat=True)) - withheld_projects(company_id)
    parts = [
        (name, key)
        for name, model in RESOURCES.items()
        for key in ([0] if model.spec.scope is Scope.COMPANY else projects)
    ]
    return {part: known.get(part, ListProgress()) for part in parts}


def _night(company_id: int) -> bool:
    """By the local time of most of the company's projects."""
    with tenant(company_id):
        rows = Project.objects.filter(company_id=company_id)
        zones = Counter(rows.values_list("time_zone", flat=True))
    [(name, _)] = zones.most_common(1) or [("", 0)]
    return at_night(clock.now(), zone(name))
