"""RFIs: questions from the site, their age and what they may cost."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people, privacy
from integrations.procore.resources.spec import Changes, Privacy, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class Rfi(SourceRecord):
    spec = ResourceSpec(
        name="rfis",
        label=gettext_noop("RFIs"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.0/projects/{project_id}/rfis",
                show="/rest/v1.0/projects/{project_id}/rfis/{remote_id}",
                bin="/rest/v1.0/projects/{project_id}/rfis/recycle_bin",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.RFIS,
        privacy=Privacy.SAID,
        draft="status",
        webhooks=("RFIs",),
        web="/{project_id}/project/rfi/show/{remote_id}",
    )

    number = kept(
        models.TextField(), purpose="identifies the question by its number", path="full_number"
    )
    subject = kept(models.TextField(), purpose="names the question in lists")
    status = kept(models.TextField(), purpose="separates open questions from answered ones")
    due_date = kept(models.DateField(null=True), purpose="finds what is overdue")
    initiated_at = kept(models.DateTimeField(null=True), purpose="gives the age")
    time_resolved = kept(models.DateTimeField(null=True), purpose="gives the turnaround")
    cost_impact_status = kept(
        models.TextField(), purpose="finds cost yet unknown", path="cost_impact.status"
    )
    cost_impact = kept(money(), purpose="ranks by money", path="cost_impact.value")
    # Several people may have to act; the older key names one of them, or nobody.
    ball_in_court = kept(
        models.TextField(),
        purpose="shows who has to act",
        path="ball_in_courts.name",
        otherwise="ball_in_court.name",
        joined=True,
        personal=True,
    )
    private = privacy()
    # The list does not name the distribution list; people only on that see it in Procore alone.
    named = named_people(
        "created_by.id", "rfi_manager.id", "assignee.id", "assignees[].id", "ball_in_court.id",
        "ball_in_courts[].id", "received_from.id",
    )  # fmt: skip

    class Meta:
        indexes: ClassVar = [
            # open items and overdue counts on home and project page.
            models.Index(
                fields=["company", "project_id", "status", "due_date"], name="rfi_open_due"
            )
        ]
