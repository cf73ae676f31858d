"""Potential change orders: contract changes that are not yet in a change order.

In projects with three tiers of change orders they come before requests and packages. The list also
shows those of prime contracts, which belong to no commitment and are not counted.
"""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people
from integrations.procore.resources.spec import (
    Changes,
    Holder,
    Privacy,
    ResourceSpec,
    Scope,
    Source,
)
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class PotentialChangeOrder(SourceRecord):
    spec = ResourceSpec(
        name="potential_change_orders",
        label=gettext_noop("Potential change orders"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.0/potential_change_orders",
                {"project_id": "{project_id}"},
                deleted=True,
                show="/rest/v1.0/potential_change_orders/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.COMMITMENTS,
        privacy=Privacy.UNSAID,
        draft="status",
        held_by=Holder("commitments", "contract_id"),
        webhooks=("Potential Change Orders",),
        web="/{project_id}/project/commitments/potential_change_orders/{remote_id}",
    )

    contract_id = kept(models.BigIntegerField(null=True), purpose="ties a change to its contract")
    number = kept(models.TextField(), purpose="identifies it by its number")
    title = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="separates approved changes from pending ones")
    grand_total = kept(money(), purpose="the amount of the change")
    package = kept(
        models.TextField(),
        purpose="shows that the change already counts in a package",
        path="change_order_package_title",
    )
    created_on = kept(models.DateTimeField(null=True), purpose="gives the age", path="created_at")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    named = named_people("created_by_id")

    class Meta:
        indexes: ClassVar = [
            # the changes of a project's contracts.
            models.Index(
                fields=["company", "project_id", "contract_id"], name="potential_change_order_of"
            )
        ]
