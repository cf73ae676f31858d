"""Lines of contracts: what is committed under each WBS code."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money
from integrations.procore.resources.spec import Changes, Holder, Parent, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


def _of(kind: str, path: str) -> Source:
    return Source(
        path,
        {"project_id": "{project_id}"},
        parent=Parent("commitments", "contract_id", (("kind", kind),)),
        show=path.replace("{parent_id}", "{contract_id}") + "/{remote_id}",
    )


class CommitmentLineItem(SourceRecord):
    spec = ResourceSpec(
        name="commitment_line_items",
        label=gettext_noop("Lines of commitments"),
        scope=Scope.PROJECT,
        # One call per contract, so only the lines of contracts that changed are read again.
        sources=(
            _of("subcontract", "/rest/v1.0/work_order_contracts/{parent_id}/line_items"),
            _of("purchase_order", "/rest/v1.0/purchase_order_contracts/{parent_id}/line_items"),
        ),
        changes=Changes.PARENT,
        hangs_on="commitments",
        tool=Tool.COMMITMENTS,
        held_by=Holder("commitments", "contract_id"),
        webhooks=("Work Order Contracts", "Purchase Order Contracts"),
        web="/{project_id}/project/commitments",
    )

    contract_id = kept(
        models.BigIntegerField(null=True), purpose="ties a line to its contract", path="holder.id"
    )
    wbs_code_id = kept(
        models.BigIntegerField(null=True), purpose="adds up by WBS code", path="wbs_code.id"
    )
    flat_code = kept(models.TextField(), purpose="names the WBS code", path="wbs_code.flat_code")
    description = kept(models.TextField(), purpose="names the line in lists")
    amount = kept(money(), purpose="the committed amount")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )

    class Meta:
        indexes: ClassVar = [
            # committed cost of a project by WBS code.
            models.Index(fields=["company", "project_id", "wbs_code_id"], name="line_item_wbs"),
            # lines of one contract, replaced when it changes.
            models.Index(fields=["company", "contract_id"], name="line_item_contract"),
        ]
