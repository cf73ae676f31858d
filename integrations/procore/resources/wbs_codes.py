"""WBS codes: where an estimate's lines may go."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from partner_app.core.i18n import gettext_noop


class WbsCode(SourceRecord):
    spec = ResourceSpec(
        name="wbs_codes",
        label=gettext_noop("WBS codes"),
        scope=Scope.PROJECT,
        sources=(Source("/rest/v1.0/projects/{project_id}/work_breakdown_structure/wbs_codes"),),
        changes=Changes.UPDATED_AT,
        webhooks=("WBS Codes",),
    )

    flat_code = kept(models.TextField(), purpose="the code that estimates are mapped to")
    flat_name = kept(models.TextField(), purpose="explains the code")
    status = kept(models.TextField(), purpose="an inactive code takes no budget")

    class Meta:
        indexes: ClassVar = [
            # codes of a project for mapping and plan.
            models.Index(fields=["company", "project_id", "flat_code"], name="wbs_code_flat")
        ]
