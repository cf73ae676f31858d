"""All resources, in the order in which a sync reads them: parents before their children."""

from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.change_event_lines import ChangeEventLine
from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.change_order_packages import ChangeOrderPackage
from integrations.procore.resources.change_orders import ChangeOrder
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.commitments import Commitment
from integrations.procore.resources.cost_types import CostType
from integrations.procore.resources.direct_cost_line_items import DirectCostLineItem
from integrations.procore.resources.direct_costs import DirectCost
from integrations.procore.resources.observations import Observation
from integrations.procore.resources.potential_change_orders import PotentialChangeOrder
from integrations.procore.resources.projects import Project
from integrations.procore.resources.punch_items import PunchItem
from integrations.procore.resources.requisitions import Requisition
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.source import SourceRecord, kept_fields
from integrations.procore.resources.submittals import Submittal
from integrations.procore.resources.users import User
from integrations.procore.resources.vendors import Vendor
from integrations.procore.resources.wbs_codes import WbsCode

RESOURCES: dict[str, type[SourceRecord]] = {
    model.spec.name: model
    for model in (
        Project,
        User,
        Vendor,
        CostType,
        Rfi,
        Submittal,
        ChangeEvent,
        ChangeEventLine,
        Commitment,
        WbsCode,
        BudgetRow,
        ChangeOrder,
        ChangeOrderPackage,
        PotentialChangeOrder,
        DirectCost,
        DirectCostLineItem,
        Requisition,
        Observation,
        PunchItem,
        CommitmentLineItem,
    )
}


def label(name: str) -> str:
    """rfis becomes RFIs; in English, to be translated where it is shown."""
    model = RESOURCES.get(name)
    return model.spec.label if model else name.replace("_", " ").capitalize()


def data_inventory() -> list[dict[str, object]]:
    """Every kept field of every resource, with its reason: generated, so it cannot disagree."""
    return [
        {
            "resource": name,
            "field": field.name,
            "purpose": why.purpose,
            "personal": why.personal,
            "retention_days": model.spec.retention_days,
        }
        for name, model in RESOURCES.items()
        for field, why in kept_fields(model)
    ]
