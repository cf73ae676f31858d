"""The records behind each number, and what of a project calls for somebody first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum

from integrations.procore.resources.commitments import COMMITTED
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.insights.health import (
    BUDGET_AMOUNT,
    COMMITTED_AMOUNT,
    PENDING_AMOUNT,
    budget_rows,
    contracts,
    open_events,
    open_rfis,
    open_submittals,
)

Rows = QuerySet[Any, Any]
SOONEST_DUE = (F("due_date").asc(nulls_last=True), "remote_id")
URGENT = 5  # records that the project page shows


@dataclass(frozen=True)
class Kind:
    """A list that can be opened: its columns are those of `shape`; `amount` is what it adds up."""

    slug: str
    title: str
    tool: Tool
    shape: str
    rows: Callable[[int, int, date], Rows]
    amount: Any = None


@dataclass(frozen=True)
class Listing:
    """The records behind a number; `amount` is their sum, where they have one."""

    kind: Kind
    rows: Rows
    total: int
    amount: Decimal | None


def listing(company_id: int, project_id: int, kind: Kind, today: date) -> Listing:
    rows = kind.rows(company_id, project_id, today)
    amount = kind.amount
    total = rows.aggregate(total=Sum(amount))["total"] if amount is not None else None
    return Listing(kind, rows, rows.count(), total)


def open_to(rights: Rights) -> list[Kind]:
    """The lists that the viewer may open on this project."""
    return [kind for kind in KINDS.values() if kind.tool in rights.tools]


def urgent(company_id: int, project_id: int, rights: Rights, today: date) -> list[Listing]:
    """The few records of each kind that are late or large; only what the viewer may see."""
    kinds = [KINDS[slug] for slug in ("overdue-rfis", "overdue-submittals", "open-change-events")]
    found = (
        listing(company_id, project_id, kind, today) for kind in kinds if kind.tool in rights.tools
    )
    return [Listing(x.kind, x.rows[:URGENT], x.total, x.amount) for x in found if x.total]


def _rfis(company_id: int, project_id: int, _today: date) -> Rows:
    return open_rfis(company_id, [project_id]).order_by(*SOONEST_DUE)


def _overdue_rfis(company_id: int, project_id: int, today: date) -> Rows:
    return _rfis(company_id, project_id, today).filter(due_date__lt=today)


def _submittals(company_id: int, project_id: int, _today: date) -> Rows:
    return open_submittals(company_id, [project_id]).order_by(*SOONEST_DUE)


def _overdue_submittals(company_id: int, project_id: int, today: date) -> Rows:
    return _submittals(company_id, project_id, today).filter(due_date__lt=today)


def _events(company_id: int, project_id: int, _today: date) -> Rows:
    largest = F("latest_cost").desc(nulls_last=True)
    return open_events(company_id, [project_id]).order_by(largest, "remote_id")


def _committed(company_id: int, project_id: int, _today: date) -> Rows:
    rows = contracts(company_id, [project_id]).filter(status__in=COMMITTED)
    return rows.annotate(amount=COMMITTED_AMOUNT).order_by("-amount", "remote_id")


def _pending(company_id: int, project_id: int, _today: date) -> Rows:
    rows = contracts(company_id, [project_id]).annotate(amount=PENDING_AMOUNT)
    return rows.filter(amount__gt=0).order_by("-amount", "remote_id")


def _budget(company_id: int, project_id: int, _today: date) -> Rows:
    rows = budget_rows(company_id, [project_id]).annotate(amount=BUDGET_AMOUNT)
    return rows.order_by("cost_code", "category")


KINDS: dict[str, Kind] = {
    kind.slug: kind
    for kind in (
        Kind("open-rfis", "Open RFIs", Tool.RFIS, "rfis", _rfis),
        Kind("overdue-rfis", "Overdue RFIs", Tool.RFIS, "rfis", _overdue_rfis),
        Kind("open-submittals", "Open submittals", Tool.SUBMITTALS, "submittals", _submittals),
        Kind(
            "overdue-submittals",
            "Overdue submittals",
            Tool.SUBMITTALS,
            "submittals",
            _overdue_submittals,
        ),
        Kind(
            "open-change-events",
            "Open change events",
            Tool.CHANGE_EVENTS,
            "change_events",
            _events,
            F("latest_cost"),
        ),
        Kind("budget", "Budget by code", Tool.BUDGET, "budget", _budget, BUDGET_AMOUNT),
        Kind(
            "committed",
            "Committed contracts",
            Tool.COMMITMENTS,
            "contracts",
            _committed,
            COMMITTED_AMOUNT,
        ),
        Kind(
            "pending",
            "Pending commitment changes",
            Tool.COMMITMENTS,
            "contracts",
            _pending,
            PENDING_AMOUNT,
        ),
    )
}
