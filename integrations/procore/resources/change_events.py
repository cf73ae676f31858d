"""Change events: possible changes of cost, before they become change orders."""

from typing import ClassVar

from django.db import models

from integrations.procore.resources.source import SourceRecord, kept, money, named_people
from integrations.procore.resources.spec import Changes, ResourceSpec, Scope, Source
from integrations.procore.resources.tools import Tool
from partner_app.core.i18n import gettext_noop


class ChangeEvent(SourceRecord):
    spec = ResourceSpec(
        name="change_events",
        label=gettext_noop("Change events"),
        scope=Scope.PROJECT,
        sources=(
            Source(
                "/rest/v1.1/change_events",
                {"project_id": "{project_id}"},
                deleted=True,
                show="/rest/v1.1/change_events/{remote_id}",
            ),
        ),
        changes=Changes.UPDATED_AT,
        tool=Tool.CHANGE_EVENTS,
        draft="status",
        webhooks=("Change Events",),
        web="/{project_id}/project/change_events/events/{remote_id}",
    )

    number = kept(models.TextField(), purpose="identifies it by its number")
    title = kept(models.TextField(), purpose="names it in lists")
    status = kept(
        models.TextField(), purpose="separates open from closed", path="status.mapped_to_status"
    )
    scope = kept(models.TextField(), purpose="shows whose money it is")
    reason = kept(
        models.TextField(), purpose="groups changes by cause", path="change_reason.change_reason"
    )
    currency = kept(
        models.TextField(),
        purpose="keeps currencies apart",
        path="currency_configuration.currency_iso_code",
    )
    created_on = kept(models.DateTimeField(null=True), purpose="gives the age", path="created_at")
    origin_id = kept(
        models.BigIntegerField(null=True),
        purpose="ties an event to the question that it came from",
        path="event_origin.origin_id",
    )
    origin_type = kept(
        models.TextField(), purpose="shows what the origin is", path="event_origin.origin_type"
    )
    # The sum over the event's items; nothing else of them is kept.
    latest_cost = kept(
        money(),
        purpose="adds up the exposure",
        path="change_items.latest_cost_values.amount",
        summed=True,
    )
    named = named_people("created_by.id")

    class Meta:
        indexes: ClassVar = [
            # open events of a project, for its metrics and lists.
            models.Index(fields=["company", "project_id", "status"], name="change_event_open")
        ]
