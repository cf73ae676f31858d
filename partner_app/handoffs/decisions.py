"""Separation of duties: the planner submits and another person decides, if the company wants it.

Before an approval, the credential's right to write is proved, so no approved plan fails on it.
"""

from uuid import UUID

from partner_app.audit.events import Event
from partner_app.core import clock
from partner_app.estimates.mapping.memory import learn
from partner_app.handoffs.errors import (
    ApproverIsSubmitter,
    PlanIsBlocked,
    PlanIsStale,
    WriteNotProved,
)
from partner_app.handoffs.models import Handoff, HandoffState
from partner_app.handoffs.proof import WriteProof
from partner_app.handoffs.record import hindrances, note
from partner_app.handoffs.selectors import handoff_or_error
from partner_app.handoffs.states import move
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import company_or_error

OPERATOR = "operator"


def submit(*, company_id: int, handoff_id: UUID, actor: str, comment: str = "") -> Handoff:
    """Raises HandoffUnknown, NotNow, PlanIsStale, PlanIsBlocked."""
    with tenant(company_id):
        handoff = _checked(handoff_id)
        move(handoff, HandoffState.SUBMITTED)
        handoff.submitted_at, handoff.submitted_by = clock.now(), actor
        handoff.comment = comment
        handoff.save()
        note(Event.HANDOFF_SUBMITTED, handoff, actor)
    return handoff


def approve(
    *, company_id: int, handoff_id: UUID, actor: str, proof: WriteProof, comment: str = ""
) -> Handoff:
    """Approves a submitted plan.

    An operator approves for the company; a person only approves what another person submitted,
    unless the company lets one person do both. The mappings are remembered from now on. `proof` is
    of the credential that will write.

    Raises HandoffUnknown, NotNow, PlanIsStale, PlanIsBlocked, ApproverIsSubmitter, WriteNotProved.
    """
    apart = company_or_error(company_id).duties_apart and actor != OPERATOR
    with tenant(company_id):
        handoff = _checked(handoff_id)
        if apart and (handoff.submitted_by or actor) == actor:
            raise ApproverIsSubmitter
        if not proof.proved or proof.project_id != handoff.project_id:
            raise WriteNotProved(project_id=handoff.project_id, found=proof.found)
        move(handoff, HandoffState.APPROVED)
        handoff.decided_at, handoff.decided_by = clock.now(), actor
        handoff.comment = comment or handoff.comment
        handoff.save()
        learn(company_id=company_id, estimate_id=handoff.estimate_id)
        note(Event.HANDOFF_APPROVED, handoff, actor)
    return handoff


def reject(*, company_id: int, handoff_id: UUID, actor: str, comment: str) -> Handoff:
    """Raises HandoffUnknown, NotNow."""
    with tenant(company_id):
        handoff = handoff_or_error(handoff_id, lock=True)
        move(handoff, HandoffState.REJECTED)
        handoff.decided_at, handoff.decided_by = clock.now(), actor
        handoff.comment = comment
        handoff.save()
        note(Event.HANDOFF_REJECTED, handoff, actor)
    return handoff


def _checked(handoff_id: UUID) -> Handoff:
    """The plan, if it may continue: it matches the current estimate, and nothing blocks it."""
    handoff = handoff_or_error(handoff_id, lock=True)
    if handoff.estimate_version != handoff.estimate.version:
        raise PlanIsStale(what="the estimate", codes="its lines or their WBS codes")
    reasons = hindrances(handoff)
    if reasons:
        raise PlanIsBlocked(reasons="; ".join(reasons))
    return handoff
