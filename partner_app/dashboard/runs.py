"""Syncs of all tenants, and the steps of one."""

from django.db.models import Case, IntegerField, QuerySet, Value, When

from integrations.procore.sync.models import SyncRun, SyncStep


def runs(*, company_id: int | None = None, state: str = "") -> "QuerySet[SyncRun]":
    """Newest first."""
    found = SyncRun.objects.select_related("company").order_by("-started_at", "-id")
    if company_id:
        found = found.filter(company_id=company_id)
    return found.filter(state=state) if state else found


def steps(run: SyncRun) -> "QuerySet[SyncStep]":
    """Those with a problem first."""
    fine = Case(When(error="", then=Value(1)), default=Value(0), output_field=IntegerField())
    return run.steps.order_by(fine, "resource", "project_id")
