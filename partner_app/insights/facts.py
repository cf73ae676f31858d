"""Reads a project's mirror into plain facts. Inside tenant(); a handful of queries a project."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Max, Sum

from integrations.procore.resources.budget_codes import tied_rows
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import OVER, ChangeEvent
from integrations.procore.resources.change_orders import ChangeOrder
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import COMMITTED, Commitment
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.projects import Project
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.core.zones import local_day, zone
from partner_app.handoffs.models import Handoff
from partner_app.handoffs.selectors import Drift, drift, newest_standing
from partner_app.insights.metrics import ZERO, CodeCost, Question, spread

PENDING_ORDERS = ("draft", "pricing", "pending", "revised", "proceeding", "not_proceeding")
NO_ORDER_YET = "Open"  # of a change event; "Pending" ones are under way in a change order
DEFAULT_CURRENCY = "USD"
TURNAROUND_DAYS = 365  # of answered questions that count
PLAUSIBLE_YEARS = range(1900, 2200)  # of something that has begun or ended

Key = tuple[int, str]  # WBS code, currency


@dataclass(frozen=True)
class Contract:
    remote_id: int
    number: str
    title: str
    vendor: str
    status: str
    currency: str
    total: Decimal
    approved: Decimal
    pending: Decimal
    invoiced: Decimal
    last_invoice: date | None

    @property
    def committed(self) -> bool:
        return self.status in COMMITTED


@dataclass(frozen=True)
class Event:
    remote_id: int
    number: str
    title: str
    status: str
    reason: str
    cost: Decimal | None
    currency: str
    begun: date | None


@dataclass(frozen=True)
class Late:
    """An open record with a day and somebody who has to act."""

    remote_id: int
    number: str
    title: str
    owner: str
    status: str
    due: date | None
    submit_by: date | None
    begun: date | None


class ProjectFacts:
    """Everything that the metrics of one project need, each part read when it is asked for."""

    def __init__(self, project: Project, now: datetime) -> None:
        self.project, self.now = project, now
        self.company_id, self.project_id = project.company_id, project.remote_id
        self.here = {"company_id": self.company_id, "project_id": self.project_id}
        self.zone: tzinfo = zone(project.time_zone)
        self.today = local_day(now, project.time_zone)

    @property
    def started(self) -> bool:
        return self.project.start_date is not None and self.project.start_date <= self.today

    @cached_property
    def currency(self) -> str:
        """The budget's; without a budget, that of most contracts."""
        budget = [cost.currency for cost in self.costs if cost.original or cost.changes]
        every = budget or [c.currency for c in self.contracts] or [DEFAULT_CURRENCY]
        return max(sorted(set(every)), key=every.count)

    @cached_property
    def costs(self) -> list[CodeCost]:
        """By WBS code and currency, in the order of the codes."""
        sums: dict[Key, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        rows = BudgetRow.objects.filter(**self.here)
        tied = tied_rows(self.company_id, self.project_id)
        for key, code, currency, original, changes in rows.values_list(
            "remote_id", "wbs_code_id", "currency", "original_budget_amount", "budget_modifications"
        ):
            own = sums[code or tied.get(key, 0), currency or DEFAULT_CURRENCY]
            own["original"] += original or ZERO
            own["changes"] += changes or ZERO
        self._add_contracts(sums)
        lines = DirectCostLineItem.objects.filter(
            **self.here,
            direct_cost_id__in=DirectCost.objects.filter(
                **self.here, status__iexact="approved"
            ).values("remote_id"),
        )
        for code, currency, amount in _grouped(lines, "wbs_code_id", "currency"):
            sums[code or 0, currency or DEFAULT_CURRENCY]["direct"] += amount
        names = self._names(code for code, _ in sums)
        found = []
        for (code, currency), own in sums.items():
            flat_code, name = names.get(code, ("", ""))
            found.append(
                CodeCost(
                    code, flat_code, name, currency, own["original"], own["changes"],
                    own["committed"], own["pending"], own["direct"],
                )
            )  # fmt: skip
        return sorted(found, key=lambda cost: (cost.flat_code, cost.wbs_code_id, cost.currency))

    @cached_property
    def contracts(self) -> list[Contract]:
        orders: dict[int, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for contract, status, amount in ChangeOrder.objects.filter(**self.here).values_list(
            "contract_id", "status", "grand_total"
        ):
            kind = "pending" if status in PENDING_ORDERS else status
            orders[contract or 0][kind] += amount or ZERO
        invoices = {
            contract: (amount, last)
            for contract, amount, last in Requisition.objects.filter(
                **self.here, status__iexact="approved"
            )
            .order_by()
            .values_list("contract_id")
            .annotate(amount=Sum("total_claimed_amount"))
            .annotate(last=Max("billing_date"))
        }
        found = []
        for row in Commitment.objects.filter(**self.here).order_by("remote_id"):
            own = orders[row.remote_id]
            invoiced, last = invoices.get(row.remote_id) or (ZERO, None)
            found.append(
                Contract(
                    row.remote_id, row.number, row.title, row.vendor, row.status,
                    row.currency or DEFAULT_CURRENCY, row.grand_total or ZERO, own["approved"],
                    own["pending"], invoiced or ZERO, last,
                )
            )  # fmt: skip
        return found

    @cached_property
    def questions(self) -> list[Question]:
        """Open ones, and those that were answered in the last year."""
        return [
            Question(
                self._day(begun),
                self._day(ended),
                due,
                is_open=status == "open",
                impact=impact,
                value=value,
            )
            for status, begun, ended, due, impact, value in self._rfis.values_list(
                "status",
                "initiated_at",
                "time_resolved",
                "due_date",
                "cost_impact_status",
                "cost_impact",
            )
            if status == "open" or self._lately(ended)
        ]

    def overdue_rfis(self) -> list[tuple[Late, str, Decimal | None]]:
        """Overdue ones that may cost money: each with its impact's status and value."""
        rows = self._rfis.filter(status="open", due_date__lt=self.today).order_by("remote_id")
        rows = rows.filter(cost_impact_status__startswith="yes")
        return [
            (
                Late(
                    row.remote_id, row.number, row.subject, row.ball_in_court, row.status,
                    row.due_date, None, self._day(row.initiated_at),
                ),
                row.cost_impact_status,
                row.cost_impact,
            )
            for row in rows
        ]  # fmt: skip

    @cached_property
    def submittals(self) -> list[Late]:
        """Those that are not closed."""
        rows = Submittal.objects.filter(**self.here, status__in=["Open", "Draft"])
        return [
            Late(
                row.remote_id, row.number, row.title, row.responsible_contractor, row.status,
                row.due_date, row.submit_by, self._day(row.created_on),
            )
            for row in rows.order_by("remote_id")
        ]  # fmt: skip

    @cached_property
    def events(self) -> list[Event]:
        """Change events that are neither closed nor void."""
        rows = ChangeEvent.objects.filter(**self.here).exclude(status__in=OVER)
        return [
            Event(
                row.remote_id, row.number, row.title, row.status, row.reason, row.latest_cost,
                row.currency or DEFAULT_CURRENCY, self._day(row.created_on),
            )
            for row in rows.order_by("remote_id")
        ]  # fmt: skip

    def events_without_order(self) -> list[Event]:
        return [event for event in self.events if event.status == NO_ORDER_YET]

    @cached_property
    def handoff(self) -> Handoff | None:
        """The newest one that stands in Procore."""
        return newest_standing(self.company_id, self.project_id)

    @cached_property
    def drifted(self) -> list[Drift]:
        """Its codes whose budget is no longer what it wrote."""
        return drift(self.handoff) if self.handoff else []

    @property
    def _rfis(self) -> Any:
        return Rfi.objects.filter(**self.here)

    def _day(self, moment: datetime | None) -> date | None:
        """None also where the year is a mistake: nothing can be counted from it."""
        if moment is None or moment.year not in PLAUSIBLE_YEARS:
            return None
        return moment.astimezone(self.zone).date()

    def _lately(self, ended: datetime | None) -> bool:
        return ended is not None and (self.now - ended).days <= TURNAROUND_DAYS

    def _add_contracts(self, sums: dict[Key, dict[str, Decimal]]) -> None:
        """Lines of committed contracts; change orders spread over their contract's lines.

        Procore lists the lines of change orders one order at a time: see docs/decisions/0013.
        """
        lines: dict[int, list[tuple[int, str, Decimal]]] = defaultdict(list)
        rows = CommitmentLineItem.objects.filter(**self.here)
        for contract, code, currency, amount in _grouped(
            rows, "contract_id", "wbs_code_id", "currency"
        ):
            lines[contract or 0].append((code or 0, currency, amount))
        for contract in self.contracts:
            own = sorted(lines.get(contract.remote_id) or [(0, contract.currency, ZERO)])
            weights = [amount for _, _, amount in own]
            approved = contract.approved if contract.committed else ZERO
            for (code, currency, amount), more, pending in zip(
                own, spread(approved, weights), spread(contract.pending, weights), strict=True
            ):
                key = code, currency or contract.currency
                if contract.committed:
                    sums[key]["committed"] += amount + more
                if pending:
                    sums[key]["pending"] += pending

    def _names(self, codes: Iterable[int]) -> dict[int, tuple[str, str]]:
        rows = WbsCode.objects.filter(company_id=self.company_id, remote_id__in=set(codes))
        return {
            key: (code, name)
            for key, code, name in rows.values_list("remote_id", "flat_code", "flat_name")
        }


def _grouped(rows: Any, *names: str) -> Any:
    return rows.order_by().values_list(*names).annotate(total=Sum("amount"))
