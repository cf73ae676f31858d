"""Lines of direct costs: which WBS code the money went to."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, Holder, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class DirectCostLineItem(SourceRecord):
    spec = ResourceSpec(
        name="direct_cost_line_items",
        label=gettext_noop("Lines of direct costs"),
        scope=Scope.PROJECT,
        # One list for the whole project, unlike the lines of contracts.
        sources=(
            Source(
                "/rest/v1.0/projects/{project_id}/direct_costs/line_items",
                show="/rest/v1.0/projects/{project_id}/direct_costs/{direct_cost_id}/line_items/"
                "{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        hangs_on="direct_costs",
        tool=Tool.DIRECT_COSTS,
        held_by=Holder("direct_costs", "direct_cost_id"),
        webhooks=("Direct Costs",),
        web="/{project_id}/project/direct_costs",
    )

    direct_cost_id = kept(
        models.BigIntegerField(null=True), purpose="ties a line to its cost", path="holder.id"
    )
    wbs_code_id = kept(
        models.BigIntegerField(null=True), purpose="adds up by WBS code", path="wbs_code.id"
    )
    amount = kept(money(), purpose="the cost")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )

    class Meta:
        indexes: ClassVar = [
            # approved costs by WBS code of a project.
            models.Index(fields=["company", "project_id", "direct_cost_id"], name="cost_line_of")
        ]
