"""Batches to Procore, with a ledger: a row's state is written before and after each call."""

from collections.abc import Iterator

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Refused, Unreachable
from partner_app.handoffs.live import LiveBudget, read_lines
from partner_app.handoffs.models import Action, Handoff, HandoffRow, HandoffState, RowState
from partner_app.tenancy.context import tenant

SYNC = "/rest/v1.0/budget_line_items/sync"
LARGEST_BATCH = 1000  # [using_sync_actions]
ROW_REFUSALS = (400, 422)  # about what was sent; others are about the project
ATTEMPTS = 3  # of a batch whose answer was lost; each after a read-back


def send_rows(client: ProcoreClient, handoff: Handoff) -> None:
    """Raises ProcoreError; rows not confirmed then are sent by the next push."""
    for _ in range(ATTEMPTS):
        try:
            for batch in _batches(handoff):
                _send(client, handoff, batch)
        except Unreachable:
            _read_back(client, handoff)
            continue
        return
    raise Unreachable


def settle(handoff: Handoff, live: LiveBudget) -> None:
    """Inside tenant(): rows that are already as wanted need no call."""
    for row in handoff.rows.exclude(state=RowState.CONFIRMED):
        line = live.lines.get(row.wbs_code_id or 0)
        row.line_item_id = line.line_item_id if line else None
        if line and line.amount == row.after:
            row.state, row.reason = RowState.CONFIRMED, ""
        elif row.state != RowState.REFUSED:
            row.state = RowState.WAITING
        row.save(update_fields=["line_item_id", "state", "reason"])


def reconcile(client: ProcoreClient, handoff: Handoff) -> HandoffState:
    """Done only when every row reads back equal."""
    _read_back(client, handoff)
    with tenant(handoff.company_id):
        open_rows = handoff.rows.exclude(state=RowState.CONFIRMED).exists()
    return HandoffState.PARTIAL if open_rows else HandoffState.DONE


def _read_back(client: ProcoreClient, handoff: Handoff) -> None:
    lines = read_lines(client, handoff.project_id)
    with tenant(handoff.company_id):
        settle(handoff, LiveBudget({}, lines, locked=False))


def _batches(handoff: Handoff) -> Iterator[list[HandoffRow]]:
    with tenant(handoff.company_id):
        waiting = list(
            handoff.rows.exclude(state__in=[RowState.CONFIRMED, RowState.REFUSED])
            .exclude(action=Action.BLOCKED)
            .order_by("wbs_code")
        )
    for start in range(0, len(waiting), LARGEST_BATCH):
        yield waiting[start : start + LARGEST_BATCH]


def _send(client: ProcoreClient, handoff: Handoff, batch: list[HandoffRow]) -> None:
    """One bad row refuses the whole call: halves are sent until it stands alone."""
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
        # Whether rows before the bad one were kept is not known [tutorial_budget_line_items].
        _read_back(client, handoff)
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            if waiting := _still_waiting(handoff, part):
                _send(client, handoff, waiting)
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
    """Several lines of an estimate feed one code, so the amount is given, not computed."""
    item: dict[str, object] = {
        "wbs_code_id": row.wbs_code_id,
        "original_budget_amount": row.after,
        "calculation_strategy": "manual",
    }
    if row.line_item_id:
        item["id"] = row.line_item_id
    return item


def _mark(handoff: Handoff, batch: list[HandoffRow], state: RowState) -> None:
    with tenant(handoff.company_id):
        HandoffRow.objects.filter(id__in=[row.id for row in batch]).update(state=state)
