"""Handoffs as the audit log shows them: which step, of which tenant, no content."""

from dataclasses import dataclass

from django.db.models import QuerySet

from partner_app.audit.models import AuditEvent
from partner_app.tenancy.models import Company


@dataclass(frozen=True)
class Named:
    """An event with the tenant's name; empty where the tenant is gone."""

    event: AuditEvent
    company: Company | None


def handoff_events() -> "QuerySet[AuditEvent]":
    """Newest first."""
    return AuditEvent.objects.filter(event__startswith="handoff.").order_by("-at", "-id")


def named(events: list[AuditEvent]) -> list[Named]:
    ids = {event.company_id for event in events if event.company_id}
    companies = Company.objects.in_bulk(ids)
    return [Named(event, companies.get(event.company_id or 0)) for event in events]
