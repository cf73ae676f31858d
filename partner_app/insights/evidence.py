"""The records behind a case, or behind one WBS code, within the viewer's rights.

Inside tenant(). Each group names the tool that its records belong to in Procore.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from integrations.procore.resources.budget_codes import tied_rows
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.tools import Tool
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.sight import VisibleRecord, seen_by
from partner_app.insights.contracts import DEFAULT_CURRENCY, ORDER_LISTS
from partner_app.insights.metrics import ZERO
from partner_app.insights.models import ChangeFigure, ContractFigure, ExceptionCase, Rule
from partner_app.insights.statuses import DIRECT_COSTS, ApprovalState, named, with_status

BUDGET_AMOUNT = F("original_budget_amount") + F("budget_modifications")
MOST = 50  # records of one kind that a page shows


@dataclass(frozen=True)
class ProjectView:
    """A viewer on a project: every record that a page shows is read through this."""

    company_id: int
    rights: Rights

    @property
    def here(self) -> dict[str, int]:
        return {"company_id": self.company_id, "project_id": self.rights.project_id}

    def rows(self, model: Any, **only: Any) -> Any:
        """The project's records of one kind that the viewer may see."""
        found = model.objects.filter(**self.here, **only)
        return seen_by(found, {self.rights.project_id: self.rights})

    def changes(self) -> Any:
        """Amounts of change orders and change events that the viewer may see."""
        found = ChangeFigure.objects.filter(**self.here)
        hidden = {
            Tool.COMMITMENTS: Q(resource__in=ORDER_LISTS),
            Tool.CHANGE_EVENTS: Q(resource=ChangeEvent.spec.name),
        }
        for tool, of_tool in hidden.items():
            if tool not in self.rights.tools:
                found = found.exclude(of_tool)
            elif tool not in self.rights.administers:
                theirs = Q(restricted=False) | Q(named__contains=[self.rights.person])
                found = found.filter(~of_tool | theirs)
        return found

    def part(self, name: str) -> Any:
        """A column of ContractFigure, without amounts from records that they may not see."""
        whole = Tool.COMMITMENTS in self.rights.administers
        return F(name) if whole else F(name) - F(f"private_{name}")


@dataclass(frozen=True)
class EvidenceGroup:
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
    rows: list[VisibleRecord]
    more: bool = False


def evidence(case: ExceptionCase, rights: Rights) -> list[Evidence]:
    """Records of a tool that the viewer lacks are not even read; empty groups are left out."""
    _kind, _colon, key = case.subject.partition(":")
    groups = GROUPS[Rule(case.rule)](ProjectView(case.company_id, rights), key)
    found = [_read(group, rights) for group in groups if group.tool in rights.tools]
    return [group for group in found if group.rows]


def _cost(look: ProjectView, key: str) -> list[EvidenceGroup]:
    code, _colon, currency = key.partition(":")
    return of_code(look, int(code), currency)


def of_code(look: ProjectView, code: int, currency: str) -> list[EvidenceGroup]:
    """Budget, lines of committed contracts, and approved direct costs of a WBS code (0: none)."""
    of = Q(wbs_code_id=code) if code else Q(wbs_code_id=None)
    own = of & in_currency(currency)
    here, tied = look.here, tied_rows(**look.here)
    of_row = Q(remote_id__in=[key for key, row_code in tied.items() if row_code == code]) | of
    budget = BudgetRow.objects.filter(of_row & in_currency(currency), **here)
    budget = budget if code else budget.exclude(remote_id__in=list(tied))
    budget = budget.annotate(amount=BUDGET_AMOUNT)
    of_line = Commitment.objects.filter(
        company_id=OuterRef("company_id"), remote_id=OuterRef("contract_id")
    )
    names = ("number", "title", "status", "vendor")
    counted = ContractFigure.objects.filter(**here, standing=ApprovalState.COUNTS)
    lines: Any = (
        look.rows(CommitmentLineItem)
        .filter(of)
        .annotate(
            **{name: Subquery(of_line.values(name)[:1]) for name in names},
            of_contract=Subquery(of_line.values("currency")[:1]),
        )
    )
    lines = lines.filter(
        in_currency(currency) | Q(currency="") & in_currency(currency, of="of_contract"),
        contract_id__in=counted.values("contract_id"),
    ).order_by("-amount", "remote_id")
    contract_ids = set(lines.order_by().values_list("contract_id", flat=True).distinct())
    orders = changes(look, standing=ApprovalState.COUNTS, contract_id__in=contract_ids)
    spent = approved_cost_lines(look).filter(own)
    return [
        EvidenceGroup(Tool.BUDGET, _("Budget"), "budget", budget),
        EvidenceGroup(Tool.COMMITMENTS, _("Lines of committed contracts"), "lines", lines),
        EvidenceGroup(
            Tool.COMMITMENTS, _("Approved change orders of these contracts"), "orders", orders
        ),
        EvidenceGroup(Tool.DIRECT_COSTS, _("Approved direct costs"), "costs", spent),
    ]


def in_currency(currency: str, *, of: str = "currency") -> Q:
    """Records without a currency count in the default one, as in facts.py."""
    names = [currency, ""] if currency == DEFAULT_CURRENCY else [currency]
    return Q(**{f"{of}__in": names})


def approved_cost_lines(look: ProjectView) -> Any:
    """Lines of approved direct costs, each with its cost's details, the largest first."""
    costs = DirectCost.objects.filter(
        company_id=OuterRef("company_id"), remote_id=OuterRef("direct_cost_id")
    )
    names = ("description", "vendor", "status", "cost_date")
    lines: Any = look.rows(DirectCostLineItem).annotate(
        **{name: Subquery(costs.values(name)[:1]) for name in names}
    )
    approved = named(DIRECT_COSTS, ApprovalState.COUNTS)
    return with_status(lines, approved).order_by("-amount", "remote_id")


def contracts(look: ProjectView) -> Any:
    """Each with its amounts for the viewer: `amount` with its approved changes, `pending`."""
    own = ContractFigure.objects.filter(
        company_id=OuterRef("company_id"), contract_id=OuterRef("remote_id")
    )
    whole = own.annotate(whole=F("original") + look.part("approved")).values("whole")
    waiting = own.annotate(waiting=look.part("pending")).values("waiting")
    return look.rows(Commitment).annotate(
        amount=Coalesce(Subquery(whole[:1]), ZERO),
        pending=Coalesce(Subquery(waiting[:1]), ZERO),
        standing=Subquery(own.values("standing")[:1]),
    )


def _exposure(look: ProjectView, currency: str) -> list[EvidenceGroup]:
    orders = changes(look, standing=ApprovalState.PENDING, currency=currency)
    figures = look.changes().filter(resource=ChangeEvent.spec.name, currency=currency)
    figures = figures.exclude(amount=0)
    of_event = figures.filter(remote_id=OuterRef("remote_id"))
    events: Any = look.rows(ChangeEvent, remote_id__in=figures.values("remote_id"))
    events = events.annotate(
        pending=Subquery(of_event.values("amount")[:1]),
        maybe_ordered=Subquery(of_event.values("maybe_ordered")[:1]),
    )
    return [
        EvidenceGroup(Tool.COMMITMENTS, _("Pending change orders"), "orders", orders),
        EvidenceGroup(
            Tool.CHANGE_EVENTS, _("Open change events, less what is ordered"), "pending_events",
            events.order_by("-pending"),
        ),
    ]  # fmt: skip


def changes(look: ProjectView, **only: Any) -> list[Any]:
    """Change orders of all tiers, each once, the largest first; one more than MOST."""
    figures = look.changes().filter(**only, resource__in=ORDER_LISTS)
    largest = figures.order_by("-amount", "remote_id")[: MOST + 1]
    keys = list(largest.values_list("resource", "remote_id"))
    records = {}
    for resource in {resource for resource, _key in keys}:
        rows = look.rows(RESOURCES[resource])
        for row in rows.filter(remote_id__in=[key for of, key in keys if of == resource]):
            records[resource, row.remote_id] = row
    return [records[key] for key in keys if key in records]


def _drift(_look: ProjectView, _key: str) -> list[EvidenceGroup]:
    """The handoff's own page lists the codes."""
    return []


def _rfi(look: ProjectView, key: str) -> list[EvidenceGroup]:
    events = look.rows(ChangeEvent, origin_id=key, origin_type__icontains="rfi")
    return [
        EvidenceGroup(Tool.RFIS, _("RFI"), "rfis", look.rows(Rfi, remote_id=key)),
        EvidenceGroup(
            Tool.CHANGE_EVENTS, _("Change events from this RFI"), "change_events", events
        ),
    ]


def _submittal(look: ProjectView, key: str) -> list[EvidenceGroup]:
    rows = look.rows(Submittal, remote_id=key)
    return [EvidenceGroup(Tool.SUBMITTALS, _("Submittal"), "submittals", rows)]


def _event(look: ProjectView, key: str) -> list[EvidenceGroup]:
    event = look.rows(ChangeEvent, remote_id=key)
    origin = look.rows(
        Rfi, remote_id__in=event.filter(origin_type__icontains="rfi").values("origin_id")
    )
    return [
        EvidenceGroup(Tool.CHANGE_EVENTS, _("Change event"), "change_events", event),
        EvidenceGroup(Tool.RFIS, _("Created from this RFI"), "rfis", origin),
    ]


def _contract(look: ProjectView, key: str) -> list[EvidenceGroup]:
    contract = contracts(look).filter(remote_id=key)
    invoices = with_status(look.rows(Requisition, contract_id=key), ["approved"])
    return [
        EvidenceGroup(
            Tool.COMMITMENTS, _("Contract with its approved changes"), "contracts", contract
        ),
        EvidenceGroup(
            Tool.COMMITMENTS, _("Approved invoices"), "invoices", invoices.order_by("-billing_date")
        ),
    ]


GROUPS: dict[Rule, Callable[[ProjectView, str], list[EvidenceGroup]]] = {
    Rule.OVER_COMMITMENT: _cost,
    Rule.BUYOUT_GAP: _cost,
    Rule.PENDING_EXPOSURE: _exposure,
    Rule.HANDOFF_DRIFT: _drift,
    Rule.RFI_OVERDUE: _rfi,
    Rule.SUBMITTAL_LATE: _submittal,
    Rule.EVENT_WITHOUT_ORDER: _event,
    Rule.INVOICE_OVER_CONTRACT: _contract,
}


def _read(group: EvidenceGroup, rights: Rights) -> Evidence:
    found = [VisibleRecord(row, rights) for row in group.rows[: MOST + 1]]
    return Evidence(group.title, group.shape, found[:MOST], more=len(found) > MOST)
