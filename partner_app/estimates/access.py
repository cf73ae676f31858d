"""Access to an estimate from the frame: requires the Budget tool on its project."""

from uuid import UUID

from integrations.procore.resources.tools import Tool
from integrations.procore.sync.use import note_opened
from partner_app.embedded.decorators import ViewerRequest
from partner_app.embedded.entitlement import Rights, rights_on
from partner_app.estimates.errors import NotYours
from partner_app.estimates.files import reading_or_error
from partner_app.estimates.models import Estimate, FileReading
from partner_app.estimates.services import estimate_or_error
from partner_app.tenancy.context import tenant
from partner_app.tenancy.features import Feature, require


def budget_rights(request: ViewerRequest, project_id: int, *, refresh: bool = False) -> Rights:
    """Raises FeatureOff, ProjectHidden, NotEntitled, ProcoreError."""
    require(request.company, Feature.HANDOFFS)
    rights = rights_on(request.viewer, project_id, refresh=refresh)
    rights.require(Tool.BUDGET)
    note_opened(company_id=request.company.id, project_id=project_id)
    return rights


def estimate_to_change(request: ViewerRequest, estimate_id: UUID) -> Estimate:
    """Their own estimate, or any where Procore lets them edit the budget.

    Raises EstimateUnknown, ProjectHidden, NotEntitled, NotYours, ProcoreError.
    """
    with tenant(request.company.id):
        estimate = estimate_or_error(estimate_id)
    _require_theirs(request, estimate)
    return estimate


def estimate_for(request: ViewerRequest, estimate_id: UUID) -> Estimate:
    """Raises EstimateUnknown, ProjectHidden, NotEntitled, ProcoreError."""
    with tenant(request.company.id):
        estimate = estimate_or_error(estimate_id)
    budget_rights(request, estimate.project_id)
    return estimate


def reading_for(request: ViewerRequest, reading_id: UUID) -> FileReading:
    """Raises ReadingUnknown, ProjectHidden, NotEntitled, ProcoreError."""
    with tenant(request.company.id):
        reading = reading_or_error(reading_id)
    budget_rights(request, reading.project_id)
    return reading


def reading_to_change(request: ViewerRequest, reading_id: UUID) -> FileReading:
    """The same rule as in estimate_to_change.

    Raises ReadingUnknown, ProjectHidden, NotEntitled, NotYours, ProcoreError.
    """
    with tenant(request.company.id):
        reading = reading_or_error(reading_id)
    _require_theirs(request, reading)
    return reading


def _require_theirs(request: ViewerRequest, given: Estimate | FileReading) -> None:
    """Raises ProjectHidden, NotEntitled, NotYours, ProcoreError."""
    rights = budget_rights(request, given.project_id)
    if not rights.edits_budget and given.created_by != request.viewer.actor:
        raise NotYours
