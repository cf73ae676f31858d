"""Direct costs: money spent without a commitment."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class DirectCost(SourceRecord):
    spec = ResourceSpec(
        name="direct_costs",
        label=gettext_noop("Direct costs"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.1/projects/{project_id}/direct_costs",
                show="/rest/v1.1/projects/{project_id}/direct_costs/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.DIRECT_COSTS,
        draft="status",
        webhooks=("Direct Costs",),
        web="/{project_id}/project/direct_costs/{remote_id}",
    )

    kind = kept(models.TextField(), purpose="invoice, expense or payroll", path="direct_cost_type")
    status = kept(models.TextField(), purpose="separates approved costs from others")
    description = kept(models.TextField(), purpose="names it in lists")
    vendor = kept(models.TextField(), purpose="names who was paid", path="vendor_name")
    cost_date = kept(
        models.DateField(null=True), purpose="orders costs in time", path="direct_cost_date"
    )
    grand_total = kept(money(), purpose="the cost")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )

    class Meta:
        indexes: ClassVar = [
            # approved costs of a project.
            models.Index(fields=["company", "project_id", "status"], name="direct_cost_status")
        ]
