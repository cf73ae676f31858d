"""Access to a handoff from the frame, and who may write the budget."""

from uuid import UUID

from partner_app.connections.access import viewer_client
from partner_app.embedded.decorators import ViewerRequest
from partner_app.embedded.entitlement import Rights
from partner_app.estimates.access import budget_rights
from partner_app.handoffs.errors import BudgetNotEditable
from partner_app.handoffs.models import Handoff
from partner_app.handoffs.proof import prove_write
from partner_app.handoffs.selectors import handoff_or_error
from partner_app.tenancy.context import tenant


def handoff_for(request: ViewerRequest, handoff_id: UUID) -> tuple[Handoff, Rights]:
    """Raises HandoffUnknown, ProjectHidden, NotEntitled, ProcoreError."""
    with tenant(request.company.id):
        handoff = handoff_or_error(handoff_id)
    return handoff, budget_rights(request, handoff.project_id)


def handoff_to_write(request: ViewerRequest, handoff_id: UUID) -> tuple[Handoff, Rights]:
    """Asks Procore now: before a viewer decides, their right to write is proved.

    Raises BudgetNotEditable, and what handoff_for raises.
    """
    with tenant(request.company.id):
        handoff = handoff_or_error(handoff_id)
    rights = budget_rights(request, handoff.project_id, refresh=True)
    if not rights.edits_budget:
        client = viewer_client(request.company.id, request.viewer.remote_user_id)
        raise BudgetNotEditable(level=prove_write(client, handoff.project_id).level or "None")
    return handoff, rights
