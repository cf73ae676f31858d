"""Undoes a handoff: restores lines, and reports in words what could not be restored."""

from dataclasses import dataclass, replace
from decimal import Decimal

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Forbidden, NotFoundOrHidden, Refused
from partner_app.audit.events import Event
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.handoffs.diff import LiveLine
from partner_app.handoffs.errors import BudgetLocked
from partner_app.handoffs.live import NUMBERS, read_budget, read_lines
from partner_app.handoffs.models import (
    Action,
    Handoff,
    HandoffRow,
    HandoffState,
    RowState,
    UndoRequest,
)
from partner_app.handoffs.push import LARGEST_BATCH, SYNC, WRITES, Checkpoint
from partner_app.handoffs.record import note
from partner_app.handoffs.states import move
from partner_app.handoffs.undo_request import answer
from partner_app.tenancy.context import tenant


@dataclass(frozen=True)
class Step:
    """The action for one row: "restore", "delete", "zero", "done" or "stays", and why."""

    row: HandoffRow
    kind: str
    line: LiveLine | None = None
    reason: str = ""


def preview(client: ProcoreClient, handoff: Handoff) -> list[Step]:
    """What an undo would do now. Raises BudgetLocked, ProcoreError."""
    live = read_budget(client, handoff.company_id, handoff.project_id)
    if live.locked:
        raise BudgetLocked
    with tenant(handoff.company_id):
        rows = list(_written(handoff))
    return [_step(row, live.lines.get(row.wbs_code_id or 0), zero=False) for row in rows]


def take_back(
    client: ProcoreClient, handoff: Handoff, checkpoint: Checkpoint, actor: str, *, zero: bool
) -> None:
    """The handoff is UNDOING. `zero`: lines that cannot be deleted are set to zero instead.

    May be repeated after an interruption. Raises BudgetLocked, ProcoreError.
    """
    live = read_budget(client, handoff.company_id, handoff.project_id)
    if live.locked:
        raise BudgetLocked
    with tenant(handoff.company_id):
        rows = list(_written(handoff))
    steps = [_step(row, live.lines.get(row.wbs_code_id or 0), zero=zero) for row in rows]
    _restore(client, handoff, [s for s in steps if s.kind in {"restore", "zero"}], checkpoint)
    for place, step in enumerate(steps):
        if step.kind == "delete" and step.line:
            checkpoint()
            if not _delete(client, handoff, step.line.line_item_id):
                reason = f"{step.row.wbs_code} stays: Procore refuses to delete it"
                steps[place] = replace(step, kind="stays", reason=reason)
    _conclude(client, handoff, steps, actor)


def _written(handoff: Handoff) -> list[HandoffRow]:
    rows = handoff.rows.filter(action__in=WRITES)
    return list(rows.filter(state__in=[RowState.CONFIRMED, RowState.SENT]).order_by("wbs_code"))


def _step(row: HandoffRow, line: LiveLine | None, *, zero: bool) -> Step:
    amount = line.amount if line else None
    if amount == row.before:
        return Step(row, "done", line)
    if line is None or amount != row.after:
        return Step(row, "stays", line, f"{row.wbs_code} was changed in Procore since")
    if row.action == Action.UPDATE:
        return Step(row, "restore", line)
    if line.deletable:
        return Step(row, "delete", line)
    if zero:
        return Step(row, "zero", line, f"{row.wbs_code} has costs: it stays in the budget at zero")
    return Step(row, "stays", line, f"{row.wbs_code} has costs and cannot be deleted")


def _restore(
    client: ProcoreClient, handoff: Handoff, steps: list[Step], checkpoint: Checkpoint
) -> None:
    for start in range(0, len(steps), LARGEST_BATCH):
        checkpoint()
        items = [_item(step) for step in steps[start : start + LARGEST_BATCH]]
        body = {"project_id": handoff.project_id, "budget_line_items": items}
        client.write("POST", SYNC, body)


def _item(step: Step) -> dict[str, object]:
    row, line = step.row, step.line
    item: dict[str, object] = {
        "id": line.line_item_id if line else row.line_item_id,
        "wbs_code_id": row.wbs_code_id,
    }
    if step.kind == "zero":
        return item | {"original_budget_amount": Decimal(0), "calculation_strategy": "manual"}
    image = row.image or {}
    fields = {k: Decimal(v) if k in NUMBERS else v for k, v in image.items()}
    return item | fields | {"original_budget_amount": row.before}


def _delete(client: ProcoreClient, handoff: Handoff, line_item_id: int) -> bool:
    """False where Procore refuses it."""
    path = (
        f"/rest/v2.0/companies/{handoff.company_id}/projects/{handoff.project_id}"
        f"/budget_line_items/{line_item_id}"
    )
    try:
        client.write("DELETE", path, None)
    except NotFoundOrHidden:
        return True  # an interrupted undo has done it
    except (Forbidden, Refused):
        return False
    return True


def _conclude(client: ProcoreClient, handoff: Handoff, steps: list[Step], actor: str) -> None:
    """Reads back: undone only when every line is as before, or was left with a reason."""
    lines = read_lines(client, handoff.company_id, handoff.project_id)
    left = [step.reason for step in steps if step.kind in {"stays", "zero"}]
    with tenant(handoff.company_id):
        for step in steps:
            line = lines.get(step.row.wbs_code_id or 0)
            if (line.amount if line else None) == step.row.before or step.kind == "zero":
                step.row.state = RowState.UNDONE
        update_rows(HandoffRow, [step.row for step in steps], ["state"])
        stays = handoff.rows.filter(action__in=WRITES, state=RowState.CONFIRMED).exists()
        move(handoff, HandoffState.PARTIAL if stays else HandoffState.UNDONE)
        handoff.not_undone, handoff.undone_at = left, clock.now()
        answer(handoff, UndoRequest.CARRIED_OUT, actor)
        handoff.problem = handoff.problem_remedy = ""
        handoff.waiting_until = None
        handoff.save()
        note(Event.HANDOFF_UNDONE, handoff, actor)
