"""What the pages and the panel read.

Under tenant() and the viewer's rights, as frozen dataclasses.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitments import COMMITTED, Commitment
from integrations.procore.resources.projects import Project
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.handoffs.selectors import handed_off_totals

ZERO = Decimal(0)
PENDING_COMMITMENTS = F("pending_change_orders") + F("draft_change_orders_amount")


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
    def attention(self) -> int:
        return (self.overdue_rfis or 0) + (self.overdue_submittals or 0) + (1 if self.over else 0)


@dataclass(frozen=True)
class Listing:
    """Records behind a number."""

    title: str
    kind: str
    rows: QuerySet[Any, Any]
    total: int
    amount: Decimal | None


def projects(company_id: int, ids: Iterable[int]) -> QuerySet[Project]:
    return Project.objects.filter(company_id=company_id, remote_id__in=ids).order_by(
        "project_number", "name"
    )


def health_of(
    company_id: int, found: Iterable[Project], rights: Mapping[int, Rights], today: date
) -> list[Health]:
    """Six grouped queries, however many projects; only what the viewer may see is asked for."""
    shown = list(found)

    def ids(tool: Tool) -> list[int]:
        return [p.remote_id for p in shown if tool in rights[p.remote_id].tools]

    overdue = Count("remote_id", filter=Q(due_date__lt=today))
    rfis = _grouped(
        Rfi.objects.filter(company_id=company_id, project_id__in=ids(Tool.RFIS), status="open"),
        number=Count("remote_id"),
        overdue=overdue,
    )
    submittals = _grouped(
        _open_submittals(company_id, ids(Tool.SUBMITTALS)),
        number=Count("remote_id"),
        overdue=overdue,
    )
    events = _grouped(
        _open_events(company_id, ids(Tool.CHANGE_EVENTS)),
        number=Count("remote_id"),
        amount=Coalesce(Sum("latest_cost"), ZERO),
    )
    budgets = _grouped(
        BudgetRow.objects.filter(company_id=company_id, project_id__in=ids(Tool.BUDGET)),
        amount=Coalesce(Sum(F("original_budget_amount") + F("budget_modifications")), ZERO),
    )
    contracts = Commitment.objects.filter(
        company_id=company_id, project_id__in=ids(Tool.COMMITMENTS)
    )
    committed = _grouped(
        contracts.filter(status__in=COMMITTED),
        amount=Coalesce(Sum(F("grand_total") + F("approved_change_orders")), ZERO),
    )
    pending = _grouped(contracts, amount=Coalesce(Sum(PENDING_COMMITMENTS), ZERO))
    handed = handed_off_totals(company_id, ids(Tool.BUDGET))
    currencies = dict(
        BudgetRow.objects.filter(company_id=company_id, project_id__in=ids(Tool.BUDGET))
        .values_list("project_id", "currency")
        .distinct()
    )

    def figure(
        rows: Mapping[int, Mapping[str, Decimal]], project: Project, tool: Tool, name: str
    ) -> Decimal | None:
        if tool not in rights[project.remote_id].tools:
            return None
        return rows[project.remote_id].get(name, ZERO)

    def number(
        rows: Mapping[int, Mapping[str, Decimal]], project: Project, tool: Tool, name: str
    ) -> int | None:
        value = figure(rows, project, tool, name)
        return None if value is None else int(value)

    return [
        Health(
            project=project,
            open_rfis=number(rfis, project, Tool.RFIS, "number"),
            overdue_rfis=number(rfis, project, Tool.RFIS, "overdue"),
            open_submittals=number(submittals, project, Tool.SUBMITTALS, "number"),
            overdue_submittals=number(submittals, project, Tool.SUBMITTALS, "overdue"),
            open_change_events=number(events, project, Tool.CHANGE_EVENTS, "number"),
            exposure=figure(events, project, Tool.CHANGE_EVENTS, "amount"),
            budget=figure(budgets, project, Tool.BUDGET, "amount"),
            committed=figure(committed, project, Tool.COMMITMENTS, "amount"),
            pending=figure(pending, project, Tool.COMMITMENTS, "amount"),
            handed_off=handed.get(project.remote_id),
            currency=currencies.get(project.remote_id, "USD") or "USD",
        )
        for project in shown
    ]


def listing(company_id: int, project_id: int, kind: str, today: date) -> Listing:
    """The records behind one number of the project page. Raises KeyError for an unknown kind."""
    title, rows, amount = {
        "open-rfis": _rfis,
        "overdue-rfis": _overdue_rfis,
        "open-submittals": _submittals,
        "overdue-submittals": _overdue_submittals,
        "open-change-events": _events,
        "committed": _committed,
        "pending": _pending,
        "budget": _budget,
    }[kind](company_id, project_id, today)
    total = rows.aggregate(total=Sum(amount))["total"] if amount is not None else None
    return Listing(title, kind, rows, rows.count(), total)


KINDS: dict[str, Tool] = {
    "open-rfis": Tool.RFIS,
    "overdue-rfis": Tool.RFIS,
    "open-submittals": Tool.SUBMITTALS,
    "overdue-submittals": Tool.SUBMITTALS,
    "open-change-events": Tool.CHANGE_EVENTS,
    "committed": Tool.COMMITMENTS,
    "pending": Tool.COMMITMENTS,
    "budget": Tool.BUDGET,
}

Rows = QuerySet[Any, Any]
Found = tuple[str, Rows, Any]


def _rfis(company_id: int, project_id: int, _today: date) -> Found:
    rows = Rfi.objects.filter(company_id=company_id, project_id=project_id, status="open")
    return "Open RFIs", rows.order_by(F("due_date").asc(nulls_last=True), "remote_id"), None


def _overdue_rfis(company_id: int, project_id: int, today: date) -> Found:
    _, rows, _ = _rfis(company_id, project_id, today)
    return "Overdue RFIs", rows.filter(due_date__lt=today), None


def _submittals(company_id: int, project_id: int, _today: date) -> Found:
    rows = _open_submittals(company_id, [project_id])
    return "Open submittals", rows.order_by(F("due_date").asc(nulls_last=True), "remote_id"), None


def _overdue_submittals(company_id: int, project_id: int, today: date) -> Found:
    _, rows, _ = _submittals(company_id, project_id, today)
    return "Overdue submittals", rows.filter(due_date__lt=today), None


def _events(company_id: int, project_id: int, _today: date) -> Found:
    rows = _open_events(company_id, [project_id]).order_by(
        F("latest_cost").desc(nulls_last=True), "remote_id"
    )
    return "Open change events", rows, F("latest_cost")


def _committed(company_id: int, project_id: int, _today: date) -> Found:
    amount = F("grand_total") + F("approved_change_orders")
    rows = Commitment.objects.filter(
        company_id=company_id, project_id=project_id, status__in=COMMITTED
    ).annotate(amount=amount)
    return "Committed contracts", rows.order_by("-amount", "remote_id"), amount


def _pending(company_id: int, project_id: int, _today: date) -> Found:
    rows = (
        Commitment.objects.filter(company_id=company_id, project_id=project_id)
        .annotate(amount=PENDING_COMMITMENTS)
        .filter(amount__gt=0)
    )
    return "Pending commitment changes", rows.order_by("-amount", "remote_id"), PENDING_COMMITMENTS


def _budget(company_id: int, project_id: int, _today: date) -> Found:
    amount = F("original_budget_amount") + F("budget_modifications")
    rows = BudgetRow.objects.filter(company_id=company_id, project_id=project_id).annotate(
        amount=amount
    )
    return "Budget by code", rows.order_by("cost_code", "category"), amount


def _open_submittals(company_id: int, ids: list[int]) -> QuerySet[Submittal]:
    return Submittal.objects.filter(company_id=company_id, project_id__in=ids, status="Open")


def _open_events(company_id: int, ids: list[int]) -> QuerySet[ChangeEvent]:
    return ChangeEvent.objects.filter(company_id=company_id, project_id__in=ids).exclude(
        status__in=["Closed", "Void"]
    )


def _grouped(rows: "QuerySet[Any, Any]", **figures: Any) -> Mapping[int, Mapping[str, Decimal]]:
    found: dict[int, Mapping[str, Decimal]] = defaultdict(dict)
    for row in rows.order_by().values("project_id").annotate(**figures):
        found[row["project_id"]] = row
    return found
