"""Computes a project's data in parts: a fault in one does not affect the others."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from integrations.procore.resources.projects import Project
from integrations.procore.sync.derived import DerivedWork, close_incident, report_fault
from partner_app.insights.cases import settings_of, update_cases
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.models import CaseSettings, FigureWork
from partner_app.insights.search import index_words
from partner_app.insights.snapshots import write_snapshot

Compute = Callable[[ProjectFacts, CaseSettings, datetime | None], None]


@dataclass(frozen=True)
class Part:
    """`name` is stored in FigureWork.failed; the incident says what is out of date meanwhile."""

    name: str
    work: DerivedWork
    compute: Compute


Faults = Mapping[Part, Exception]


def _figures(facts: ProjectFacts, limits: CaseSettings, _since: datetime | None) -> None:
    write_snapshot(facts, event_days=limits.event_days)


def _cases(facts: ProjectFacts, limits: CaseSettings, _since: datetime | None) -> None:
    update_cases(facts, limits)


def _words(facts: ProjectFacts, _limits: CaseSettings, since: datetime | None) -> None:
    index_words(facts.company_id, facts.project_id, since=since)


def _nothing(_facts: ProjectFacts, _limits: CaseSettings, _since: datetime | None) -> None:
    """For the list of projects, which is not a project."""


PARTS = (
    Part("figures", DerivedWork(
        "figures", "derived.figures",
        "Figures could not be computed ({cause}); pages show the previous ones.",
    ), _figures),
    Part("exceptions", DerivedWork(
        "exceptions", "derived.exceptions",
        "Exceptions could not be updated ({cause}); lists show the previous ones.",
    ), _cases),
    Part("search", DerivedWork(
        "search", "derived.search",
        "Records that changed could not be indexed for search ({cause}).",
    ), _words),
)  # fmt: skip
PROJECTS = Part("projects", DerivedWork(
    "figures", "derived.projects",
    "Figures of removed projects could not be deleted ({cause}).",
), _nothing)  # fmt: skip


def compute_parts(project: Project, now: datetime, *, since: datetime | None) -> Faults:
    """Inside tenant(): each part in a savepoint. Returns those that failed."""
    facts, limits = ProjectFacts(project, now), settings_of(project.company_id)
    faults: dict[Part, Exception] = {}
    for part in PARTS:
        try:
            with transaction.atomic():
                part.compute(facts, limits, since)
        except Exception as error:  # noqa: BLE001  # kept for the incident; the other parts go on
            faults[part] = error
    return faults


def report(company_id: int, faults: Faults, *, before: Collection[str]) -> None:
    """Opens an incident for each failed part; closes it with the last of its projects."""
    for part in (*PARTS, PROJECTS):
        if part not in faults and part.name not in before:
            continue
        failing = FigureWork.objects.filter(company_id=company_id, failed__contains=part.name)
        count = failing.exclude(project_id=0).count()
        if part in faults:
            report_fault(part.work, company_id, faults[part], projects=count)
        elif not failing.exists():
            close_incident(part.work, company_id)
