"""Vendors: the companies that a builder contracts with."""

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from partner_app.core.i18n import gettext_noop


class Vendor(SourceRecord):
    spec = ResourceSpec(
        name="vendors",
        label=gettext_noop("Vendors"),
        scope=Scope.COMPANY,
        sources=(
            Source(
                "/rest/v1.0/vendors",
                {"company_id": "{company_id}"},
                show="/rest/v1.0/vendors/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        webhooks=("Company Vendors",),
    )

    name = kept(models.TextField(), purpose="names the contractor of a commitment")
    trade_name = kept(models.TextField(), purpose="groups commitments by trade")
    is_active = kept(models.BooleanField(), purpose="marks vendors no longer used")
