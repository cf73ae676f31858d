"""What the dashboard reads: operational tables only, never customer content."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from integrations.procore.sync.models import SyncCursor, SyncRun
from partner_app.tenancy.models import Company


@dataclass(frozen=True)
class Tenant:
    company: Company
    last_run: SyncRun | None
    fresh_at: datetime | None
    problems: int


def tenants() -> list[Tenant]:
    fresh = dict(
        SyncCursor.objects.values_list("company_id").annotate(newest=Max("fresh_at")).order_by()
    )
    runs = {
        run.company_id: run
        for run in SyncRun.objects.order_by("company_id", "-started_at").distinct("company_id")
    }
    return [
        Tenant(
            company,
            runs.get(company.id),
            fresh.get(company.id),
            runs[company.id].steps.exclude(error="").count() if company.id in runs else 0,
        )
        for company in Company.objects.order_by("name")
    ]
