"""Observations: problems seen on site that a person must fix."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, named_people, privacy
from integrations.procore.resources.spec import Changes, Privacy, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class Observation(SourceRecord):
    spec = ResourceSpec(
        name="observations",
        label=gettext_noop("Observations"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.0/observations/items",
                {"project_id": "{project_id}"},
                show="/rest/v1.0/observations/items/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.OBSERVATIONS,
        privacy=Privacy.SAID,
        webhooks=("Observation Items",),
        web="/{project_id}/project/observations/items/{remote_id}",
    )

    number = kept(models.TextField(), purpose="identifies it by its number")
    name = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="separates open from closed")
    priority = kept(models.TextField(), purpose="orders what is open")
    due_date = kept(models.DateField(null=True), purpose="finds what is overdue")
    # The list's name for a private one.
    private = privacy("personal")
    named = named_people("assignee.id", "created_by.id")

    class Meta:
        indexes: ClassVar = [
            # open observations of a project.
            models.Index(
                fields=["company", "project_id", "status", "due_date"], name="observation_open_due"
            )
        ]
