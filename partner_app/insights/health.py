"""Projects at a glance: what is open, overdue, exposed, budgeted and committed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitments import COMMITTED, Commitment
from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.sync.models import SyncCursor
from partner_app.core.zones import local_day
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.handoffs.selectors import handed_off_totals

ZERO = Decimal(0)
COMMITTED_AMOUNT = F("grand_total") + F("approved_change_orders")
PENDING_AMOUNT = F("pending_change_orders") + F("draft_change_orders_amount")
BUDGET_AMOUNT = F("original_budget_amount") + F("budget_modifications")

Figures = Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Health:
    """A project at a glance. A figure that the viewer may not see is None."""

    project: Project
    open_rfis: int | None
    overdue_rfis: int | None
    open_submittals: int | None
    overdue_submittals: int | None
    open_change_events: int | None
    exposure: Decimal | None
    budget: Decimal | None
    committed: Decimal | None
    pending: Decimal | None
    handed_off: Decimal | None
    currency: str

    @property
    def uncommitted(self) -> Decimal | None:
        if self.budget is None or self.committed is None:
            return None
        return self.budget - self.committed

    @property
    def over(self) -> bool:
        return self.uncommitted is not None and self.uncommitted < 0

    @property
    def gap(self) -> Decimal | None:
        """Between budget and commitments, whichever is larger."""
        return None if self.uncommitted is None else abs(self.uncommitted)

    @property
    def attention(self) -> int:
        """Orders the home page: what is late, and a commitment over budget before all."""
        late = (self.overdue_rfis or 0) + (self.overdue_submittals or 0)
        return late + (1000 if self.over else 0)


@dataclass(frozen=True)
class Totals:
    """Sums over the projects of one currency; None where the viewer sees none of them."""

    currency: str
    overdue_rfis: int | None
    overdue_submittals: int | None
    exposure: Decimal | None
    budget: Decimal | None
    committed: Decimal | None


def projects(company_id: int, ids: Iterable[int]) -> QuerySet[Project]:
    return Project.objects.filter(company_id=company_id, remote_id__in=ids).order_by(
        "project_number", "name"
    )


def open_rfis(company_id: int, ids: Iterable[int]) -> QuerySet[Rfi]:
    return Rfi.objects.filter(company_id=company_id, project_id__in=ids, status="open")


def open_submittals(company_id: int, ids: Iterable[int]) -> QuerySet[Submittal]:
    return Submittal.objects.filter(company_id=company_id, project_id__in=ids, status="Open")


def open_events(company_id: int, ids: Iterable[int]) -> QuerySet[ChangeEvent]:
    return ChangeEvent.objects.filter(company_id=company_id, project_id__in=ids).exclude(
        status__in=["Closed", "Void"]
    )


def contracts(company_id: int, ids: Iterable[int]) -> QuerySet[Commitment]:
    return Commitment.objects.filter(company_id=company_id, project_id__in=ids)


def budget_rows(company_id: int, ids: Iterable[int]) -> QuerySet[BudgetRow]:
    return BudgetRow.objects.filter(company_id=company_id, project_id__in=ids)


def arrived(company_id: int, rights: Mapping[int, Rights]) -> dict[int, Rights]:
    """The rights for which something has been read: a figure that is not here yet is not zero."""
    read: dict[int, set[str]] = defaultdict(set)
    cursors = SyncCursor.objects.filter(company_id=company_id, project_id__in=list(rights))
    for name, key in cursors.exclude(fresh_at=None).values_list("resource", "project_id"):
        read[key].add(RESOURCES[name].spec.tool)
    return {
        key: replace(own, tools=frozenset(own.tools & read[key])) for key, own in rights.items()
    }


def health_of(
    company_id: int, found: Iterable[Project], rights: Mapping[int, Rights], now: datetime
) -> list[Health]:
    """Eight grouped queries, however many projects; only what the viewer may see is asked for."""
    shown = list(found)
    late = Count("remote_id", filter=_overdue(shown, now))
    number = Count("remote_id")

    def ids(tool: Tool) -> list[int]:
        return [p.remote_id for p in shown if tool in rights[p.remote_id].tools]

    rfis = _grouped(open_rfis(company_id, ids(Tool.RFIS)), number=number, late=late)
    submittals = _grouped(
        open_submittals(company_id, ids(Tool.SUBMITTALS)), number=number, late=late
    )
    events = _grouped(
        open_events(company_id, ids(Tool.CHANGE_EVENTS)), number=number, amount=_sum("latest_cost")
    )
    rows = budget_rows(company_id, ids(Tool.BUDGET))
    budgets = _grouped(rows, amount=_sum(BUDGET_AMOUNT))
    currencies = dict(rows.order_by().values_list("project_id", "currency").distinct())
    commitments = contracts(company_id, ids(Tool.COMMITMENTS))
    committed = _grouped(commitments.filter(status__in=COMMITTED), amount=_sum(COMMITTED_AMOUNT))
    pending = _grouped(commitments, amount=_sum(PENDING_AMOUNT))
    handed = handed_off_totals(company_id, ids(Tool.BUDGET))

    def one(project: Project) -> Health:
        tools, key = rights[project.remote_id].tools, project.remote_id

        def figure(source: Figures, tool: Tool, name: str, empty: Any) -> Any:
            return source[key].get(name, empty) if tool in tools else None

        return Health(
            project=project,
            open_rfis=figure(rfis, Tool.RFIS, "number", 0),
            overdue_rfis=figure(rfis, Tool.RFIS, "late", 0),
            open_submittals=figure(submittals, Tool.SUBMITTALS, "number", 0),
            overdue_submittals=figure(submittals, Tool.SUBMITTALS, "late", 0),
            open_change_events=figure(events, Tool.CHANGE_EVENTS, "number", 0),
            exposure=figure(events, Tool.CHANGE_EVENTS, "amount", ZERO),
            budget=figure(budgets, Tool.BUDGET, "amount", ZERO),
            committed=figure(committed, Tool.COMMITMENTS, "amount", ZERO),
            pending=figure(pending, Tool.COMMITMENTS, "amount", ZERO),
            handed_off=handed.get(key),
            currency=currencies.get(key) or "USD",
        )

    return [one(project) for project in shown]


def totals_of(found: Iterable[Health]) -> list[Totals]:
    """One row a currency: amounts of two currencies are never added."""
    by_currency: dict[str, list[Health]] = defaultdict(list)
    for health in found:
        by_currency[health.currency].append(health)

    def added(rows: list[Health], name: str) -> Any:
        values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        return sum(values) if values else None

    names = ("overdue_rfis", "overdue_submittals", "exposure", "budget", "committed")
    return [
        Totals(currency, *(added(rows, name) for name in names))
        for currency, rows in sorted(by_currency.items())
    ]


def _overdue(shown: Iterable[Project], now: datetime) -> Q:
    """Days are counted where the project is, so that home and project page agree."""
    by_day: dict[date, list[int]] = defaultdict(list)
    for project in shown:
        by_day[local_day(now, project.time_zone)].append(project.remote_id)
    condition = Q(project_id__in=[])
    for day, ids in by_day.items():
        condition |= Q(project_id__in=ids, due_date__lt=day)
    return condition


def _sum(amount: Any) -> Coalesce:
    return Coalesce(Sum(amount), ZERO)


def _grouped(rows: "QuerySet[Any, Any]", **figures: Any) -> Figures:
    found: dict[int, Mapping[str, Any]] = defaultdict(dict)
    for row in rows.order_by().values("project_id").annotate(**figures):
        found[row["project_id"]] = row
    return found
