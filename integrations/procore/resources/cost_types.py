"""Cost types: the last segment of a WBS code, by name."""

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from partner_app.core.i18n import gettext_noop


class CostType(SourceRecord):
    spec = ResourceSpec(
        name="cost_types",
        label=gettext_noop("Cost types"),
        scope=Scope.COMPANY,
        sources=(
            Source(
                "/rest/v1.0/line_item_types",
                {"company_id": "{company_id}"},
                show="/rest/v1.0/line_item_types/{remote_id}",
            ),
        ),
        changes=Changes.CONTENT,
    )

    code = kept(models.TextField(), purpose="recognises a cost type in a foreign estimate")
    name = kept(models.TextField(), purpose="names the cost type")
    base_type = kept(
        models.TextField(), purpose="separates committed cost from self-performed work"
    )
