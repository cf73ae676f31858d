"""Submittals: what must be approved before it can be built."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, named_people, privacy
from integrations.procore.resources.spec import Changes, Privacy, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class Submittal(SourceRecord):
    spec = ResourceSpec(
        name="submittals",
        label=gettext_noop("Submittals"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.1/projects/{project_id}/submittals",
                show="/rest/v1.1/projects/{project_id}/submittals/{remote_id}",
            ),
        ),
        # Deletions show only by absence; a full sync finds them.
        changes=Changes.UPDATED_AT,
        tool=Tool.SUBMITTALS,
        privacy=Privacy.SAID,
        draft="status",
        webhooks=("Submittals",),
        web="/{project_id}/project/submittal_logs/{remote_id}",
    )

    number = kept(
        models.TextField(), purpose="identifies it by its number", path="formatted_number"
    )
    title = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="separates open from closed", path="status.status")
    due_date = kept(models.DateField(null=True), purpose="finds what is overdue")
    submit_by = kept(models.DateField(null=True), purpose="finds what comes too late")
    created_on = kept(models.DateTimeField(null=True), purpose="gives the age", path="created_at")
    responsible_contractor = kept(
        models.TextField(), purpose="shows who has to act", path="responsible_contractor.name"
    )
    private = privacy()
    named = named_people(
        "created_by.id", "submittal_manager.id", "received_from.id", "ball_in_court[].id",
        "approvers[].user.id", "distribution_members[].id",
    )  # fmt: skip

    class Meta:
        indexes: ClassVar = [
            # open items and overdue counts on home and project page.
            models.Index(
                fields=["company", "project_id", "status", "due_date"], name="submittal_open_due"
            )
        ]
