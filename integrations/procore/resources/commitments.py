"""Commitments: subcontracts and purchase orders, read from two lists into one table."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people, privacy
from integrations.procore.resources.spec import Changes, Privacy, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class Commitment(SourceRecord):
    spec = ResourceSpec(
        name="commitments",
        label=gettext_noop("Commitments"),
        scope=Scope.PROJECT,
        # v1.0 rather than the joint v2.0 list: one twentieth of the calls for the same rows.
        sources=(
            Source(
                "/rest/v1.0/work_order_contracts",
                {"project_id": "{project_id}"},
                extra={"kind": "subcontract"},
                deleted=True,
                show="/rest/v1.0/work_order_contracts/{remote_id}",
            ),
            Source(
                "/rest/v1.0/purchase_order_contracts",
                {"project_id": "{project_id}"},
                extra={"kind": "purchase_order"},
                deleted=True,
                show="/rest/v1.0/purchase_order_contracts/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.COMMITMENTS,
        privacy=Privacy.SAID,
        draft="status",
        webhooks=("Work Order Contracts", "Purchase Order Contracts"),
        web="/{project_id}/project/commitments/{remote_id}",
    )

    kind = kept(models.TextField(), purpose="subcontract or purchase order")
    number = kept(models.TextField(), purpose="identifies it by its number")
    title = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="decides whether it counts as committed")
    vendor = kept(models.TextField(), purpose="names the contractor", path="vendor.company")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    grand_total = kept(money(), purpose="the contract before changes")
    approved_change_orders = kept(money(), purpose="reveals approved changes that are in no list")
    pending_change_orders = kept(money(), purpose="reveals pending changes that are in no list")
    draft_change_orders_amount = kept(
        money(), purpose="reveals pending changes that are in no list"
    )
    private = privacy()
    # Neither list names the people a private contract is open to; orders name their assignee.
    named = named_people("assignee.id")

    class Meta:
        indexes: ClassVar = [
            # committed amounts on home and project page.
            models.Index(fields=["company", "project_id", "status"], name="commitment_status")
        ]
