"""Subcontractor invoices (Procore calls them requisitions): what was claimed on a contract."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people
from integrations.procore.resources.spec import Changes, Holder, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class Requisition(SourceRecord):
    spec = ResourceSpec(
        name="requisitions",
        label=gettext_noop("Invoices"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.1/requisitions",
                {"project_id": "{project_id}"},
                show="/rest/v1.1/requisitions/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        hangs_on="commitments",
        tool=Tool.COMMITMENTS,
        draft="status",
        held_by=Holder("commitments", "contract_id"),
        webhooks=("Requisitions",),
        web="/{project_id}/project/commitments/requisitions/{remote_id}",
    )

    contract_id = kept(
        models.BigIntegerField(null=True),
        purpose="ties an invoice to its contract",
        path="commitment_id",
    )
    invoice_number = kept(models.TextField(), purpose="identifies it by its number")
    status = kept(models.TextField(), purpose="separates approved invoices from others")
    billing_date = kept(models.DateField(null=True), purpose="orders invoices in time")
    total_claimed_amount = kept(money(), purpose="compares invoices with their contract")
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    named = named_people("created_by.id")

    class Meta:
        indexes: ClassVar = [
            # approved invoices by contract of a project.
            models.Index(fields=["company", "project_id", "contract_id"], name="requisition_of")
        ]
