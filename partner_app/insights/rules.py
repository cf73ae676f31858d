"""The exception rules: one function each, from facts to findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from integrations.procore.resources.tools import Tool
from partner_app.insights import metrics
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.metrics import ZERO
from partner_app.insights.models import CaseSettings, Rule

MOST = 200  # per rule and project, the largest first
COST_TOOLS = frozenset({Tool.BUDGET, Tool.COMMITMENTS, Tool.DIRECT_COSTS})

# The tools that a viewer needs in Procore to see a rule's cases, amounts included.
TOOLS: dict[Rule, frozenset[Tool]] = {
    Rule.OVER_COMMITMENT: COST_TOOLS,
    Rule.BUYOUT_GAP: COST_TOOLS,
    Rule.PENDING_EXPOSURE: COST_TOOLS | {Tool.CHANGE_EVENTS},
    Rule.HANDOFF_DRIFT: frozenset({Tool.BUDGET}),
    Rule.RFI_OVERDUE: frozenset({Tool.RFIS}),
    Rule.SUBMITTAL_LATE: frozenset({Tool.SUBMITTALS}),
    Rule.EVENT_WITHOUT_ORDER: frozenset({Tool.CHANGE_EVENTS}),
    Rule.INVOICE_OVER_CONTRACT: frozenset({Tool.COMMITMENTS}),
}

# The order of the list: overruns first, then pending amounts, then things to do.
TIERS: dict[Rule, int] = {
    Rule.OVER_COMMITMENT: 1,
    Rule.INVOICE_OVER_CONTRACT: 1,
    Rule.HANDOFF_DRIFT: 1,
    Rule.PENDING_EXPOSURE: 2,
    Rule.EVENT_WITHOUT_ORDER: 2,
    Rule.RFI_OVERDUE: 2,
    Rule.SUBMITTAL_LATE: 2,
    Rule.BUYOUT_GAP: 3,
}


@dataclass(frozen=True)
class Finding:
    """`facts` are texts: the values of the sentence, in any language.

    `named` are the people who may see the one record that it is about where that is private.
    """

    rule: Rule
    subject: str
    amount: Decimal | None
    currency: str
    since: date
    owner: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    named: tuple[int, ...] = ()


def findings(facts: ProjectFacts, limits: CaseSettings) -> list[Finding]:
    """Inside tenant(). At most MOST for each rule, the largest first."""
    found: list[Finding] = []
    for look in RULES:
        of_rule = sorted(look(facts, limits), key=lambda f: (-(f.amount or ZERO), f.since))
        found += of_rule[:MOST]
    return found


def over_commitment(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for cost in facts.costs:
        amount = metrics.over_commitment(cost)
        if amount > limits.over_commitment:
            yield Finding(
                Rule.OVER_COMMITMENT, code_subject(cost.wbs_code_id, cost.currency), amount,
                cost.currency, facts.today,
                facts={
                    "code": cost.flat_code, "name": cost.name, "budget": str(cost.budget),
                    "committed": str(cost.committed), "direct": str(cost.direct),
                },
            )  # fmt: skip


def code_subject(wbs_code_id: int, currency: str) -> str:
    """One code may have costs in several currencies, each a case of its own."""
    return f"wbs:{wbs_code_id}:{currency}"


def buyout_gap(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for cost in facts.costs:
        amount = metrics.buyout_gap(cost, started=facts.started)
        if amount > limits.buyout_gap:
            yield Finding(
                Rule.BUYOUT_GAP, code_subject(cost.wbs_code_id, cost.currency), amount,
                cost.currency, facts.project.start_date or facts.today,
                facts={
                    "code": cost.flat_code, "name": cost.name, "budget": str(cost.budget),
                    "committed": str(cost.committed), "direct": str(cost.direct),
                },
            )  # fmt: skip


def pending_exposure(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    """For each currency: the pending amount, where the budget has less to spare."""
    currencies = {c.currency for c in facts.costs} | {e.currency for e in facts.events}
    for currency in sorted(currencies):
        costs = [cost for cost in facts.costs if cost.currency == currency]
        events = [event for event in facts.events if event.currency == currency]
        begun = [facts.day(event.created_on) for event in events if event.pending]
        pending = sum((cost.pending for cost in costs), ZERO)
        open_events = sum((event.pending for event in events), ZERO)
        spare = sum((cost.budget - cost.spoken_for for cost in costs), ZERO)
        relief = sum((metrics.budget_relief(cost) for cost in costs), ZERO)
        exposure = metrics.pending_exposure(pending, open_events, relief)
        if exposure > max(limits.pending_exposure, spare):
            maybe = sum((event.maybe_ordered for event in events), ZERO)
            uncovered = sum(
                (c.not_covered for c in facts.contracts if c.currency == currency), ZERO
            )
            yield Finding(
                Rule.PENDING_EXPOSURE, f"currency:{currency}", exposure, currency,
                min(filter(None, begun), default=facts.today),
                facts={
                    "pending": str(pending), "events": str(open_events), "spare": str(spare),
                    "relief": str(relief), "maybe_ordered": str(maybe),
                    "not_covered": str(uncovered),
                },
            )  # fmt: skip


def handoff_drift(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    amount = metrics.handoff_drift((d.given, d.live) for d in facts.drifted)
    if facts.handoff and amount > limits.handoff_drift:
        ended = facts.handoff.finished_at
        yield Finding(
            Rule.HANDOFF_DRIFT, f"handoff:{facts.handoff.id}", amount, facts.handoff.currency,
            ended.astimezone(facts.zone).date() if ended else facts.today,
            facts={"codes": str(len(facts.drifted)), "handoff": str(facts.handoff.id)},
        )  # fmt: skip


def rfi_overdue(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for rfi, impact, value in facts.overdue_rfis:
        if rfi.due and (facts.today - rfi.due).days > limits.rfi_days:
            yield Finding(
                Rule.RFI_OVERDUE, f"rfi:{rfi.remote_id}", value, facts.currency, rfi.due,
                rfi.owner, {"number": rfi.number, "title": rfi.title, "impact": impact},
                named=rfi.named if rfi.restricted else (),
            )  # fmt: skip


def submittal_late(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for row in facts.submittals:
        day = metrics.submittal_late(row.status, row.due, row.submit_by, facts.today)
        if day and (facts.today - day).days > limits.submittal_days:
            yield Finding(
                Rule.SUBMITTAL_LATE, f"submittal:{row.remote_id}", None, facts.currency, day,
                row.owner, {"number": row.number, "title": row.title, "status": row.status},
                named=row.named if row.restricted else (),
            )  # fmt: skip


def event_without_order(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for event in facts.events_without_order():
        begun = facts.day(event.created_on)
        if begun and (facts.today - begun).days > limits.event_days:
            yield Finding(
                Rule.EVENT_WITHOUT_ORDER, f"event:{event.remote_id}", event.pending or None,
                event.currency, begun, facts={"number": event.number, "title": event.title},
                named=event.named if event.restricted else (),
            )  # fmt: skip


def invoice_over_contract(facts: ProjectFacts, limits: CaseSettings) -> Iterator[Finding]:
    for contract in facts.contracts:
        amount = metrics.invoiced_over(contract.total, contract.approved, contract.invoiced)
        if amount > limits.invoice_over_contract:
            yield Finding(
                Rule.INVOICE_OVER_CONTRACT, f"contract:{contract.remote_id}", amount,
                contract.currency, contract.last_invoice or facts.today, contract.vendor,
                {
                    "number": contract.number, "title": contract.title,
                    "invoiced": str(contract.invoiced),
                    "contract": str(contract.total + contract.approved),
                },
            )  # fmt: skip


RULES: tuple[Callable[[ProjectFacts, CaseSettings], Iterator[Finding]], ...] = (
    over_commitment,
    invoice_over_contract,
    pending_exposure,
    handoff_drift,
    event_without_order,
    rfi_overdue,
    submittal_late,
    buyout_gap,
)
