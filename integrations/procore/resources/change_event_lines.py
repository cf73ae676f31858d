"""Lines of change events: how much of an event's cost is in a contract, an order or the budget.

An event stays open after its order is executed, so its status does not show that; the links of its
lines do. The list of events carries them in v1.0; v1.1, which has the latest cost, does not.
"""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, Holder, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class ChangeEventLine(SourceRecord):
    spec = ResourceSpec(
        name="change_event_lines",
        label=gettext_noop("Lines of change events"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.0/change_events",
                {"project_id": "{project_id}"},
                rows="change_event_line_items",
                show="/rest/v1.0/change_events/{event_id}",
            ),
        ),
        # A removed line shows only by its absence.
        changes=Changes.CONTENT,
        tool=Tool.CHANGE_EVENTS,
        held_by=Holder("change_events", "event_id"),
        webhooks=("Change Events",),
        web="/{project_id}/project/change_events/events",
    )

    event_id = kept(models.BigIntegerField(null=True), purpose="ties a line to its event")
    wbs_code_id = kept(
        models.BigIntegerField(null=True),
        purpose="compares it with pending changes of the budget for its code",
        path="budget_code.id",
    )
    cost = kept(money(), purpose="what the line may cost", path="estimated_cost_amount")
    contract_id = kept(
        models.BigIntegerField(null=True),
        purpose="shows that the cost is in a contract",
        path="contract.id",
    )
    contract_cost = kept(
        money(), purpose="how much of the cost is in a contract", path="commitment_contract_cost"
    )
    order_cost = kept(
        money(), purpose="how much of the cost is in a change order", path="commitment_pco_cost"
    )
    order_status = kept(
        models.TextField(),
        purpose="shows whether that change order still counts",
        path="statuses.commitment_pco_cost",
    )
    budget_change = kept(
        money(), purpose="how much of the cost a budget change covers", path="budget_mod_amount"
    )

    class Meta:
        indexes: ClassVar = [
            # the lines of a project's open events.
            models.Index(fields=["company", "project_id", "event_id"], name="change_event_line_of")
        ]
