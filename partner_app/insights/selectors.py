"""Reads metrics and cases for pages and panel, within what a viewer may see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from integrations.procore.resources.tools import Tool
from partner_app.core import clock
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.session import Viewer
from partner_app.embedded.sight import Amount, cost
from partner_app.insights.cases import GROWN, open_cases, open_rules
from partner_app.insights.labels import age, cause, left_out_note, sentence
from partner_app.insights.models import (
    Audience,
    CostFigure,
    DayFigures,
    ExceptionCase,
    FigureWork,
    LastVisit,
    ProjectDay,
    PublicDay,
)

ANOTHER_VISIT = timedelta(minutes=30)  # of inactivity; the next page is a new visit
SAME_LOOK = timedelta(minutes=1)  # recorded once within it: pages are requested often
ALL_PROJECTS = 0
IN_ORDER = ("tier", F("amount").desc(nulls_last=True), "since", "id")


@dataclass(frozen=True)
class CaseLine:
    """A case as a list shows it. `news` is `new`, `changed` or empty.

    Where the viewer may not see the budget, cost figures are withheld: `amount` and `before` are
    None, and `cause`, which contains amounts, is empty. `note` says what its figures leave out.
    """

    case: ExceptionCase
    amount: Amount | None
    before: Amount | None
    sentence: str
    cause: str
    note: str
    age: str
    news: str
    project: str


@dataclass(frozen=True)
class News:
    """Open cases, and changes since the viewer's last visit; None: there was none."""

    since: datetime | None
    standing: int = 0  # and is not snoozed
    opened: int = 0
    changed: int = 0
    closed: int = 0

    @property
    def any(self) -> bool:
        return bool(self.opened or self.changed or self.closed)


Days = tuple[ProjectDay, PublicDay | None]


def days_of(company_id: int, rights: Mapping[int, Rights]) -> dict[int, list[Days]]:
    """Inside tenant(): the newest day of each project, its main currency first.

    With the day of what is open to all, where the viewer may not see everything; None where that
    has not been computed yet.
    """
    found: dict[int, list[Days]] = defaultdict(list)
    rows = ProjectDay.objects.filter(
        company_id=company_id, project_id__among=set(rights), newest=True
    )
    public: dict[tuple[int, str], PublicDay] = {}
    if partly := restricted_on(rights):
        shown = PublicDay.objects.filter(
            company_id=company_id, project_id__among=partly, newest=True
        )
        public = {(row.project_id, row.currency): row for row in shown}
    for row in rows.order_by("-main", "currency"):
        found[row.project_id].append((row, public.get((row.project_id, row.currency))))
    return found


def restricted_on(rights: Mapping[int, Rights]) -> set[int]:
    """Projects on which one of the viewer's tools may hide records from them."""
    return {key for key, own in rights.items() if not own.sees_all_of(own.tools)}


def figures_behind(company_id: int, project_id: int) -> FigureWork | None:
    """The project's job where its metrics are out of date, because computing them failed."""
    work = FigureWork.objects.filter(company_id=company_id, project_id=project_id)
    return work.exclude(failed="").first()


def codes_of(company_id: int, project_ids: Iterable[int]) -> "QuerySet[CostFigure]":
    return CostFigure.objects.filter(company_id=company_id, project_id__among=set(project_ids))


def cases_of(company_id: int, rights: Mapping[int, Rights]) -> "QuerySet[ExceptionCase]":
    """Open cases that the viewer may see: by tier, in each the largest first."""
    return _allowed(company_id, rights).filter(closed_at=None).order_by(*IN_ORDER)


def _allowed(company_id: int, rights: Mapping[int, Rights]) -> "QuerySet[ExceptionCase]":
    """By the rules whose tools the viewer has on each project."""
    alike: dict[tuple[frozenset[Tool], frozenset[Tool]], set[int]] = defaultdict(set)
    for key, own in rights.items():
        if open_rules(own):
            alike[own.tools, own.administers].add(key)
    here = ExceptionCase.objects.filter(company_id=company_id)
    allowed = [
        Q(project_id__among=ids) & open_cases(rights[next(iter(ids))]) for ids in alike.values()
    ]
    return here.filter(reduce(or_, allowed)) if allowed else here.none()


def snoozed(today: date) -> Q:
    """Snoozed, and not grown by a tenth since."""
    before = Coalesce(F("snoozed_amount"), Decimal(0))
    small = Q(amount=None) | Q(amount__lte=before * GROWN)
    return Q(snoozed_until__gt=today) & small


def sleeps(case: ExceptionCase) -> bool:
    """Inside tenant()."""
    found = ExceptionCase.objects.filter(company_id=case.company_id, id=case.id)
    return found.filter(snoozed(clock.now().date())).exists()


def counts_of(cases: "QuerySet[ExceptionCase]") -> dict[str, int]:
    """How many are `open` and how many `snoozed`, in one query."""
    sleeping = snoozed(clock.now().date())
    found: dict[str, int] = cases.order_by().aggregate(
        every=Count("id"), snoozed=Count("id", filter=sleeping)
    )
    return {"open": found["every"] - found["snoozed"], "snoozed": found["snoozed"]}


def not_snoozed(cases: "QuerySet[ExceptionCase]") -> "QuerySet[ExceptionCase]":
    return cases.exclude(snoozed(clock.now().date()))


def seen_before(viewer: Viewer) -> datetime | None:
    """Inside tenant(): the previous visit, as home recorded it when the viewer came."""
    known = LastVisit.objects.filter(
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        project_id=ALL_PROJECTS,
    ).first()
    return known.before if known else None


def case_rows(
    cases: Iterable[ExceptionCase],
    rights: Mapping[int, Rights],
    *,
    names: Mapping[int, str] | None = None,
    seen: datetime | None = None,
) -> list[CaseLine]:
    """`names` of projects, where a line names its project."""
    today, names = clock.now().date(), names or {}
    return [
        CaseLine(
            case,
            _cost(rights[case.project_id], case.amount, case.currency),
            _cost(rights[case.project_id], case.before, case.currency),
            sentence(case),
            cause(case) if rights[case.project_id].sees_budget else "",
            left_out_note() if case.audience == Audience.OTHERS else "",
            age(case, today),
            _news(case, seen),
            names.get(case.project_id, ""),
        )
        for case in cases
    ]


def _cost(rights: Rights, value: Decimal | None, currency: str) -> Amount | None:
    return None if value is None else cost(rights, value, currency)


def visit(viewer: Viewer, project_id: int = ALL_PROJECTS) -> datetime | None:
    """Inside tenant(). Records the visit; returns the time of the previous one."""
    now = clock.now()
    key = {"company_id": viewer.company_id, "remote_user_id": viewer.remote_user_id}
    known = LastVisit.objects.filter(**key, project_id=project_id).first()
    if known is None:
        first = LastVisit(**key, project_id=project_id, visited_at=now)
        LastVisit.objects.bulk_create(
            [first], ignore_conflicts=True
        )  # two windows may open at the same time
        return None
    before = known.before
    if now - known.visited_at > ANOTHER_VISIT:
        before = known.visited_at
    if now - known.visited_at > SAME_LOOK:
        LastVisit.objects.filter(**key, project_id=project_id).update(visited_at=now, before=before)
    return before


def news_since(company_id: int, rights: Mapping[int, Rights], seen: datetime | None) -> News:
    """Inside tenant()."""
    stands = Q(closed_at=None)
    wanted = {
        "every": Count("id", filter=stands),
        "sleeping": Count("id", filter=stands & snoozed(clock.now().date())),
    }
    if seen is not None:
        known, moved = Q(opened_at__lte=seen), Q(changed_at__gt=seen, before__isnull=False)
        wanted["opened"] = Count("id", filter=stands & Q(opened_at__gt=seen))
        wanted["changed"] = Count("id", filter=stands & known & moved)
        wanted["closed"] = Count("id", filter=known & Q(closed_at__gt=seen))
    found: dict[str, int] = _allowed(company_id, rights).aggregate(**wanted)
    standing = found.pop("every") - found.pop("sleeping")
    return News(seen, standing, **found)


def _news(case: ExceptionCase, seen: datetime | None) -> str:
    if seen is None:
        return ""
    if case.opened_at > seen:
        return "new"
    return "changed" if case.changed_at > seen and case.before is not None else ""


def history(
    model: type[DayFigures], company_id: int, project_ids: Iterable[int], *, days: int, **only: Any
) -> "QuerySet[Any]":
    """Inside tenant(): the existing days, oldest first."""
    begin = clock.now().date() - timedelta(days=days)
    rows = model._base_manager.filter(
        company_id=company_id, project_id__among=set(project_ids), day__gte=begin, **only
    )
    return rows.order_by("day")
