"""Users of the company's directory: names only, to show who must act next."""

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from partner_app.core.i18n import gettext_noop


class User(SourceRecord):
    spec = ResourceSpec(
        name="users",
        label=gettext_noop("People"),
        scope=Scope.COMPANY,
        sources=(
            Source(
                "/rest/v1.3/companies/{company_id}/users",
                show="/rest/v1.3/companies/{company_id}/users/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        webhooks=("Company Users",),
    )

    name = kept(models.TextField(), purpose="shows who has to act", personal=True)
    is_active = kept(models.BooleanField(), purpose="marks people who have left")
