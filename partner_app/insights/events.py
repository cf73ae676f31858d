"""Open change events, and how much of their cost is already ordered. Inside tenant()."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from integrations.procore.resources.change_event_lines import ChangeEventLine
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.sight import with_restricted
from integrations.procore.sync.models import SyncCursor
from partner_app.insights import metrics
from partner_app.insights.contracts import DEFAULT_CURRENCY, Contract, ContractChange, Here
from partner_app.insights.metrics import ZERO, EventLine
from partner_app.insights.statuses import EVENTS_OVER, ORDER_IS_OVER, ApprovalState, plain

WAITS = "open"  # status of an event without an order under way
LIVE = (ApprovalState.COUNTS, ApprovalState.PENDING)


@dataclass(frozen=True, kw_only=True)
class ChangeEventCost:
    """`pending` is the part of its latest cost in no contract, order or budget change.

    `maybe_ordered` is the part of that which an order may hold without saying so. `restricted`: a
    draft, visible only to the people `named`.
    """

    remote_id: int
    number: str
    title: str
    status: str
    cost: Decimal | None
    pending: Decimal
    maybe_ordered: Decimal
    linked: bool
    open_by_code: dict[int, Decimal]  # according to its lines
    currency: str
    created_on: datetime | None
    restricted: bool
    named: tuple[int, ...]

    @property
    def without_order(self) -> bool:
        return plain(self.status) == WAITS and (bool(self.pending) or not self.linked)


def read_events(
    here: Here, contracts: Iterable[Contract], orders: Sequence[ContractChange]
) -> list[ChangeEventCost]:
    """Those that are neither closed nor void."""
    lines = _lines(here, contracts, orders)
    doubtful = _links_unread(here) or _orders_without_event(here, orders)
    found = []
    for row in with_restricted(ChangeEvent.objects.filter(**here)).order_by("remote_id"):
        if plain(row.status) in EVENTS_OVER:
            continue
        own = lines[row.remote_id]
        linked = any(line.linked for line in own)
        pending = metrics.event_pending(row.latest_cost or ZERO, own)
        found.append(
            ChangeEventCost(
                remote_id=row.remote_id,
                number=row.number,
                title=row.title,
                status=row.status,
                cost=row.latest_cost,
                pending=pending,
                maybe_ordered=pending if doubtful and not linked else ZERO,
                linked=linked,
                open_by_code=_by_code(own),
                currency=row.currency or DEFAULT_CURRENCY,
                created_on=row.created_on,
                restricted=row.restricted,
                named=tuple(row.named),
            )
        )
    return found


def _lines(
    here: Here, contracts: Iterable[Contract], orders: Iterable[ContractChange]
) -> dict[int, list[EventLine]]:
    """Ignores links to contracts that do not count, and to orders that are over."""
    live = {contract.remote_id for contract in contracts if contract.counts}
    live |= {order.contract_id for order in orders if order.standing in LIVE}
    found: dict[int, list[EventLine]] = defaultdict(list)
    for line in ChangeEventLine.objects.filter(**here):
        in_order = bool(line.order_cost) and plain(line.order_status) not in ORDER_IS_OVER
        ordered = in_order or line.contract_id in live
        cost, covered = line.cost or ZERO, line.budget_change or ZERO
        found[line.event_id or 0].append(EventLine(cost, ordered, covered, line.wbs_code_id or 0))
    return found


def _by_code(lines: Iterable[EventLine]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[line.wbs_code_id] += line.open
    return dict(found)


def _links_unread(here: Here) -> bool:
    """Links are unknown before their list was read, or where Procore withholds it."""
    cursors = SyncCursor.objects.filter(**here, resource=ChangeEventLine.spec.name)
    return not cursors.filter(refused_at=None).exclude(fresh_at=None).exists()


def _orders_without_event(here: Here, orders: Iterable[ContractChange]) -> bool:
    """Whether orders hold more than events name: then one may hold an event's cost."""
    named = ChangeEventLine.objects.filter(**here).values_list("order_cost", flat=True)
    ordered = sum((order.amount for order in orders if order.standing in LIVE), ZERO)
    return ordered > sum((cost or ZERO for cost in named), ZERO)
