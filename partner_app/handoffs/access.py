"""A handoff for somebody in the frame, and who may write the budget."""

from uuid import UUID

from partner_app.embedded.decorators import ViewerRequest
from partner_app.embedded.entitlement import Rights
from partner_app.estimates.access import budget_rights
from partner_app.handoffs.errors import BudgetNotEditable
from partner_app.handoffs.models import Handoff
from partner_app.handoffs.selectors import handoff_or_error
from partner_app.tenancy.context import tenant


def handoff_for(request: ViewerRequest, handoff_id: UUID) -> tuple[Handoff, Rights]:
    """Raises HandoffUnknown, ProjectHidden, NotEntitled, ProcoreError."""
    with tenant(request.company.id):
        handoff = handoff_or_error(handoff_id)
    return handoff, budget_rights(request, handoff.project_id)


def handoff_to_write(request: ViewerRequest, handoff_id: UUID) -> tuple[Handoff, Rights]:
    """Asks Procore anew. Raises BudgetNotEditable, and what handoff_for raises."""
    with tenant(request.company.id):
        handoff = handoff_or_error(handoff_id)
    rights = budget_rights(request, handoff.project_id, anew=True)
    if not rights.edits_budget:
        raise BudgetNotEditable
    return handoff, rights
