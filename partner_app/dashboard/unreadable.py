"""Which fields of which tenants' records could not be read: shapes and counts, never a value."""

from typing import Any

from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from integrations.procore.sync.models import Quarantine


def unreadable(*, company_id: int | None = None) -> "QuerySet[Quarantine, Any]":
    """A row for each field and shape of a tenant's resource; the newest first."""
    found = Quarantine.objects.order_by()
    if company_id:
        found = found.filter(company_id=company_id)
    rows = found.values(
        "company_id", "company__name", "resource", "field", "shape", "set_aside"
    ).annotate(
        count=Sum("records"),
        projects=Count("project_id", filter=~Q(project_id=0), distinct=True),
        since=Min("first_seen_at"),
        seen=Max("last_seen_at"),
    )
    return rows.order_by("-since", "company_id", "resource", "field", "shape")
