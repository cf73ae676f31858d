"""With separation of duties, one person requests an undo and another carries it out."""

from uuid import UUID

from partner_app.audit.events import Event
from partner_app.core import clock
from partner_app.estimates.models import Estimate
from partner_app.handoffs.decisions import OPERATOR
from partner_app.handoffs.errors import (
    NotNow,
    UndoAlreadyRequested,
    UndoNeedsAnother,
    UndoNotRequested,
    UndoRequestOfAnother,
)
from partner_app.handoffs.models import Handoff, HandoffState, UndoRequest
from partner_app.handoffs.record import note
from partner_app.handoffs.selectors import handoff_or_error, revised
from partner_app.handoffs.states import WRITTEN
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error


def request_undo(
    *, company_id: int, handoff_id: UUID, actor: str, comment: str = "", zero: bool = False
) -> None:
    """`zero`: lines that cannot be deleted are to be set to zero instead.

    Raises HandoffUnknown, NotNow, UndoAlreadyRequested.
    """
    with tenant(company_id):
        handoff = handoff_or_error(handoff_id, lock=True)
        if handoff.state not in WRITTEN:
            raise NotNow(state=handoff.get_state_display().lower())
        if handoff.undo_request == UndoRequest.OPEN:
            raise UndoAlreadyRequested
        handoff.undo_request = UndoRequest.OPEN
        handoff.undo_asked_at, handoff.undo_asked_by = clock.now(), actor
        handoff.undo_comment, handoff.undo_zero = comment, zero
        handoff.undo_answered_at, handoff.undo_answered_by, handoff.undo_answer = None, "", ""
        handoff.save()
        note(Event.HANDOFF_UNDO_REQUESTED, handoff, actor)


def withdraw_undo(*, company_id: int, handoff_id: UUID, actor: str) -> None:
    """Raises HandoffUnknown, NotNow, UndoNotRequested, UndoRequestOfAnother."""
    with tenant(company_id):
        handoff = _requested(handoff_id)
        if handoff.undo_asked_by != actor:
            raise UndoRequestOfAnother
        answer(handoff, UndoRequest.WITHDRAWN, actor)
        handoff.save()
        note(Event.HANDOFF_UNDO_WITHDRAWN, handoff, actor)


def decline_undo(*, company_id: int, handoff_id: UUID, actor: str, comment: str = "") -> None:
    """Raises HandoffUnknown, NotNow, UndoNotRequested."""
    with tenant(company_id):
        handoff = _requested(handoff_id)
        answer(handoff, UndoRequest.DECLINED, actor)
        handoff.undo_answer = comment
        handoff.save()
        note(Event.HANDOFF_UNDO_DECLINED, handoff, actor)


def answer(handoff: Handoff, outcome: UndoRequest, actor: str) -> None:
    """Gives an open request its outcome. Does not save."""
    if handoff.undo_request == UndoRequest.OPEN:
        handoff.undo_request = outcome
        handoff.undo_answered_at, handoff.undo_answered_by = clock.now(), actor


def end_requests(estimate: Estimate, actor: str) -> None:
    """Inside tenant(). A new plan or push ends requests of its estimate and of what that revises.

    Called before any other handoff is locked: rows are locked in the order of their keys.
    """
    rows = Handoff.objects.select_for_update().filter(
        estimate_id__in=revised(estimate), undo_request=UndoRequest.OPEN, state__in=WRITTEN
    )
    for handoff in rows.order_by("id"):
        answer(handoff, UndoRequest.ENDED, actor)
        handoff.save()
        note(Event.HANDOFF_UNDO_REQUEST_ENDED, handoff, actor)


def needs_two(company_id: int, actor: str) -> bool:
    """Whether another person must have requested the undo before this actor may carry it out."""
    return company_or_error(company_id).duties_apart and actor != OPERATOR


def check_requested(handoff: Handoff, actor: str) -> None:
    """Where it needs two people. Raises UndoNotRequested, UndoNeedsAnother."""
    if handoff.undo_request != UndoRequest.OPEN:
        raise UndoNotRequested
    if handoff.undo_asked_by == actor:
        raise UndoNeedsAnother


def _requested(handoff_id: UUID) -> Handoff:
    """Locked, so that it is either answered or carried out."""
    handoff = handoff_or_error(handoff_id, lock=True)
    if handoff.state == HandoffState.UNDOING:
        raise NotNow(state=handoff.get_state_display().lower())
    if handoff.undo_request != UndoRequest.OPEN:
        raise UndoNotRequested
    return handoff
