"""The records behind a case, or behind one WBS code, within the viewer's rights.

Inside tenant(). Each group names the tool that its records belong to in Procore.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from integrations.procore.resources.budget_codes import tied_rows
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.change_orders import ChangeOrder
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import COMMITTED, Commitment
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from partner_app.embedded.entitlement import Rights, Tool
from partner_app.insights.facts import DEFAULT_CURRENCY, NO_ORDER_YET, PENDING_ORDERS
from partner_app.insights.models import ExceptionCase, Rule

COMMITTED_AMOUNT = F("grand_total") + F("approved_change_orders")
BUDGET_AMOUNT = F("original_budget_amount") + F("budget_modifications")
MOST = 50  # records of one kind that a page shows


@dataclass(frozen=True)
class Group:
    """Records that may be evidence, not read yet: `tool` is the one that they belong to."""

    tool: Tool
    title: str
    shape: str
    rows: Any


@dataclass(frozen=True)
class Evidence:
    """Records of one shape; `more` says that there are others beyond MOST."""

    title: str
    shape: str
    rows: list[Any]
    more: bool = False


def evidence(case: ExceptionCase, rights: Rights) -> list[Evidence]:
    """What is of a tool that the viewer lacks is not even read; empty groups are left out."""
    here = {"company_id": case.company_id, "project_id": case.project_id}
    _kind, _colon, key = case.subject.partition(":")
    groups = GROUPS[Rule(case.rule)](here, key)
    found = [_read(group) for group in groups if group.tool in rights.tools]
    return [group for group in found if group.rows]


def _cost(here: dict[str, int], key: str) -> list[Group]:
    code, _colon, currency = key.partition(":")
    return of_code(here, int(code), currency)


def of_code(here: dict[str, int], code: int, currency: str) -> list[Group]:
    """Budget, lines of committed contracts, and approved direct costs of a WBS code (0: none)."""
    of = Q(wbs_code_id=code) if code else Q(wbs_code_id=None)
    own = of & in_currency(currency)
    tied = tied_rows(**here)
    of_row = Q(remote_id__in=[key for key, row_code in tied.items() if row_code == code]) | of
    budget = BudgetRow.objects.filter(of_row & in_currency(currency), **here)
    budget = budget if code else budget.exclude(remote_id__in=list(tied))
    budget = budget.annotate(amount=BUDGET_AMOUNT)
    contracts = Commitment.objects.filter(
        company_id=OuterRef("company_id"), remote_id=OuterRef("contract_id")
    )
    names = ("number", "title", "status", "vendor")
    lines: Any = CommitmentLineItem.objects.filter(of, **here).annotate(
        **{name: Subquery(contracts.values(name)[:1]) for name in names},
        of_contract=Subquery(contracts.values("currency")[:1]),
    )
    lines = lines.filter(
        in_currency(currency) | Q(currency="") & in_currency(currency, of="of_contract")
    )
    lines = lines.filter(status__in=COMMITTED).order_by("-amount", "remote_id")
    contract_ids = set(lines.order_by().values_list("contract_id", flat=True).distinct())
    orders = ChangeOrder.objects.filter(**here, contract_id__in=contract_ids, status="approved")
    spent = approved_cost_lines(here).filter(own)
    return [
        Group(Tool.BUDGET, _("Budget"), "budget", budget),
        Group(Tool.COMMITMENTS, _("Lines of committed contracts"), "lines", lines),
        Group(Tool.COMMITMENTS, _("Approved change orders of these contracts"), "orders", orders),
        Group(Tool.DIRECT_COSTS, _("Approved direct costs"), "costs", spent),
    ]


def in_currency(currency: str, *, of: str = "currency") -> Q:
    """Records that name none count in the default one, as facts.py has it."""
    names = [currency, ""] if currency == DEFAULT_CURRENCY else [currency]
    return Q(**{f"{of}__in": names})


def approved_cost_lines(here: dict[str, int]) -> Any:
    """Lines of approved direct costs, each with what its cost says, the largest first."""
    costs = DirectCost.objects.filter(
        company_id=OuterRef("company_id"), remote_id=OuterRef("direct_cost_id")
    )
    names = ("description", "vendor", "status", "cost_date")
    lines: Any = DirectCostLineItem.objects.filter(**here).annotate(
        **{name: Subquery(costs.values(name)[:1]) for name in names}
    )
    return lines.filter(status__iexact="approved").order_by("-amount", "remote_id")


def _exposure(here: dict[str, int], currency: str) -> list[Group]:
    orders = ChangeOrder.objects.filter(**here, currency=currency, status__in=PENDING_ORDERS)
    events = ChangeEvent.objects.filter(**here, currency=currency, status=NO_ORDER_YET)
    return [
        Group(
            Tool.COMMITMENTS, _("Pending change orders"), "orders", orders.order_by("-grand_total")
        ),
        Group(
            Tool.CHANGE_EVENTS,
            _("Open change events"),
            "change_events",
            events.order_by("-latest_cost"),
        ),
    ]


def _drift(_here: dict[str, int], _key: str) -> list[Group]:
    """The handoff's own page lists the codes."""
    return []


def _rfi(here: dict[str, int], key: str) -> list[Group]:
    events = ChangeEvent.objects.filter(**here, origin_id=key, origin_type__icontains="rfi")
    return [
        Group(Tool.RFIS, _("RFI"), "rfis", Rfi.objects.filter(**here, remote_id=key)),
        Group(Tool.CHANGE_EVENTS, _("Change events from this RFI"), "change_events", events),
    ]


def _submittal(here: dict[str, int], key: str) -> list[Group]:
    rows = Submittal.objects.filter(**here, remote_id=key)
    return [Group(Tool.SUBMITTALS, _("Submittal"), "submittals", rows)]


def _event(here: dict[str, int], key: str) -> list[Group]:
    event = ChangeEvent.objects.filter(**here, remote_id=key)
    origin = Rfi.objects.filter(
        **here,
        remote_id__in=event.filter(origin_type__icontains="rfi").values("origin_id"),
    )
    return [
        Group(Tool.CHANGE_EVENTS, _("Change event"), "change_events", event),
        Group(Tool.RFIS, _("It came from this RFI"), "rfis", origin),
    ]


def _contract(here: dict[str, int], key: str) -> list[Group]:
    contract = Commitment.objects.filter(**here, remote_id=key).annotate(amount=COMMITTED_AMOUNT)
    invoices = Requisition.objects.filter(**here, contract_id=key, status__iexact="approved")
    return [
        Group(Tool.COMMITMENTS, _("Contract with its approved changes"), "contracts", contract),
        Group(
            Tool.COMMITMENTS, _("Approved invoices"), "invoices", invoices.order_by("-billing_date")
        ),
    ]


GROUPS: dict[Rule, Callable[[dict[str, int], str], list[Group]]] = {
    Rule.OVER_COMMITMENT: _cost,
    Rule.BUYOUT_GAP: _cost,
    Rule.PENDING_EXPOSURE: _exposure,
    Rule.HANDOFF_DRIFT: _drift,
    Rule.RFI_OVERDUE: _rfi,
    Rule.SUBMITTAL_LATE: _submittal,
    Rule.EVENT_WITHOUT_ORDER: _event,
    Rule.INVOICE_OVER_CONTRACT: _contract,
}


def _read(group: Group) -> Evidence:
    found = list(group.rows[: MOST + 1])
    return Evidence(group.title, group.shape, found[:MOST], more=len(found) > MOST)
