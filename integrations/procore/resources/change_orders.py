"""Commitment change orders: how contracts grew, or may still grow."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people, privacy
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


class ChangeOrder(SourceRecord):
    spec = ResourceSpec(
        name="change_orders",
        label=gettext_noop("Change orders"),
        scope=Scope.PROJECT,
        # The list has no pages; read whole, it also shows deleted orders.
        sources=(
            Source(
                "/rest/v1.0/projects/{project_id}/commitment_change_orders",
                paged=False,
                show="/rest/v1.0/projects/{project_id}/commitment_change_orders/{remote_id}",
            ),
        ),
        changes=Changes.CONTENT,
        hangs_on="commitments",
        tool=Tool.COMMITMENTS,
        privacy=Privacy.SAID,
        draft="status",
        held_by=Holder("commitments", "contract_id"),
        webhooks=("Commitment Change Orders",),
        web="/{project_id}/project/commitments/change_orders/{remote_id}",
    )

    contract_id = kept(models.BigIntegerField(null=True), purpose="ties a change to its contract")
    number = kept(models.TextField(), purpose="identifies it by its number")
    title = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="separates approved changes from pending ones")
    grand_total = kept(money(), purpose="the amount of the change")
    package_id = kept(
        models.BigIntegerField(null=True),
        purpose="shows which package has the same change",
        path="legacy_package_id",
    )
    created_on = kept(models.DateTimeField(null=True), purpose="gives the age", path="created_at")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    private = privacy()
    named = named_people(
        "created_by.id", "designated_reviewer.id", "received_from.id", "reviewed_by.id"
    )

    class Meta:
        indexes: ClassVar = [
            # pending and approved changes of a project.
            models.Index(fields=["company", "project_id", "status"], name="change_order_status")
        ]
