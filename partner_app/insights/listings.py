"""The records behind each number, and which part of a project needs attention first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.tools import Tool
from partner_app.embedded.entitlement import Rights
from partner_app.insights.evidence import BUDGET_AMOUNT, ProjectView, approved_cost_lines, contracts
from partner_app.insights.metrics import ZERO
from partner_app.insights.models import ContractFigure
from partner_app.insights.statuses import EVENTS_OVER, ApprovalState, plain_status

Rows = QuerySet[Any, Any]
SOONEST_DUE = (F("due_date").asc(nulls_last=True), "remote_id")


@dataclass(frozen=True)
class ListingKind:
    """A list that can be opened: its columns are those of `shape`; `amount` is what it adds up."""

    slug: str
    title: object
    tool: Tool
    shape: str
    rows: Callable[[ProjectView, date], Rows]
    amount: Any = None


@dataclass(frozen=True)
class Listing:
    """The records behind a number; `amounts` are their sums by currency, if any.

    `left_out`: the viewer may not see all of them.
    """

    kind: ListingKind
    rows: Rows
    total: int
    amounts: dict[str, Decimal]
    left_out: bool


def listing(company_id: int, rights: Rights, kind: ListingKind, today: date) -> Listing:
    rows = kind.rows(ProjectView(company_id, rights), today)
    sums = {}
    if kind.amount is not None:
        by_currency = rows.order_by().values_list("currency").annotate(total=Sum(kind.amount))
        sums = {currency: total or ZERO for currency, total in by_currency}
    left_out = False
    if not rights.sees_all_of({kind.tool}):
        every = kind.rows(ProjectView(company_id, rights.as_admin_of(kind.tool)), today)
        left_out = _measure(kind, every) != _measure(kind, rows)
    return Listing(kind, rows, rows.count(), sums, left_out)


def _measure(kind: ListingKind, rows: Rows) -> Any:
    """Equal only where nothing is left out."""
    amount = Sum(kind.amount) if kind.amount is not None else Count("remote_id")
    return rows.order_by().aggregate(number=Count("remote_id"), added=amount)


def open_to(rights: Rights) -> list[ListingKind]:
    """The lists that the viewer may open on this project."""
    return [kind for kind in KINDS.values() if kind.tool in rights.tools]


def _rfis(look: ProjectView, _today: date) -> Rows:
    rows: Rows = look.rows(Rfi, status="open").order_by(*SOONEST_DUE)
    return rows


def _overdue_rfis(look: ProjectView, today: date) -> Rows:
    return _rfis(look, today).filter(due_date__lt=today)


def _submittals(look: ProjectView, _today: date) -> Rows:
    rows: Rows = look.rows(Submittal, status="Open").order_by(*SOONEST_DUE)
    return rows


def _late_submittals(look: ProjectView, today: date) -> Rows:
    late = Q(status="Open", due_date__lt=today) | Q(status="Draft", submit_by__lt=today)
    rows: Rows = look.rows(Submittal).filter(late).order_by(*SOONEST_DUE)
    return rows


def _events(look: ProjectView, _today: date) -> Rows:
    largest = F("latest_cost").desc(nulls_last=True)
    rows: Rows = look.rows(ChangeEvent).alias(plain=plain_status())
    return rows.exclude(plain__in=EVENTS_OVER).order_by(largest, "remote_id")


def _committed(look: ProjectView, _today: date) -> Rows:
    found: Rows = contracts(look).filter(standing=ApprovalState.COUNTS)
    return found.order_by("-amount", "remote_id")


def _pending(look: ProjectView, _today: date) -> Rows:
    """Contracts, with the pending part of each as their amount."""
    figures = ContractFigure.objects.filter(
        company_id=look.company_id, contract_id=OuterRef("remote_id")
    ).annotate(waiting=look.part("pending"))
    found: Rows = look.rows(Commitment).annotate(
        amount=Coalesce(Subquery(figures.values("waiting")[:1]), ZERO)
    )
    return found.exclude(amount=0).order_by("-amount", "remote_id")


def _budget(look: ProjectView, _today: date) -> Rows:
    rows: Rows = look.rows(BudgetRow).annotate(amount=BUDGET_AMOUNT)
    return rows.order_by("cost_code", "category")


def _direct_costs(look: ProjectView, _today: date) -> Rows:
    rows: Rows = approved_cost_lines(look)
    return rows


KINDS: dict[str, ListingKind] = {
    kind.slug: kind
    for kind in (
        ListingKind("open-rfis", _("Open RFIs"), Tool.RFIS, "rfis", _rfis),
        ListingKind("overdue-rfis", _("Overdue RFIs"), Tool.RFIS, "rfis", _overdue_rfis),
        ListingKind(
            "open-submittals", _("Open submittals"), Tool.SUBMITTALS, "submittals", _submittals
        ),
        ListingKind(
            "late-submittals", _("Late submittals"), Tool.SUBMITTALS, "submittals",
            _late_submittals,
        ),
        ListingKind(
            "open-change-events", _("Open change events"), Tool.CHANGE_EVENTS, "change_events",
            _events, F("latest_cost"),
        ),
        ListingKind("budget", _("Budget by code"), Tool.BUDGET, "budget", _budget, BUDGET_AMOUNT),
        ListingKind(
            "committed", _("Committed contracts"), Tool.COMMITMENTS, "contracts", _committed,
            F("amount"),
        ),
        ListingKind(
            "pending", _("Pending commitment changes"), Tool.COMMITMENTS, "contracts", _pending,
            F("amount"),
        ),
        ListingKind(
            "direct-costs", _("Approved direct costs"), Tool.DIRECT_COSTS, "costs", _direct_costs,
            F("amount"),
        ),
    )
}  # fmt: skip
