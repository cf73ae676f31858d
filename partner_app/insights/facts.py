"""Reads a project's mirror into plain facts. Inside tenant(); a handful of queries a project."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Sum

from integrations.procore.resources.budget_codes import rows_of, tied_rows
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.projects import Project
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.sight import with_restricted
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.wbs_codes import WbsCode
from partner_app.core.zones import local_day, zone
from partner_app.handoffs.models import Handoff
from partner_app.handoffs.selectors import Drift, drift, newest_standing
from partner_app.insights.contracts import (
    DEFAULT_CURRENCY,
    Contract,
    ContractChange,
    Key,
    orders_withheld,
    read_contracts,
    read_orders,
)
from partner_app.insights.events import ChangeEventCost, read_events
from partner_app.insights.metrics import ZERO, CodeCost, RfiTiming, spread
from partner_app.insights.procore_check import KINDS, procore_columns
from partner_app.insights.statuses import DIRECT_COSTS, ApprovalState, named, plain_status
from partner_app.insights.unread import unread_sums

TURNAROUND_DAYS = 365  # answered questions within it count
PLAUSIBLE_YEARS = range(1900, 2200)  # of a beginning or an end

OF_BUDGET = (
    "remote_id", "wbs_code_id", "currency", "original_budget_amount", "budget_modifications",
    "pending_budget_changes",
)  # fmt: skip
OF_CODE = ("wbs_code_id", "currency")


@dataclass(frozen=True)
class Late:
    """An open record with a day and a person who has to act."""

    remote_id: int
    number: str
    title: str
    owner: str
    status: str
    due: date | None
    submit_by: date | None
    begun: date | None
    restricted: bool
    named: tuple[int, ...]


class ProjectFacts:
    """Everything that the metrics of one project need, each part read on demand."""

    def __init__(self, project: Project, now: datetime) -> None:
        self.project, self.now = project, now
        self.company_id, self.project_id = project.company_id, project.remote_id
        self.here = {"company_id": self.company_id, "project_id": self.project_id}
        self.zone: tzinfo = zone(project.time_zone)
        self.today = local_day(now, project.time_zone)

    @cached_property
    def public(self) -> "ProjectFacts":
        """The same without private records and drafts: what everyone with the tools may see."""
        return _PublicFacts(self)

    @property
    def started(self) -> bool:
        return self.project.start_date is not None and self.project.start_date <= self.today

    @cached_property
    def currency(self) -> str:
        """The budget's currency; without a budget, that of most contracts."""
        budget = [cost.currency for cost in self.costs if cost.original or cost.changes]
        every = budget or [c.currency for c in self.contracts] or [DEFAULT_CURRENCY]
        return max(sorted(set(every)), key=every.count)

    @cached_property
    def costs(self) -> list[CodeCost]:
        """By WBS code and currency, in the order of the codes."""
        sums: dict[Key, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for place, name, amount in self.open_sums:
            sums[place][name] += amount
        self._add_contracts(sums)
        self._stand_in(sums)
        self._add_events(sums)
        names = self.names(code for code, _ in sums)
        found = []
        for (code, currency), own in sums.items():
            flat_code, name = names.get(code, ("", ""))
            found.append(
                CodeCost(
                    code, flat_code, name, currency, own["original"], own["changes"],
                    own["committed"], own["pending"], own["direct"], own["events"],
                    own["budget_pending"],
                )
            )  # fmt: skip
        return sorted(found, key=lambda cost: (cost.flat_code, cost.wbs_code_id, cost.currency))

    @cached_property
    def open_sums(self) -> list[tuple[Key, str, Decimal]]:
        """Of the budget and of direct costs: these are never private, and drafts do not count."""
        found: list[tuple[Key, str, Decimal]] = []
        rows = BudgetRow.objects.filter(**self.here)
        tied = tied_rows(self.company_id, self.project_id)
        for key, code, currency, original, changes, waiting in rows.values_list(*OF_BUDGET):
            place = code or tied.get(key, 0), currency or DEFAULT_CURRENCY
            found.append((place, "original", original or ZERO))
            found.append((place, "changes", changes or ZERO))
            found.append((place, "budget_pending", waiting or ZERO))
        for code, currency, amount in _grouped(self._cost_lines(ApprovalState.COUNTS), *OF_CODE):
            found.append(((code or 0, currency or DEFAULT_CURRENCY), "direct", amount))
        return found

    @cached_property
    def orders(self) -> list[ContractChange]:
        return read_orders(self.here)

    @cached_property
    def contracts(self) -> list[Contract]:
        return read_contracts(self.here, self.orders)

    @cached_property
    def orders_unread(self) -> bool:
        return orders_withheld(self.here)

    def unknown_costs(self) -> dict[str, Decimal]:
        """By currency: amounts of contracts, orders and direct costs with an unknown status."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for contract in self.contracts:
            if contract.standing is ApprovalState.UNKNOWN:
                found[contract.currency] += contract.total + contract.approved
        for order in self.orders:
            if order.standing is ApprovalState.UNKNOWN:
                found[order.currency] += order.amount
        for currency, amount in self.unknown_direct_costs:
            found[currency] += amount
        return found

    @cached_property
    def unknown_direct_costs(self) -> list[tuple[str, Decimal]]:
        sums = _grouped(self._cost_lines(ApprovalState.UNKNOWN), "currency")
        return [(currency or DEFAULT_CURRENCY, amount) for currency, amount in sums]

    @cached_property
    def questions(self) -> list[RfiTiming]:
        """Open ones, and those answered within the last year."""
        return [
            RfiTiming(
                self.day(begun),
                self.day(ended),
                due,
                is_open=status == "open",
                impact=impact,
                value=value,
                restricted=restricted,
            )
            for status, begun, ended, due, impact, value, restricted in self._rfis.values_list(
                "status",
                "initiated_at",
                "time_resolved",
                "due_date",
                "cost_impact_status",
                "cost_impact",
                "restricted",
            )
            if status == "open" or self._lately(ended)
        ]

    @cached_property
    def overdue_rfis(self) -> list[tuple[Late, str, Decimal | None]]:
        """Overdue ones that may cost money: each with the status and value of its impact."""
        rows = self._rfis.filter(status="open", due_date__lt=self.today).order_by("remote_id")
        rows = rows.filter(cost_impact_status__startswith="yes")
        return [
            (
                Late(
                    row.remote_id, row.number, row.subject, row.ball_in_court, row.status,
                    row.due_date, None, self.day(row.initiated_at), row.restricted,
                    tuple(row.named),
                ),
                row.cost_impact_status,
                row.cost_impact,
            )
            for row in rows
        ]  # fmt: skip

    @cached_property
    def submittals(self) -> list[Late]:
        """Those that are not closed."""
        rows: Any = with_restricted(Submittal.objects.filter(**self.here))
        rows = rows.filter(status__in=["Open", "Draft"])
        return [
            Late(
                row.remote_id, row.number, row.title, row.responsible_contractor, row.status,
                row.due_date, row.submit_by, self.day(row.created_on), row.restricted,
                tuple(row.named),
            )
            for row in rows.order_by("remote_id")
        ]  # fmt: skip

    @cached_property
    def events(self) -> list[ChangeEventCost]:
        return read_events(self.here, self.contracts, self.orders)

    def events_without_order(self) -> list[ChangeEventCost]:
        return [event for event in self.events if event.without_order]

    @cached_property
    def handoff(self) -> Handoff | None:
        """The newest one whose lines are in Procore."""
        return newest_standing(self.company_id, self.project_id)

    @cached_property
    def drifted(self) -> list[Drift]:
        """Codes of the handoff whose budget differs from what it wrote."""
        return drift(self.handoff) if self.handoff else []

    @property
    def _rfis(self) -> Any:
        return with_restricted(Rfi.objects.filter(**self.here))

    def day(self, moment: datetime | None) -> date | None:
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
        for contract in self.contracts:
            weights = [amount for _, amount in contract.lines]
            approved = contract.approved if contract.counts else ZERO
            for (key, amount), more, pending in zip(
                contract.lines, spread(approved, weights), spread(contract.pending, weights),
                strict=True,
            ):  # fmt: skip
                if contract.counts:
                    sums[key]["committed"] += amount + more
                if pending:
                    sums[key]["pending"] += pending

    def _stand_in(self, sums: dict[Key, dict[str, Decimal]]) -> None:
        """Uses Procore's own columns for sums whose records are not read yet."""
        if not self.unread:
            return
        for own in sums.values():
            own.update(dict.fromkeys(self.unread, ZERO))
        for (currency, code), columns in self.procore_columns.items():
            for _label, name, column in KINDS:
                if name in self.unread and column in columns:
                    sums[code, currency][name] = columns[column]

    @cached_property
    def unread(self) -> frozenset[str]:
        return unread_sums(self.company_id, self.project_id)

    @cached_property
    def procore_columns(self) -> dict[tuple[str, int], dict[str, Decimal]]:
        return procore_columns(rows_of(self.company_id, self.project_id))

    def _add_events(self, sums: dict[Key, dict[str, Decimal]]) -> None:
        """Adds events to codes that exist already: they are only compared with their budget."""
        for event in self.events:
            for code, amount in event.open_by_code.items():
                if (code, event.currency) in sums:
                    sums[code, event.currency]["events"] += amount

    def _cost_lines(self, wanted: ApprovalState) -> Any:
        """Lines of direct costs, never their headers, which may be empty for days."""
        costs = DirectCost.objects.filter(**self.here).annotate(plain=plain_status())
        if wanted is ApprovalState.UNKNOWN:
            costs = costs.exclude(plain__in=list(DIRECT_COSTS))
        else:
            costs = costs.filter(plain__in=named(DIRECT_COSTS, wanted))
        return DirectCostLineItem.objects.filter(
            **self.here, direct_cost_id__in=costs.values("remote_id")
        )

    def names(self, codes: Iterable[int]) -> dict[int, tuple[str, str]]:
        rows = WbsCode.objects.filter(company_id=self.company_id, remote_id__in=set(codes))
        return {
            key: (code, name)
            for key, code, name in rows.values_list("remote_id", "flat_code", "flat_name")
        }


class _PublicFacts(ProjectFacts):
    """Derived from the facts of all records, without further queries."""

    def __init__(self, whole: ProjectFacts) -> None:
        super().__init__(whole.project, whole.now)
        self.whole = whole

    @property
    def currency(self) -> str:
        return self.whole.currency

    @property
    def open_sums(self) -> list[tuple[Key, str, Decimal]]:
        return self.whole.open_sums

    @property
    def unknown_direct_costs(self) -> list[tuple[str, Decimal]]:
        return self.whole.unknown_direct_costs

    @cached_property
    def orders(self) -> list[ContractChange]:
        return [order for order in self.whole.orders if not order.restricted]

    @cached_property
    def contracts(self) -> list[Contract]:
        return [contract.public for contract in self.whole.contracts if contract.public]

    @property
    def orders_unread(self) -> bool:
        return self.whole.orders_unread

    @cached_property
    def questions(self) -> list[RfiTiming]:
        return [question for question in self.whole.questions if not question.restricted]

    @cached_property
    def overdue_rfis(self) -> list[tuple[Late, str, Decimal | None]]:
        return [found for found in self.whole.overdue_rfis if not found[0].restricted]

    @cached_property
    def submittals(self) -> list[Late]:
        return [submittal for submittal in self.whole.submittals if not submittal.restricted]

    @cached_property
    def events(self) -> list[ChangeEventCost]:
        """An event's own lines show how much of it is ordered."""
        return [event for event in self.whole.events if not event.restricted]

    @property
    def handoff(self) -> Handoff | None:
        return self.whole.handoff

    @property
    def drifted(self) -> list[Drift]:
        return self.whole.drifted

    @property
    def unread(self) -> frozenset[str]:
        return self.whole.unread

    @property
    def procore_columns(self) -> dict[tuple[str, int], dict[str, Decimal]]:
        return self.whole.procore_columns

    def names(self, codes: Iterable[int]) -> dict[int, tuple[str, str]]:
        """All of them are codes of the full facts."""
        wanted = set(codes)
        known = {c.wbs_code_id: (c.flat_code, c.name) for c in self.whole.costs}
        return {code: names for code, names in known.items() if code in wanted}


def _grouped(rows: Any, *names: str) -> Any:
    known = rows.exclude(amount=None).order_by()
    return known.values_list(*names).annotate(total=Sum("amount"))
