"""The audit log of one company or of all, searched by actor, event and time."""

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet

from partner_app.audit.models import AuditEvent


def events(company_id: int | None = None) -> "QuerySet[AuditEvent]":
    """Newest first."""
    found = AuditEvent.objects.order_by("-at", "-id")
    return found.filter(company_id=company_id) if company_id else found


def searched(
    found: "QuerySet[AuditEvent]",
    *,
    text: str = "",
    company: int | str = "",
    since: date | str = "",
    until: date | str = "",
) -> "QuerySet[AuditEvent]":
    """`text` in the actor's name, the event or its subject; days are in UTC, both inclusive."""
    if text:
        words = text.strip().replace(" ", "_")
        found = found.filter(
            Q(actor__icontains=text) | Q(event__icontains=words) | Q(subject__icontains=text)
        )
    if company:
        found = found.filter(company_id=company)
    if isinstance(since, date):
        found = found.filter(at__gte=datetime.combine(since, time.min, UTC))
    if isinstance(until, date):
        end = datetime.combine(until, time.min, UTC) + timedelta(days=1)
        found = found.filter(at__lt=end)
    return found
