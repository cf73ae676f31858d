"""Plan, approve, push and undo, each one transaction around what it decides, none around a call."""

from decimal import Decimal

from django.db.models import Q, Sum

from integrations.procore.api.client import ProcoreClient
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.access import app_client
from partner_app.core import clock
from partner_app.core.money import to_cents
from partner_app.estimates.mapping.memory import learn
from partner_app.estimates.models import Estimate, EstimateLine, LineMapping
from partner_app.handoffs.diff import fingerprint, plan_rows
from partner_app.handoffs.errors import (
    BudgetLocked,
    NotApproved,
    NothingToUndo,
    PlanIsBlocked,
    PlanIsStale,
)
from partner_app.handoffs.live import LiveBudget, read_budget
from partner_app.handoffs.models import Action, Handoff, HandoffRow, HandoffState, RowState
from partner_app.handoffs.push import reconcile, send_rows, settle
from partner_app.handoffs.selectors import counts, estimate_or_error, newest_handoff
from partner_app.tenancy.context import tenant

Answer = dict[str, object]


def plan_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """The diff against the budget as it is now. Raises ProcoreError, EstimateUnknown."""
    client = app_client(company_id)
    with tenant(company_id):
        estimate = estimate_or_error(estimate_id)
        exact, unmapped = _exact_sums(estimate)
    live = read_budget(client, company_id, estimate.project_id)
    rows = plan_rows(exact, live.codes, live.lines)
    with tenant(company_id):
        handoff = Handoff.objects.create(
            company_id=company_id,
            estimate=estimate,
            project_id=estimate.project_id,
            fingerprint=fingerprint(bytes(estimate.file_hash), rows),
            total=to_cents(sum(exact.values(), Decimal(0))),
            unmapped=unmapped,
            created_at=clock.now(),
        )
        HandoffRow.objects.bulk_create(
            [
                HandoffRow(
                    company_id=company_id,
                    handoff=handoff,
                    wbs_code=row.wbs_code,
                    wbs_code_id=row.wbs_code_id,
                    action=row.action,
                    reason=row.reason,
                    before=row.before,
                    after=row.after,
                    line_item_id=row.line_item_id,
                )
                for row in rows
            ]
        )
        _record(Event.HANDOFF_PLANNED, handoff)
        return _answer(handoff, client, locked=live.locked)


def approve_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """The operator's approval. Raises NoPlan, PlanIsBlocked, NotApproved."""
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
        if handoff.state != HandoffState.PLANNED:
            raise NotApproved(state=handoff.get_state_display().lower())
        reasons = _reasons(handoff)
        if reasons:
            raise PlanIsBlocked(reasons="; ".join(reasons))
        _move(handoff, HandoffState.APPROVED)
        learn(company_id=company_id, estimate_id=handoff.estimate_id)
        _record(Event.HANDOFF_APPROVED, handoff)
        return _answer(handoff)


def push_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """Writes each line once; after a crash or a lost answer it reads back before it repeats.

    A handoff that is done writes nothing.
    Raises NotApproved, PlanIsStale, BudgetLocked, ProcoreError.
    """
    client = app_client(company_id)
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
        if handoff.state in {HandoffState.PLANNED, HandoffState.STALE, HandoffState.UNDONE}:
            raise NotApproved(state=handoff.get_state_display().lower())
        resuming = handoff.state in {HandoffState.PUSHING, HandoffState.PARTIAL}
        finished = handoff.state == HandoffState.DONE
    live = read_budget(client, company_id, handoff.project_id)
    if not finished:
        _check_fresh(company_id, handoff, live, resuming=resuming)
        if live.locked:
            raise BudgetLocked
        with tenant(company_id):
            _move(handoff, HandoffState.PUSHING)
            # What was refused before is tried again: somebody may have mended it in Procore.
            handoff.rows.filter(state=RowState.REFUSED).update(state=RowState.WAITING)
            settle(handoff, live)
        send_rows(client, handoff)
    state = reconcile(client, handoff)
    with tenant(company_id):
        if not finished:
            _record(Event.HANDOFF_PUSHED, handoff)
        _move(handoff, state)
        handoff.finished_at = clock.now()
        handoff.save(update_fields=["finished_at"])
        _record(Event.HANDOFF_RECONCILED, handoff)
        return _answer(handoff, client)


def undo_handoff(*, company_id: int, estimate_id: str) -> Answer:
    """Restores amounts and deletes created lines where nobody changed them since.

    Says what it left.
    """
    client = app_client(company_id)
    with tenant(company_id):
        handoff = newest_handoff(estimate_id)
        if handoff.state not in {HandoffState.DONE, HandoffState.PARTIAL}:
            raise NothingToUndo(state=handoff.get_state_display().lower())
        rows = list(handoff.rows.filter(state=RowState.CONFIRMED).exclude(action=Action.UNCHANGED))
    live = read_budget(client, company_id, handoff.project_id)
    if live.locked:
        raise BudgetLocked
    left: list[str] = []
    restored: list[dict[str, object]] = []
    for row in rows:
        line = live.lines.get(row.wbs_code_id or 0)
        if (line.amount if line else None) == row.before:
            continue  # an undo that was interrupted has done it
        if line is None or line.amount != row.after:
            left.append(f"{row.wbs_code} was changed in Procore since")
        elif row.action == Action.UPDATE:
            restored.append(
                {
                    "id": line.line_item_id,
                    "wbs_code_id": row.wbs_code_id,
                    "original_budget_amount": row.before,
                }
            )
        elif not line.deletable:
            left.append(f"{row.wbs_code} has costs and cannot be deleted")
        else:
            client.write(
                "DELETE",
                f"/rest/v2.0/companies/{company_id}/projects/{handoff.project_id}"
                f"/budget_line_items/{line.line_item_id}",
                None,
            )
    if restored:
        client.write(
            "POST",
            "/rest/v1.0/budget_line_items/sync",
            {"project_id": handoff.project_id, "budget_line_items": restored},
        )
    with tenant(company_id):
        _move(handoff, HandoffState.PARTIAL if left else HandoffState.UNDONE)
        _record(Event.HANDOFF_UNDONE, handoff)
        answer = _answer(handoff, client)
    answer["reasons"] = left
    return answer


def _exact_sums(estimate: Estimate) -> tuple[dict[str, Decimal], int]:
    """Unrounded sums by WBS code, and how many lines go nowhere yet."""
    mappings = LineMapping.objects.filter(line__estimate=estimate)
    sums = dict(mappings.values_list("wbs_code").annotate(total=Sum("amount")).order_by())
    unmapped = EstimateLine.objects.filter(estimate=estimate, mappings=None).count()
    return sums, unmapped


def _check_fresh(company_id: int, handoff: Handoff, live: LiveBudget, *, resuming: bool) -> None:
    """Stale when a row is neither as planned nor, while resuming, already as wanted."""
    changed = []
    with tenant(company_id):
        for row in handoff.rows.all():
            line = live.lines.get(row.wbs_code_id or 0)
            amount = line.amount if line else None
            if amount != row.before and not (resuming and amount == row.after):
                changed.append(row.wbs_code)
        if changed and not resuming:
            _move(handoff, HandoffState.STALE)
    if changed:
        raise PlanIsStale(codes=", ".join(changed[:5]))


def _reasons(handoff: Handoff) -> list[str]:
    hindered = handoff.rows.filter(Q(action=Action.BLOCKED) | Q(state=RowState.REFUSED))
    reasons = list(hindered.order_by("wbs_code").values_list("reason", flat=True))
    if handoff.unmapped:
        reasons.append(f"{handoff.unmapped} lines of the estimate have no WBS code")
    return reasons


def _move(handoff: Handoff, state: HandoffState) -> None:
    handoff.state = state
    handoff.save(update_fields=["state"])


def _record(event: Event, handoff: Handoff) -> None:
    record(event, actor="operator", company_id=handoff.company_id, subject=str(handoff.id))


def _answer(
    handoff: Handoff, client: ProcoreClient | None = None, *, locked: bool = False
) -> Answer:
    reasons = _reasons(handoff)
    if locked:
        reasons.append("The budget is locked in Procore; a push would be refused")
    return {
        "handoff_id": str(handoff.id),
        "state": handoff.state,
        **counts(handoff),
        "total": handoff.total,
        "requests": client.calls if client else 0,
        "reasons": reasons,
    }
