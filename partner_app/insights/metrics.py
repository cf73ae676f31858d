"""One function for each metric, from plain facts to a number.

Pure: the same facts give the same number, wherever they come from.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

ZERO = Decimal(0)
TENTH = Decimal("0.1")
WORKDAYS = 5  # Monday to Friday; holidays are not known


@dataclass(frozen=True)
class CodeCost:
    """The costs of one WBS code, in one currency.

    `original` O, `changes` M, `committed` C, `pending` Pc, `direct` D; `events` is Pe as far as
    lines of events name the code, `budget_pending` the changes of its budget that are not approved.
    """

    wbs_code_id: int
    flat_code: str
    name: str
    currency: str
    original: Decimal = ZERO
    changes: Decimal = ZERO
    committed: Decimal = ZERO
    pending: Decimal = ZERO
    direct: Decimal = ZERO
    events: Decimal = ZERO
    budget_pending: Decimal = ZERO

    @property
    def budget(self) -> Decimal:
        """B, the revised budget."""
        return self.original + self.changes

    @property
    def spoken_for(self) -> Decimal:
        return self.committed + self.direct


@dataclass(frozen=True)
class EventLine:
    """A line of a change event. `ordered`: its cost is in a contract or a change order.

    `covered` is the part that a budget change covers.
    """

    cost: Decimal
    ordered: bool
    covered: Decimal = ZERO
    wbs_code_id: int = 0

    @property
    def linked(self) -> bool:
        return self.ordered or bool(self.covered)

    @property
    def open(self) -> Decimal:
        return ZERO if self.ordered else toward_zero(self.cost, self.cost - self.covered)


@dataclass(frozen=True)
class RfiTiming:
    """An RFI: days by the project's calendar. `restricted`: private or a draft."""

    begun: date | None
    ended: date | None
    due: date | None
    is_open: bool
    impact: str
    value: Decimal | None
    restricted: bool = False


def buyout_gap(cost: CodeCost, *, started: bool) -> Decimal:
    """B − C − D where something is committed or work has started; never below zero."""
    if cost.committed <= 0 and not started:
        return ZERO
    return max(ZERO, cost.budget - cost.spoken_for)


def over_commitment(cost: CodeCost) -> Decimal:
    """C + D − B where that is above zero."""
    return max(ZERO, cost.spoken_for - cost.budget)


def contract_sum(header: Decimal | None, lines: Sequence[Decimal]) -> Decimal:
    """A contract before changes: the sum of its lines, or its header's amount where it has none."""
    return sum(lines, ZERO) if lines else header or ZERO


def not_covered(reported: Decimal | None, known: Decimal) -> Decimal:
    """Change orders that a contract reports beyond those that could be read."""
    return max(ZERO, reported - known) if reported is not None else ZERO


def event_pending(latest: Decimal, lines: Sequence[EventLine]) -> Decimal:
    """Pe of one event: the part of its latest cost in no contract, change order or budget change.

    By links only: an event stays open after its order. Without any link all of it is pending.
    """
    if not any(line.linked for line in lines):
        return latest
    return toward_zero(latest, sum((line.open for line in lines), ZERO))


def toward_zero(limit: Decimal, amount: Decimal) -> Decimal:
    """`amount`, but never beyond `limit` and never on the other side of zero."""
    return max(ZERO, min(limit, amount)) if limit >= 0 else min(ZERO, max(limit, amount))


def budget_relief(cost: CodeCost) -> Decimal:
    """The part of a code's exposure that pending changes of its budget cover."""
    if not cost.wbs_code_id:
        return ZERO
    return max(ZERO, min(cost.pending + cost.events, cost.budget_pending))


def pending_exposure(pending_changes: Decimal, open_events: Decimal, relief: Decimal) -> Decimal:
    """Pc + Pe, less the budget changes pending for the same codes.

    The part of an event in a change order is not among `open_events`.
    """
    return pending_changes + open_events - relief


def projected(budget: Decimal, spoken_for: Decimal, exposure: Decimal) -> Decimal:
    """B − (C + D + Pc + Pe): below zero, the project runs over."""
    return budget - spoken_for - exposure


def covered_budget(costs: Iterable[CodeCost]) -> Decimal:
    """B of the codes with committed cost or spending."""
    return sum((c.budget for c in costs if c.committed > 0 or c.direct > 0), ZERO)


def invoiced_over(contract: Decimal, approved_changes: Decimal, invoiced: Decimal) -> Decimal:
    """Approved invoices beyond the contract with its approved changes."""
    return max(ZERO, invoiced - contract - approved_changes)


def handoff_drift(pairs: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal:
    """Σ |live O − handed off| over the codes that were handed off; a missing line is zero."""
    return sum((abs((live or ZERO) - given) for given, live in pairs), ZERO)


def business_days(begin: date, end: date) -> int:
    """Weekdays after `begin`, up to and including `end`; 0 where `end` is not later."""
    if end <= begin:
        return 0
    weeks, rest = divmod((end - begin).days, 7)
    first = begin + timedelta(days=1)
    extra = sum(1 for n in range(rest) if (first + timedelta(days=n)).weekday() < WORKDAYS)
    return weeks * WORKDAYS + extra


def median_days(spans: Iterable[tuple[date, date]]) -> Decimal | None:
    """Median of business days, to one decimal; None where there is nothing to measure."""
    days = [business_days(begin, end) for begin, end in spans]
    return Decimal(statistics.median(days)).quantize(TENTH) if days else None


def rfi_age(questions: Iterable[RfiTiming], today: date) -> Decimal | None:
    """Median business days that open RFIs have waited."""
    return median_days((q.begun, today) for q in questions if q.is_open and q.begun)


def rfi_turnaround(questions: Iterable[RfiTiming]) -> Decimal | None:
    """Median business days from question to answer."""
    return median_days(
        (q.begun, q.ended) for q in questions if not q.is_open and q.begun and q.ended
    )


def overdue(questions: Iterable[RfiTiming], today: date) -> list[RfiTiming]:
    return [q for q in questions if q.is_open and q.due and q.due < today]


def rfi_cost(questions: Iterable[RfiTiming]) -> Decimal:
    """Σ cost impact of open RFIs that have a value."""
    return sum((q.value for q in questions if q.is_open and q.value), ZERO)


def cost_unknown(questions: Iterable[RfiTiming]) -> int:
    """Open RFIs that say "yes" without a value."""
    return sum(1 for q in questions if q.is_open and q.impact.startswith("yes") and not q.value)


def submittal_late(
    status: str, due: date | None, submit_by: date | None, today: date
) -> date | None:
    """The date that has passed: of review where it is open, of submission where it is a draft."""
    day = {"Open": due, "Draft": submit_by}.get(status)
    return day if day and day < today else None


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Percent to one decimal; None where there is nothing to divide by."""
    return (part / whole * 100).quantize(TENTH) if whole else None


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts proportional to `weights` that add up to `amount`; all to the first without weights.

    Exact: the remainder of the division goes to the largest part.
    """
    whole = sum(weights, ZERO)
    if not whole:
        return [amount, *(ZERO for _ in weights[1:])]
    unit = Decimal("0.01")
    parts = [(amount * weight / whole).quantize(unit) for weight in weights]
    largest = max(range(len(parts)), key=lambda n: abs(parts[n]))
    parts[largest] += amount - sum(parts, ZERO)
    return parts
