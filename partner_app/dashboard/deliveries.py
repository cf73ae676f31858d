"""The webhook events received from Procore, and the hooks that send them.

Payloads are not kept, so there is nothing to redact: only ids of what changed, and when.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, F, Min, QuerySet

from integrations.procore.sync.models import DueRead
from integrations.procore.webhooks.models import HookState, WebhookEvent, WebhookHook
from partner_app.core import clock

LATELY = timedelta(hours=24)


@dataclass(frozen=True)
class Inbox:
    """`lag_since`: since when the oldest webhook event waits to be processed."""

    received: int
    delay: timedelta | None  # between a change and its webhook event, on average
    waiting: int
    lag_since: datetime | None
    hooks: list[tuple[str, int]]


def inbox() -> Inbox:
    lately = WebhookEvent.objects.filter(received_at__gt=clock.now() - LATELY)
    sums = lately.aggregate(number=Count("id"), delay=Avg(F("received_at") - F("happened_at")))
    told = DueRead.objects.aggregate(number=Count("id"), oldest=Min("due_at"))
    states = dict(WebhookHook.objects.values_list("state").annotate(number=Count("key")).order_by())
    return Inbox(
        received=sums["number"],
        delay=sums["delay"],
        waiting=told["number"],
        lag_since=told["oldest"],
        hooks=[(state.label, states.get(state, 0)) for state in HookState],
    )


def deliveries(*, company_id: int | None = None) -> "QuerySet[WebhookEvent]":
    """Newest first."""
    found = WebhookEvent.objects.select_related("company").order_by("-received_at", "-id")
    return found.filter(company_id=company_id) if company_id else found
