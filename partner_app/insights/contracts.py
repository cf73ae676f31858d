"""A project's contracts with their change orders of all tiers. Inside tenant()."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum

from integrations.procore.resources.change_order_packages import ChangeOrderPackage
from integrations.procore.resources.change_orders import ChangeOrder
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.potential_change_orders import PotentialChangeOrder
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.sight import open_to_all, with_restricted
from integrations.procore.sync.models import SyncCursor
from partner_app.insights import metrics
from partner_app.insights.metrics import ZERO
from partner_app.insights.statuses import CONTRACTS, ORDERS, ApprovalState, standing, with_status

DEFAULT_CURRENCY = "USD"
ORDER_LISTS = tuple(m.spec.name for m in (ChangeOrder, ChangeOrderPackage, PotentialChangeOrder))
OF_ORDER = (
    "remote_id", "contract_id", "status", "grand_total", "currency", "created_on", "restricted",
    "named",
)  # fmt: skip

Here = dict[str, int]
Key = tuple[int, str]  # WBS code, currency
Invoiced = tuple[Decimal, date | None]  # the sum, and the last one's day
Invoices = dict[int, Invoiced]  # by contract


@dataclass(frozen=True, kw_only=True)
class Contract:
    """`total` is before changes; `lines` are its parts by WBS code and currency.

    `restricted`: private or a draft, so that not everyone with the tool may see it. `public` is the
    same contract without the changes and invoices that not everyone may see.
    """

    remote_id: int
    number: str
    title: str
    vendor: str
    standing: ApprovalState
    currency: str
    total: Decimal
    lines: list[tuple[Key, Decimal]]
    approved: Decimal
    pending: Decimal
    not_covered: Decimal
    invoiced: Decimal
    last_invoice: date | None
    restricted: bool
    public: "Contract | None" = None

    @property
    def counts(self) -> bool:
        return self.standing is ApprovalState.COUNTS


@dataclass(frozen=True, kw_only=True)
class ContractChange:
    """A change of a contract, of any tier: `resource` names its list.

    `restricted`: it or its contract is private or a draft; `named` people may see it anyway.
    """

    resource: str
    remote_id: int
    contract_id: int
    status: str
    standing: ApprovalState
    amount: Decimal
    currency: str
    created_on: datetime | None
    restricted: bool
    named: tuple[int, ...]


def read_orders(here: Here) -> list[ContractChange]:
    """Changes of the project's contracts, each once.

    A package that a change order names as its own is the same order. A potential change order with
    a package counts in the package; one without is pending, approved or not.
    """
    own = with_restricted(ChangeOrder.objects.filter(**here))
    orders = list(own.values_list(*OF_ORDER, "package_id"))
    found = [_order(ChangeOrder.spec.name, *row) for *row, _ in orders]
    packages = with_restricted(ChangeOrderPackage.objects.filter(**here)).exclude(
        remote_id__in=[package for *_, package in orders if package]
    )
    found += [_order(ChangeOrderPackage.spec.name, *row) for row in packages.values_list(*OF_ORDER)]
    loose = with_restricted(PotentialChangeOrder.objects.filter(**here, package=""))
    found += [_order(PotentialChangeOrder.spec.name, *row) for row in loose.values_list(*OF_ORDER)]
    # Those of prime contracts are in the same lists.
    contracts = with_restricted(Commitment.objects.filter(**here))
    ours = {
        key: (hidden, frozenset(named))
        for key, hidden, named in contracts.values_list("remote_id", "restricted", "named")
    }
    return [_held(order, *ours[order.contract_id]) for order in found if order.contract_id in ours]


def _held(order: ContractChange, hidden: bool, named: frozenset[int]) -> ContractChange:  # noqa: FBT001  # a row of the contract
    """Limits a change to those who may also see its contract, where that is not open to all."""
    if not hidden:
        return order
    both = named & set(order.named) if order.restricted else named
    return replace(order, restricted=True, named=tuple(sorted(both)))


def _order(
    resource: str,
    remote_id: int,
    contract_id: int | None,
    status: str,
    amount: Decimal | None,
    currency: str,
    created_on: datetime | None,
    restricted: bool,  # noqa: FBT001  # a row of the list
    named: Sequence[int],
) -> ContractChange:
    found = standing(ORDERS, status)
    if found is ApprovalState.COUNTS and resource == PotentialChangeOrder.spec.name:
        found = ApprovalState.PENDING
    return ContractChange(
        resource=resource,
        remote_id=remote_id,
        contract_id=contract_id or 0,
        status=status,
        standing=found,
        amount=amount or ZERO,
        currency=currency or DEFAULT_CURRENCY,
        created_on=created_on,
        restricted=restricted,
        named=tuple(named),
    )


def orders_withheld(here: Here) -> bool:
    """Whether Procore does not let the app read one of the lists of change orders."""
    cursors = SyncCursor.objects.filter(**here, resource__in=ORDER_LISTS)
    return cursors.exclude(refused_at=None).exists()


def read_contracts(here: Here, orders: Iterable[ContractChange]) -> list[Contract]:
    sums: dict[tuple[int, ApprovalState], Decimal] = defaultdict(Decimal)
    public: dict[tuple[int, ApprovalState], Decimal] = defaultdict(Decimal)
    for order in orders:
        sums[order.contract_id, order.standing] += order.amount
        if not order.restricted:
            public[order.contract_id, order.standing] += order.amount
    lines, invoices, public_invoices = _lines(here), *_invoices(here)
    found = []
    for row in with_restricted(Commitment.objects.filter(**here)).order_by("remote_id"):
        currency = row.currency or DEFAULT_CURRENCY
        own = [((code, of or currency), amount) for code, of, amount in lines[row.remote_id]]
        total = metrics.contract_sum(row.grand_total, [amount for _, amount in own])
        approved = sums[row.remote_id, ApprovalState.COUNTS]
        pending = sums[row.remote_id, ApprovalState.PENDING]
        invoiced, last = invoices.get(row.remote_id, (ZERO, None))
        missing = metrics.not_covered(row.approved_change_orders, approved)
        contract = Contract(
            remote_id=row.remote_id,
            number=row.number,
            title=row.title,
            vendor=row.vendor,
            standing=standing(CONTRACTS, row.status),
            currency=currency,
            total=total,
            lines=own or [((0, currency), total)],
            approved=approved,
            pending=pending,
            not_covered=missing + metrics.not_covered(_reported_pending(row), pending),
            invoiced=invoiced,
            last_invoice=last,
            restricted=row.restricted,
        )
        shown, last_shown = public_invoices.get(row.remote_id, (ZERO, None))
        # What no list shows is the same for all viewers: otherwise it would reveal private changes.
        seen = replace(
            contract,
            approved=public[row.remote_id, ApprovalState.COUNTS],
            pending=public[row.remote_id, ApprovalState.PENDING],
            invoiced=shown,
            last_invoice=last_shown,
        )
        found.append(contract if contract.restricted else replace(contract, public=seen))
    return found


def _lines(here: Here) -> dict[int, list[tuple[int, str, Decimal]]]:
    """For each contract: amounts by WBS code and currency."""
    found: dict[int, list[tuple[int, str, Decimal]]] = defaultdict(list)
    rows: Any = CommitmentLineItem.objects.filter(**here).exclude(amount=None).order_by()
    sums = rows.values_list("contract_id", "wbs_code_id", "currency").annotate(total=Sum("amount"))
    for contract, code, currency, amount in sums:
        found[contract or 0].append((code or 0, currency, amount))
    for lines in found.values():
        lines.sort()
    return found


def _invoices(here: Here) -> tuple[Invoices, Invoices]:
    """For each contract: approved invoiced amounts, and those of invoices open to all."""
    rows = with_status(Requisition.objects.filter(**here), ["approved"]).order_by()
    every, public = (
        {
            contract: (amount or ZERO, last)
            for contract, amount, last in chosen.values_list("contract_id").annotate(
                amount=Sum("total_claimed_amount"), last=Max("billing_date")
            )
        }
        for chosen in (rows, rows.filter(open_to_all(Requisition)))
    )
    return every, public


def _reported_pending(row: Commitment) -> Decimal | None:
    """The pending and draft changes that the contract itself reports."""
    pending: Decimal | None = row.pending_change_orders
    drafted: Decimal = row.draft_change_orders_amount or ZERO
    return None if pending is None else pending + drafted
