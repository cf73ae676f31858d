"""Incidents: of which tenant, since when, what to do, and what else happened around then."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet

from integrations.procore.resources.registry import label
from integrations.procore.sync.models import Incident, SyncStep
from partner_app.audit.models import AuditEvent
from partner_app.dashboard.errors import IncidentUnknown

AROUND = timedelta(hours=2)  # before it opened
SHOWN = 20

# Who must act, by the prefix of a code; the longest match counts.
NEXT_STEPS = {
    "access.reconnect_needed": "Send the company’s administrator a link to reconnect.",
    "procore.forbidden": "Ask the company’s administrator for the tool’s permission, or for the "
    "project to be permitted again: an update of the app clears that list.",
    "procore.not_found": "The project may have been removed from the permitted ones: ask the "
    "company’s administrator.",
    "procore.rate": "Nothing: calls resume when Procore allows them again.",
    "procore.server": (
        "Nothing yet: we retry automatically. After an hour, check Procore’s status page."
    ),
    "procore.unreachable": (
        "Nothing yet: we retry automatically. If all tenants are affected, check this "
        "installation’s network."
    ),
    "procore.unreadable": (
        "Procore answers differently than documented: report it to the developers with this page."
    ),
    "hook.refused": "Ask the company’s administrator to grant “Webhooks API: Standard”.",
    "sync.late": "Check queues and workers; then choose Sync now on the tenant’s page.",
    "sync.": "Report it to the developers with this page.",
    "derived.": "Nothing for the customer: the synced records are complete, and the step is "
    "retried. Report it to the developers with this page.",
}


@dataclass(frozen=True)
class IncidentPage:
    incident: Incident
    resource: str
    next_step: str
    steps: list[SyncStep]
    events: list[AuditEvent]
    others: int  # tenants that have the same one now


def incidents(*, state: str = "open") -> "QuerySet[Incident]":
    """Newest first."""
    found = Incident.objects.select_related("company").order_by("-opened_at", "-id")
    if state == "open":
        found = found.filter(closed_at=None)
    elif state == "closed":
        found = found.exclude(closed_at=None)
    return found


def next_step(code: str) -> str:
    fitting = [begin for begin in NEXT_STEPS if code.startswith(begin)]
    return NEXT_STEPS[max(fitting, key=len)] if fitting else "Follow the remedy above."


def incident_page(incident_id: int) -> IncidentPage:
    """Raises IncidentUnknown."""
    found = Incident.objects.select_related("company").filter(id=incident_id).first()
    if found is None:
        raise IncidentUnknown
    steps = SyncStep.objects.filter(company_id=found.company_id, error_code=found.code)
    events = AuditEvent.objects.filter(company_id=found.company_id, at__gt=found.opened_at - AROUND)
    same = Incident.objects.filter(closed_at=None, code=found.code, resource=found.resource)
    return IncidentPage(
        incident=found,
        resource=label(found.resource),
        next_step=next_step(found.code),
        steps=list(
            steps.filter(resource=found.resource)
            .select_related("run")
            .order_by("-run__started_at")[:SHOWN]
        ),
        events=list(events.order_by("at")[:SHOWN]),
        others=same.exclude(company_id=found.company_id).count(),
    )
