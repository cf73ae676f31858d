"""Writes a project's snapshot: current costs by WBS code, and its metrics of today."""

from collections import defaultdict
from decimal import Decimal

from integrations.procore.resources.change_events import ChangeEvent
from partner_app.estimates.mapping.suggest import division
from partner_app.insights import metrics
from partner_app.insights.facts import ProjectFacts
from partner_app.insights.metrics import ZERO, CodeCost
from partner_app.insights.models import (
    ChangeFigure,
    ContractFigure,
    CostFigure,
    DayFigures,
    ProjectDay,
    PublicDay,
)
from partner_app.insights.statuses import ApprovalState, plain


def write_snapshot(facts: ProjectFacts, *, event_days: int) -> None:
    """Inside tenant(). Replaces the costs by code; writes today's row and keeps earlier days."""
    _write_costs(facts)
    _write_contracts(facts)
    _write_changes(facts)
    _write_day(ProjectDay, facts, event_days)
    _write_day(PublicDay, facts.public, event_days, borrowed=bool(facts.unread))


def _write_costs(facts: ProjectFacts) -> None:
    here = {"company_id": facts.company_id, "project_id": facts.project_id}
    public = {(c.wbs_code_id, c.currency): c for c in facts.public.costs}
    rows = [
        CostFigure(
            **here,
            wbs_code_id=cost.wbs_code_id,
            currency=cost.currency,
            flat_code=cost.flat_code,
            name=cost.name,
            division=division(cost.flat_code) if cost.flat_code else "",
            original=cost.original,
            changes=cost.changes,
            committed=cost.committed,
            pending=cost.pending,
            direct=cost.direct,
            private_committed=cost.committed - (seen.committed if seen else ZERO),
            private_pending=cost.pending - (seen.pending if seen else ZERO),
        )
        for cost in facts.costs
        for seen in [public.get((cost.wbs_code_id, cost.currency))]
    ]
    CostFigure.objects.filter(**here).delete()
    CostFigure.objects.bulk_create(rows)


def _write_contracts(facts: ProjectFacts) -> None:
    here = {"company_id": facts.company_id, "project_id": facts.project_id}
    rows = [
        ContractFigure(
            **here,
            contract_id=contract.remote_id,
            currency=contract.currency,
            standing=contract.standing,
            original=contract.total,
            approved=contract.approved,
            pending=contract.pending,
            invoiced=contract.invoiced,
            private_approved=contract.approved - seen.approved,
            private_pending=contract.pending - seen.pending,
            private_invoiced=contract.invoiced - seen.invoiced,
        )
        for contract in facts.contracts
        for seen in [contract.public or contract]
    ]
    ContractFigure.objects.filter(**here).delete()
    ContractFigure.objects.bulk_create(rows)


def _write_changes(facts: ProjectFacts) -> None:
    here = {"company_id": facts.company_id, "project_id": facts.project_id}
    rows = [
        ChangeFigure(
            **here,
            resource=order.resource,
            remote_id=order.remote_id,
            contract_id=order.contract_id,
            status=plain(order.status),
            standing=order.standing,
            amount=order.amount,
            currency=order.currency,
            created_on=order.created_on,
            restricted=order.restricted,
            named=list(order.named),
        )
        for order in facts.orders
    ]
    rows += [
        ChangeFigure(
            **here,
            resource=ChangeEvent.spec.name,
            remote_id=event.remote_id,
            status=plain(event.status),
            standing=ApprovalState.PENDING,
            amount=event.pending,
            maybe_ordered=event.maybe_ordered,
            currency=event.currency,
            created_on=event.created_on,
            restricted=event.restricted,
            named=list(event.named),
        )
        for event in facts.events
    ]
    ChangeFigure.objects.filter(**here).delete()
    ChangeFigure.objects.bulk_create(rows)


def _write_day(model: type[DayFigures], facts: ProjectFacts, event_days: int, **more: bool) -> None:
    here = {"company_id": facts.company_id, "project_id": facts.project_id, "day": facts.today}
    rows = [
        model(
            **here,
            **more,
            currency=currency,
            main=currency == facts.currency,
            orders_unread=facts.orders_unread,
            **amounts,
        )
        for currency, amounts in _amounts(facts).items()
    ]
    for row in rows:
        if row.main:
            _count(row, facts, event_days)
    model._base_manager.filter(**here).delete()
    former = model._base_manager.filter(
        company_id=facts.company_id, project_id=facts.project_id, newest=True
    )
    former.update(newest=False)
    model._base_manager.bulk_create(rows)


def _amounts(facts: ProjectFacts) -> dict[str, dict[str, Decimal]]:
    """By currency; the main one is included even when all of it is zero."""
    found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    costs: dict[str, list[CodeCost]] = defaultdict(list)
    for cost in facts.costs:
        costs[cost.currency].append(cost)
    for currency in {facts.currency, *costs}:
        rows, own = costs[currency], found[currency]
        own["original_budget"] = sum((c.original for c in rows), ZERO)
        own["budget_changes"] = sum((c.changes for c in rows), ZERO)
        own["committed"] = sum((c.committed for c in rows), ZERO)
        own["direct_costs"] = sum((c.direct for c in rows), ZERO)
        own["pending_changes"] = sum((c.pending for c in rows), ZERO)
        own["over_commitment"] = sum((metrics.over_commitment(c) for c in rows), ZERO)
        own["buyout_gap"] = sum((metrics.buyout_gap(c, started=facts.started) for c in rows), ZERO)
        own["budget_relief"] = sum((metrics.budget_relief(c) for c in rows), ZERO)
        own["covered_budget"] = metrics.covered_budget(rows)
    for contract in facts.contracts:
        own = found[contract.currency]
        own["not_covered"] += contract.not_covered
        own["invoiced"] += contract.invoiced
        own["invoiced_over"] += metrics.invoiced_over(
            contract.total, contract.approved, contract.invoiced
        )
    for event in facts.events:
        own = found[event.currency]
        own["event_cost"] += event.cost or ZERO
        own["open_event_cost"] += event.pending
        own["maybe_ordered"] += event.maybe_ordered
    for currency, amount in facts.unknown_costs().items():
        found[currency]["unknown_cost"] += amount
    return found


def _count(row: DayFigures, facts: ProjectFacts, event_days: int) -> None:
    questions, today = facts.questions, facts.today
    row.rfi_cost = metrics.rfi_cost(questions)
    row.open_rfis = sum(1 for q in questions if q.is_open)
    row.overdue_rfis = len(metrics.overdue(questions, today))
    row.rfis_cost_unknown = metrics.cost_unknown(questions)
    row.rfi_age = metrics.rfi_age(questions, today)
    row.rfi_turnaround = metrics.rfi_turnaround(questions)
    waiting = [s for s in facts.submittals if s.status == "Open"]
    row.open_submittals = len(waiting)
    row.late_submittals = sum(
        1 for s in facts.submittals if metrics.submittal_late(s.status, s.due, s.submit_by, today)
    )
    row.submittal_age = metrics.median_days((s.begun, today) for s in waiting if s.begun)
    row.open_events = len(facts.events)
    row.events_without_order = sum(
        1
        for event in facts.events_without_order()
        if (begun := facts.day(event.created_on)) and (today - begun).days > event_days
    )
    if facts.handoff:
        row.handoff_drift = metrics.handoff_drift((d.given, d.live) for d in facts.drifted)
