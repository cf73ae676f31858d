"""Audit log entries of handoffs, and the reasons that block a plan, in words."""

from django.db.models import Q

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.handoffs.models import Action, Handoff, RowState


def note(event: Event, handoff: Handoff, actor: str) -> None:
    record(event, actor=actor, company_id=handoff.company_id, subject=str(handoff.id))


def hindrances(handoff: Handoff) -> list[str]:
    """Inside tenant(). Why the plan as a whole cannot be carried out; empty when it can."""
    hindered = handoff.rows.filter(Q(action=Action.BLOCKED) | Q(state=RowState.REFUSED))
    reasons = list(handoff.obstacles)
    reasons += hindered.order_by("wbs_code").values_list("reason", flat=True)
    if handoff.unmapped:
        lines = f"{handoff.unmapped} line{'s' if handoff.unmapped > 1 else ''}"
        reasons.append(f"{lines} of the estimate have no WBS code")
    return reasons
