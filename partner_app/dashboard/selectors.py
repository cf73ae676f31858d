"""What the dashboard reads: operational tables only, never customer content."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet

from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.models import SyncCursor, SyncRun
from integrations.procore.sync.runs import label
from partner_app.accounts.grants import living_grant, under_grant
from partner_app.accounts.models import PartnerAdmin, SupportGrant
from partner_app.audit.models import AuditEvent
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company, Installation

RUNS_SHOWN = 10
EVENTS_SHOWN = 100


@dataclass(frozen=True)
class Tenant:
    company: Company
    last_run: SyncRun | None
    fresh_at: datetime | None
    problems: int


@dataclass(frozen=True)
class TenantPage:
    """One company's operation, and whether it lets support look further."""

    company: Company
    installations: list[Installation]
    runs: list[SyncRun]
    events: list[AuditEvent]
    grant: SupportGrant | None


@dataclass(frozen=True)
class Content:
    """What support sees under a grant: enough to tell whether a copy is complete."""

    grant: SupportGrant
    projects: list[str]
    counts: list[tuple[str, int]]


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


def tenant_page(company_id: int) -> TenantPage:
    """Raises CompanyUnknown."""
    company = company_or_error(company_id)
    runs = SyncRun.objects.filter(company=company).order_by("-started_at")[:RUNS_SHOWN]
    return TenantPage(
        company=company,
        installations=list(company.installations.order_by("-installed_at")),
        runs=list(runs),
        events=list(events(company_id)[:EVENTS_SHOWN]),
        grant=living_grant(company_id),
    )


def content_under_grant(company_id: int, admin: PartnerAdmin) -> Content:
    """Raises NoGrant. The look itself is recorded, for the company to see."""
    with under_grant(company_id=company_id, admin=admin.user.get_username()) as grant:
        projects = Project.objects.filter(company_id=company_id)
        return Content(
            grant=grant,
            projects=list(projects.order_by("name").values_list("name", flat=True)),
            counts=[
                (label(name), model._base_manager.filter(company_id=company_id).count())
                for name, model in RESOURCES.items()
            ],
        )


def events(company_id: int | None = None) -> "QuerySet[AuditEvent]":
    """Newest first; of one company, or of all."""
    found = AuditEvent.objects.order_by("-at")
    return found.filter(company_id=company_id) if company_id else found
