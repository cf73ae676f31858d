"""Writes batches to Procore, with a ledger: a row's state is stored before and after each call."""

from collections.abc import Callable, Iterator

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Refused, Unreachable
from partner_app.audit.events import Event
from partner_app.core import clock
from partner_app.core.bulk import update_rows
from partner_app.handoffs.errors import BudgetLocked, PlanIsStale
from partner_app.handoffs.live import LiveBudget, read_budget, read_image, read_lines
from partner_app.handoffs.models import Action, Handoff, HandoffRow, HandoffState, RowState
from partner_app.handoffs.record import note
from partner_app.handoffs.states import move
from partner_app.tenancy.context import tenant

SYNC = "/rest/v1.0/budget_line_items/sync"
LARGEST_BATCH = 1000  # https://developers.procore.com/documentation/using-sync-actions
ROW_REFUSALS = (400, 422)  # about the content; other statuses concern the project
ATTEMPTS = 3  # of a batch whose response was lost; each after a read-back
WRITES = (Action.CREATE, Action.UPDATE)

Checkpoint = Callable[[], None]  # between two calls: may raise to stop


def carry_out(client: ProcoreClient, handoff: Handoff, checkpoint: Checkpoint, actor: str) -> None:
    """Writes each line once; after a crash or a lost response it reads back before it repeats.

    The handoff is PUSHING; it is done only when every row reads back equal. Raises PlanIsStale,
    BudgetLocked, ProcoreError, and whatever `checkpoint` raises.
    """
    company_id = handoff.company_id
    live = read_budget(client, company_id, handoff.project_id)
    _check_fresh(handoff, live)
    if live.locked:
        raise BudgetLocked
    with tenant(company_id):
        # What was refused before is tried again: a person may have fixed it in Procore.
        handoff.rows.filter(state=RowState.REFUSED).update(state=RowState.WAITING)
        settle(handoff, live)
        _spare_changed(handoff, live)
    _keep_images(client, handoff, checkpoint)
    _send_rows(client, handoff, checkpoint)
    with tenant(company_id):
        note(Event.HANDOFF_PUSHED, handoff, actor)
    reconcile(client, handoff, actor)


def reconcile(client: ProcoreClient, handoff: Handoff, actor: str) -> None:
    """Reads the budget back; done only when every row of the plan is as wanted."""
    _read_back(client, handoff)
    with tenant(handoff.company_id):
        open_rows = handoff.rows.exclude(action__in=[Action.LEFT, Action.BLOCKED])
        equal = not open_rows.exclude(state=RowState.CONFIRMED).exists()
        move(handoff, HandoffState.DONE if equal else HandoffState.PARTIAL)
        handoff.finished_at, handoff.waiting_until = clock.now(), None
        handoff.problem = handoff.problem_remedy = ""
        # Not the whole row: an undo may have been requested meanwhile.
        handoff.save(
            update_fields=["state", "finished_at", "waiting_until", "problem", "problem_remedy"]
        )
        note(Event.HANDOFF_RECONCILED, handoff, actor)


def settle(handoff: Handoff, live: LiveBudget) -> None:
    """Inside tenant(): rows that are already as wanted need no call; others are reopened."""
    changed = []
    for row in handoff.rows.exclude(action=Action.LEFT):
        line = live.lines.get(row.wbs_code_id or 0)
        before = (row.line_item_id, row.state, row.reason)
        row.line_item_id = line.line_item_id if line else None
        gone = line is None and row.after == 0 and row.action == Action.UNCHANGED
        if gone or (line and line.amount == row.after):
            row.state = RowState.CONFIRMED
            if row.action != Action.BLOCKED and before[1] == RowState.REFUSED:
                row.reason = ""
        elif row.state != RowState.REFUSED:
            row.state = RowState.WAITING
        if before != (row.line_item_id, row.state, row.reason):
            changed.append(row)
    update_rows(HandoffRow, changed, ["line_item_id", "state", "reason"])


def wrote_something(handoff: Handoff) -> bool:
    """Inside tenant()."""
    rows = handoff.rows.filter(action__in=WRITES)
    return rows.filter(state__in=[RowState.CONFIRMED, RowState.SENT]).exists()


def _check_fresh(handoff: Handoff, live: LiveBudget) -> None:
    """Stale when nothing was written yet and a row is neither as planned nor already as wanted."""
    changed = []
    with tenant(handoff.company_id):
        written = wrote_something(handoff)
        for row in handoff.rows.exclude(action=Action.LEFT):
            line = live.lines.get(row.wbs_code_id or 0)
            amount = line.amount if line else None
            if amount not in (row.before, row.after):
                changed.append(row.wbs_code)
    if changed and not written:
        raise PlanIsStale(what="the budget", codes=", ".join(changed[:5]))


def _spare_changed(handoff: Handoff, live: LiveBudget) -> None:
    """Inside tenant(): a line that a person changed between two attempts is left to them."""
    for row in handoff.rows.filter(action__in=WRITES, state=RowState.WAITING):
        line = live.lines.get(row.wbs_code_id or 0)
        amount = line.amount if line else None
        if amount not in (row.before, row.after):
            row.state = RowState.REFUSED
            row.reason = f"{row.wbs_code} was changed in Procore meanwhile and is left alone"
            row.save(update_fields=["state", "reason"])


def _keep_images(client: ProcoreClient, handoff: Handoff, checkpoint: Checkpoint) -> None:
    """Stores quantity, unit and price of the lines that we are about to change, for an undo."""
    with tenant(handoff.company_id):
        waiting = handoff.rows.filter(action=Action.UPDATE, state=RowState.WAITING)
        rows = list(waiting.filter(image__isnull=True).exclude(line_item_id=None))
    for row in rows:
        checkpoint()
        row.image = read_image(client, handoff.project_id, row.line_item_id or 0)
        with tenant(handoff.company_id):
            row.save(update_fields=["image"])


def _send_rows(client: ProcoreClient, handoff: Handoff, checkpoint: Checkpoint) -> None:
    """Raises ProcoreError; the next push sends rows that are not confirmed then."""
    for _ in range(ATTEMPTS):
        try:
            for batch in _batches(handoff):
                _send(client, handoff, batch, checkpoint)
        except Unreachable:
            _read_back(client, handoff)
            continue
        return
    raise Unreachable


def _read_back(client: ProcoreClient, handoff: Handoff) -> None:
    lines = read_lines(client, handoff.company_id, handoff.project_id)
    with tenant(handoff.company_id):
        settle(handoff, LiveBudget({}, lines, locked=False))


def _batches(handoff: Handoff) -> Iterator[list[HandoffRow]]:
    with tenant(handoff.company_id):
        waiting = list(
            handoff.rows.filter(action__in=WRITES)
            .exclude(state__in=[RowState.CONFIRMED, RowState.REFUSED])
            .order_by("wbs_code")
        )
    for start in range(0, len(waiting), LARGEST_BATCH):
        yield waiting[start : start + LARGEST_BATCH]


def _send(
    client: ProcoreClient, handoff: Handoff, batch: list[HandoffRow], checkpoint: Checkpoint
) -> None:
    """One bad row makes Procore refuse the whole call: halves are sent until it is isolated."""
    checkpoint()
    _mark(handoff, batch, RowState.SENT)
    body = {"project_id": handoff.project_id, "budget_line_items": [_item(row) for row in batch]}
    try:
        client.write("POST", SYNC, body)
    except Refused as refusal:
        if refusal.status_code not in ROW_REFUSALS:
            raise
        if len(batch) == 1:
            _refuse(handoff, batch[0], refusal.reasons)
            return
        # It is not known whether rows before the bad one were kept:
        # https://developers.procore.com/documentation/tutorial-budget-line-items
        _read_back(client, handoff)
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            if waiting := _still_waiting(handoff, part):
                _send(client, handoff, waiting, checkpoint)
        return
    _mark(handoff, batch, RowState.CONFIRMED)


def _still_waiting(handoff: Handoff, rows: list[HandoffRow]) -> list[HandoffRow]:
    with tenant(handoff.company_id):
        fresh = handoff.rows.filter(id__in=[row.id for row in rows])
        return list(fresh.exclude(state=RowState.CONFIRMED).order_by("wbs_code"))


def _refuse(handoff: Handoff, row: HandoffRow, reasons: str) -> None:
    with tenant(handoff.company_id):
        row.state = RowState.REFUSED
        row.reason = f"Procore refused {row.wbs_code}: {reasons}"
        row.save(update_fields=["state", "reason"])


def _item(row: HandoffRow) -> dict[str, object]:
    """Where the amount is quantity times price, Procore may compute it; else it is sent."""
    item: dict[str, object] = {
        "wbs_code_id": row.wbs_code_id,
        "original_budget_amount": row.after,
        "calculation_strategy": "manual",
    }
    if row.quantity is not None and row.unit_cost is not None:
        exact = row.quantity * row.unit_cost == row.after
        item |= {
            "quantity": row.quantity,
            "uom": row.uom,
            "unit_cost": row.unit_cost,
            "calculation_strategy": "automatic" if exact else "manual",
        }
    if row.line_item_id:
        item["id"] = row.line_item_id
    return item


def _mark(handoff: Handoff, batch: list[HandoffRow], state: RowState) -> None:
    with tenant(handoff.company_id):
        HandoffRow.objects.filter(id__in=[row.id for row in batch]).update(state=state)
