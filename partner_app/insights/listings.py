"""The records behind each number, and what of a project calls for somebody first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.insights.evidence import BUDGET_AMOUNT, approved_cost_lines, with_figures
from partner_app.insights.metrics import ZERO
from partner_app.insights.models import ContractFigure
from partner_app.insights.statuses import EVENTS_OVER, Standing, plain_status

Rows = QuerySet[Any, Any]
SOONEST_DUE = (F("due_date").asc(nulls_last=True), "remote_id")


@dataclass(frozen=True)
class Kind:
    """A list that can be opened: its columns are those of `shape`; `amount` is what it adds up."""

    slug: str
    title: object
    tool: Tool
    shape: str
    rows: Callable[[int, int, date], Rows]
    amount: Any = None


@dataclass(frozen=True)
class Listing:
    """The records behind a number; `amounts` are their sums by currency, where they have any."""

    kind: Kind
    rows: Rows
    total: int
    amounts: dict[str, Decimal]


def listing(company_id: int, project_id: int, kind: Kind, today: date) -> Listing:
    rows = kind.rows(company_id, project_id, today)
    sums = {}
    if kind.amount is not None:
        by_currency = rows.order_by().values_list("currency").annotate(total=Sum(kind.amount))
        sums = {currency: total or ZERO for currency, total in by_currency}
    return Listing(kind, rows, rows.count(), sums)


def open_to(rights: Rights) -> list[Kind]:
    """The lists that the viewer may open on this project."""
    return [kind for kind in KINDS.values() if kind.tool in rights.tools]


def _rfis(company_id: int, project_id: int, _today: date) -> Rows:
    return Rfi.objects.filter(company_id=company_id, project_id=project_id, status="open").order_by(
        *SOONEST_DUE
    )


def _overdue_rfis(company_id: int, project_id: int, today: date) -> Rows:
    return _rfis(company_id, project_id, today).filter(due_date__lt=today)


def _submittals(company_id: int, project_id: int, _today: date) -> Rows:
    return (
        Submittal.objects.filter(company_id=company_id, project_id=project_id)
        .filter(status="Open")
        .order_by(*SOONEST_DUE)
    )


def _late_submittals(company_id: int, project_id: int, today: date) -> Rows:
    late = Q(status="Open", due_date__lt=today) | Q(status="Draft", submit_by__lt=today)
    return (
        Submittal.objects.filter(company_id=company_id, project_id=project_id)
        .filter(late)
        .order_by(*SOONEST_DUE)
    )


def _events(company_id: int, project_id: int, _today: date) -> Rows:
    largest = F("latest_cost").desc(nulls_last=True)
    return (
        ChangeEvent.objects.filter(company_id=company_id, project_id=project_id)
        .alias(plain=plain_status())
        .exclude(plain__in=EVENTS_OVER)
        .order_by(largest, "remote_id")
    )


def _committed(company_id: int, project_id: int, _today: date) -> Rows:
    rows = Commitment.objects.filter(company_id=company_id, project_id=project_id)
    found: Rows = with_figures(rows).filter(standing=Standing.COUNTS)
    return found.order_by("-amount", "remote_id")


def _pending(company_id: int, project_id: int, _today: date) -> Rows:
    """Contracts with what is pending of each as their amount."""
    rows = Commitment.objects.filter(company_id=company_id, project_id=project_id)
    figures = ContractFigure.objects.filter(
        company_id=company_id, contract_id=OuterRef("remote_id")
    )
    found: Rows = rows.annotate(amount=Coalesce(Subquery(figures.values("pending")[:1]), ZERO))
    return found.exclude(amount=0).order_by("-amount", "remote_id")


def _budget(company_id: int, project_id: int, _today: date) -> Rows:
    rows = BudgetRow.objects.filter(company_id=company_id, project_id=project_id).annotate(
        amount=BUDGET_AMOUNT
    )
    return rows.order_by("cost_code", "category")


def _direct_costs(company_id: int, project_id: int, _today: date) -> Rows:
    rows: Rows = approved_cost_lines({"company_id": company_id, "project_id": project_id})
    return rows


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind("open-rfis", _("Open RFIs"), Tool.RFIS, "rfis", _rfis),
        Kind("overdue-rfis", _("Overdue RFIs"), Tool.RFIS, "rfis", _overdue_rfis),
        Kind("open-submittals", _("Open submittals"), Tool.SUBMITTALS, "submittals", _submittals),
        Kind(
            "late-submittals", _("Late submittals"), Tool.SUBMITTALS, "submittals",
            _late_submittals,
        ),
        Kind(
            "open-change-events", _("Open change events"), Tool.CHANGE_EVENTS, "change_events",
            _events, F("latest_cost"),
        ),
        Kind("budget", _("Budget by code"), Tool.BUDGET, "budget", _budget, BUDGET_AMOUNT),
        Kind(
            "committed", _("Committed contracts"), Tool.COMMITMENTS, "contracts", _committed,
            F("amount"),
        ),
        Kind(
            "pending", _("Pending commitment changes"), Tool.COMMITMENTS, "contracts", _pending,
            F("amount"),
        ),
        Kind(
            "direct-costs", _("Approved direct costs"), Tool.DIRECT_COSTS, "costs", _direct_costs,
            F("amount"),
        ),
    )
}  # fmt: skip
