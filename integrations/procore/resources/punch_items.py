"""Punch items: what must be fixed before hand-over, and its cost."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people, privacy
from integrations.procore.resources.spec import Changes, Privacy, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class PunchItem(SourceRecord):
    spec = ResourceSpec(
        name="punch_items",
        label=gettext_noop("Punch items"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.1/punch_items",
                {"project_id": "{project_id}"},
                show="/rest/v1.1/punch_items/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.PUNCH_LIST,
        privacy=Privacy.SAID,
        draft="workflow_status",
        webhooks=("Punch Items",),
        web="/{project_id}/project/punch_list/{remote_id}",
    )

    position = kept(models.BigIntegerField(null=True), purpose="identifies it by its number")
    name = kept(models.TextField(), purpose="names it in lists")
    status = kept(models.TextField(), purpose="separates open from closed")
    due_date = kept(models.DateField(null=True), purpose="finds what is overdue")
    cost_impact_amount = kept(money(), purpose="ranks by money")
    workflow_status = kept(
        models.TextField(db_default=""), purpose="separates drafts from items that were sent out"
    )
    private = privacy()
    named = named_people(
        "created_by.id", "punch_item_manager.id", "final_approver.id", "assignees[].id",
        "assignments[].login_information_id", "ball_in_court[].id",
    )  # fmt: skip

    class Meta:
        indexes: ClassVar = [
            # open punch items of a project.
            models.Index(
                fields=["company", "project_id", "status", "due_date"], name="punch_item_open_due"
            )
        ]
