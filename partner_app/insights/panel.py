"""The side panel: from the record open in Procore to everything related to it.

Inside tenant(). A group of records is left out where the viewer lacks its tool; the record's own
tool is required.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.projects import Project
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.tools import Tool
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.sight import Amount, VisibleRecord, cost, own_amount
from partner_app.handoffs.selectors import newest_standing, written_codes
from partner_app.insights.contracts import DEFAULT_CURRENCY
from partner_app.insights.evidence import ProjectView, changes
from partner_app.insights.health import health_of
from partner_app.insights.metrics import ZERO, business_days
from partner_app.insights.models import ContractFigure, ExceptionCase
from partner_app.insights.rules import code_subject
from partner_app.insights.selectors import cases_of

MOST = 8  # linked records of one kind
MOST_CASES = 6


@dataclass(frozen=True)
class Fact:
    """`kind`: text, money (an Amount), date, days or percent."""

    label: str
    value: Any
    kind: str = "text"
    warn: bool = False


@dataclass(frozen=True)
class Linked:
    title: str
    rows: Sequence[VisibleRecord]
    total: int
    amount: str  # the column with a row's amount; empty for none


@dataclass(frozen=True)
class RecordContext:
    """`found` False: the record is not here yet, or the view has nothing to show.

    `left_out`: its sums lack records that the viewer may not see.
    """

    kind: str
    title: str = ""
    record: Any = None
    currency: str = DEFAULT_CURRENCY
    facts: Sequence[Fact] = ()
    linked: Sequence[Linked] = ()
    cases: Sequence[ExceptionCase] = ()
    handoff: Any = None
    found: bool = False
    left_out: bool = False


@dataclass(frozen=True)
class Glance(ProjectView):
    """What is shown for a record, or (0) for the project as a whole: the same for every kind."""

    project: Project
    record_id: int
    today: date

    def shown(self, rows: Iterable[Any], tool: Tool) -> list[VisibleRecord]:
        return [VisibleRecord(row, self.rights, tool) for row in rows]

    def money(
        self, label: str, tool: Tool, value: Decimal, currency: str, *, warn: bool = False
    ) -> Fact:
        amount = own_amount(self.rights, tool, value, currency or DEFAULT_CURRENCY)
        return Fact(label, amount, "money", warn=warn)

    def sees(self, tool: Tool) -> bool:
        return tool in self.rights.tools

    def cases(self, *subjects: str) -> list[ExceptionCase]:
        rows = cases_of(self.project.company_id, {self.project.remote_id: self.rights})
        return list(rows.filter(subject__in=subjects)[:MOST_CASES]) if subjects else []


def record_context(
    project: Project, view: str, record_id: int | None, rights: Rights, today: date
) -> RecordContext:
    """Raises NotEntitled where the viewer lacks the record's tool."""
    for prefix, tool, show in VIEWS:
        if view.startswith(prefix):
            rights.require(tool)
            return show(Glance(project.company_id, rights, project, record_id or 0, today))
    return RecordContext("")


def _rfi(look: Glance) -> RecordContext:
    kind = _("RFI")
    row = look.rows(Rfi, remote_id=look.record_id).first()
    if row is None:
        return RecordContext(kind)
    is_open = row.status == "open"
    begun = row.initiated_at.date() if row.initiated_at else None
    facts = [
        Fact(_("Status"), row.status.capitalize()),
        *_due(_("Due"), row.due_date, look.today, is_open=is_open),
    ]
    if row.cost_impact:
        if amount := cost(look.rights, row.cost_impact, DEFAULT_CURRENCY):
            facts.append(Fact(_("Cost at stake"), amount, "money"))
    elif row.cost_impact_status.startswith("yes"):
        facts.append(Fact(_("Cost at stake"), _("yes, not known yet"), warn=True))
    if is_open and row.ball_in_court:
        facts.append(Fact(_("Waiting for"), row.ball_in_court))
    if begun:
        end = row.time_resolved.date() if row.time_resolved and not is_open else look.today
        label = _("Waiting") if is_open else _("Answered after")
        facts.append(Fact(label, business_days(begun, end), "days"))
    linked = []
    if look.sees(Tool.CHANGE_EVENTS):
        events = look.rows(ChangeEvent, origin_id=row.remote_id, origin_type__icontains="rfi")
        title = _("Change events from this RFI")
        linked.append(_linked(look, title, events, Tool.CHANGE_EVENTS, "latest_cost"))
    return RecordContext(
        kind, f"{row.number}: {row.subject}", row, facts=facts, linked=linked,
        cases=look.cases(f"rfi:{row.remote_id}"), found=True,
    )  # fmt: skip


def _submittal(look: Glance) -> RecordContext:
    kind = _("Submittal")
    row = look.rows(Submittal, remote_id=look.record_id).first()
    if row is None:
        return RecordContext(kind)
    facts = [
        Fact(_("Status"), row.status),
        *_due(_("Submit by"), row.submit_by, look.today, is_open=row.status == "Draft"),
        *_due(_("Due"), row.due_date, look.today, is_open=row.status == "Open"),
    ]
    if row.responsible_contractor:
        facts.append(Fact(_("Waiting for"), row.responsible_contractor))
    linked = []
    if look.sees(Tool.COMMITMENTS) and row.responsible_contractor:
        contracts = look.rows(Commitment, vendor=row.responsible_contractor)
        title = _("Contracts with this contractor")
        linked.append(_linked(look, title, contracts, Tool.COMMITMENTS, "grand_total"))
    return RecordContext(
        kind, f"{row.number}: {row.title}", row, facts=facts, linked=linked,
        cases=look.cases(f"submittal:{row.remote_id}"), found=True,
    )  # fmt: skip


def _event(look: Glance) -> RecordContext:
    kind = _("Change event")
    row = look.rows(ChangeEvent, remote_id=look.record_id).first()
    if row is None:
        return RecordContext(kind)
    facts = [Fact(_("Status"), row.status)]
    if row.latest_cost is not None:
        facts.append(
            look.money(_("Latest cost"), Tool.CHANGE_EVENTS, row.latest_cost, row.currency)
        )
    figures = look.changes().filter(resource=ChangeEvent.spec.name, remote_id=row.remote_id)
    figure = figures.first()
    if figure and figure.amount != row.latest_cost:
        label = _("Of which not ordered yet")
        facts.append(look.money(label, Tool.CHANGE_EVENTS, figure.amount, row.currency))
    if row.created_on:
        days = business_days(row.created_on.date(), look.today)
        facts.append(Fact(_("Open for"), days, "days"))
    if row.reason:
        facts.append(Fact(_("Reason"), row.reason))
    linked = []
    if look.sees(Tool.RFIS) and row.origin_id and "rfi" in row.origin_type.lower():
        origin = look.rows(Rfi, remote_id=row.origin_id)
        shown = "cost_impact" if look.rights.sees_budget else ""
        linked.append(_linked(look, _("Created from this RFI"), origin, Tool.RFIS, shown))
    currency = row.currency or DEFAULT_CURRENCY
    return RecordContext(
        kind, f"{row.number}: {row.title}", row, currency, facts, linked,
        look.cases(f"event:{row.remote_id}", f"currency:{currency}"), found=True,
    )  # fmt: skip


def _contract(look: Glance) -> RecordContext:
    kind = _("Commitment")
    row = look.rows(Commitment, remote_id=look.record_id).first()
    if row is None:
        return RecordContext(kind)
    orders = changes(look, contract_id=row.remote_id)
    invoices = look.rows(Requisition, contract_id=row.remote_id)
    lines = look.rows(CommitmentLineItem, contract_id=row.remote_id)
    figure = (
        ContractFigure.objects.filter(**look.here, contract_id=row.remote_id)
        .annotate(
            whole=F("original") + look.part("approved"),
            waiting=look.part("pending"),
            every=F("original") + F("approved") + F("pending"),
        )
        .first()
    )
    facts = [
        Fact(_("Status"), row.status),
        Fact(_("Contractor"), row.vendor or "–"),
    ]
    if figure:  # None before the first computation
        tool, label = Tool.COMMITMENTS, _("With approved changes")
        facts.append(look.money(label, tool, figure.whole, row.currency))
        if figure.waiting:
            label = _("Pending changes")
            facts.append(look.money(label, tool, figure.waiting, row.currency, warn=True))
    currency = row.currency or DEFAULT_CURRENCY
    costs = {(code, own or currency) for code, own in lines.values_list("wbs_code_id", "currency")}
    codes = {code for code, _ in costs if code}
    return RecordContext(
        kind, f"{row.number}: {row.title}", row, currency, facts,
        [
            Linked(
                _("Change orders"), look.shown(orders[:MOST], Tool.COMMITMENTS), len(orders),
                "grand_total",
            ),
            _linked(
                look, _("Invoices"), invoices.order_by("-billing_date"), Tool.COMMITMENTS,
                "total_claimed_amount",
            ),
        ],
        look.cases(
            f"contract:{row.remote_id}", *(code_subject(code, own) for code, own in costs if code)
        ),
        handoff=_origin(look, codes), found=True,
        left_out=figure is not None and figure.every != figure.whole + figure.waiting,
    )  # fmt: skip


def _invoice(look: Glance) -> RecordContext:
    """Shows the contract that the invoice belongs to."""
    row = look.rows(Requisition, remote_id=look.record_id).first()
    if row is None:
        return RecordContext(_("Invoice"))
    return _contract(replace(look, record_id=row.contract_id or 0))


def _budget(look: Glance) -> RecordContext:
    """For the whole budget: Procore names no row. The project's cost cases, and the handoff."""
    [health] = health_of(
        look.project.company_id, [look.project], {look.project.remote_id: look.rights}
    )
    facts = [
        # Each metric is None already where the viewer lacks a tool that it needs.
        Fact(label, Amount(value, health.currency), "money", warn=warn)
        for label, value, warn in (
            (_("Revised budget"), health.budget, False),
            (_("Committed"), health.committed, False),
            (_("Direct costs"), health.direct_costs, False),
            (_("Pending exposure"), health.exposure, False),
            (_("Projected"), health.projected, (health.projected or ZERO) < 0),
            (_("Handed off"), health.handed_off, False),
            (_("Drift since the handoff"), health.handoff_drift, bool(health.handoff_drift)),
        )
        if value is not None
    ]
    rows = cases_of(look.project.company_id, {look.project.remote_id: look.rights})
    cases = rows.filter(subject__startswith="wbs:") | rows.filter(subject__startswith="handoff:")
    handoff = newest_standing(look.project.company_id, look.project.remote_id)
    return RecordContext(
        _("Budget"), look.project.name, None, health.currency, facts, (),
        list(cases[:MOST_CASES]), handoff, found=True, left_out=health.left_out,
    )  # fmt: skip


VIEWS: tuple[tuple[str, Tool, Callable[[Glance], RecordContext]], ...] = (
    ("rfi.", Tool.RFIS, _rfi),
    ("submittal_logs.", Tool.SUBMITTALS, _submittal),
    ("change_events.", Tool.CHANGE_EVENTS, _event),
    ("commitments.requisitions.", Tool.COMMITMENTS, _invoice),
    ("commitments.", Tool.COMMITMENTS, _contract),
    ("budgeting.", Tool.BUDGET, _budget),
)


def _due(label: str, due: date | None, today: date, *, is_open: bool) -> list[Fact]:
    if due is None:
        return []
    return [Fact(label, due, "date", warn=is_open and due < today)]


def _linked(look: Glance, title: str, rows: Any, tool: Tool, amount: str) -> Linked:
    return Linked(title, look.shown(rows[:MOST], tool), rows.count(), amount)


def _origin(look: Glance, codes: set[int]) -> Any:
    """The handoff that wrote the budget of any of these codes, for viewers of the budget."""
    if not look.sees(Tool.BUDGET):
        return None
    found = newest_standing(look.project.company_id, look.project.remote_id)
    return found if found and codes & written_codes(found) else None
