"""Tenants as the partner sees them: operational tables only, never customer content."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, OrderBy, Q, QuerySet

from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES, label
from integrations.procore.sync.models import DueRead, DueWork, Incident, SyncCursor, SyncRun
from integrations.procore.sync.quarantine import counts_by_resource
from integrations.procore.webhooks.models import WebhookHook
from partner_app.accounts.grants import living_grant, under_grant
from partner_app.accounts.models import PartnerAdmin, SupportGrant
from partner_app.audit.models import AuditEvent
from partner_app.connections.purposes import Spent, spent
from partner_app.connections.rates import calls_left
from partner_app.core import clock
from partner_app.dashboard.audit import events
from partner_app.dashboard.summaries import STALE
from partner_app.tenancy.features import Feature, is_on
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company, Installation

RUNS_SHOWN = 10
LONGEST_NUMBER = 19  # digits of 64 bits
EVENTS_SHOWN = 50


@dataclass(frozen=True)
class Resource:
    """One resource of a tenant: its oldest reading, and what is withheld or unreadable."""

    label: str
    parts: int
    refused: int
    fresh_at: datetime | None
    unreadable: int


@dataclass(frozen=True)
class TenantPage:
    """One company's operational state, and whether it lets support see more."""

    company: Company
    installations: list[Installation]
    resources: list[Resource]
    projects: int
    incidents: list[tuple[str, Incident]]  # each with the name of its resource
    runs: list[SyncRun]
    events: list[AuditEvent]
    hook: WebhookHook | None
    due: DueWork | None
    lag_since: datetime | None
    calls_left: int | None
    spent: Spent
    features: list[tuple[Feature, bool]]
    grant: SupportGrant | None


@dataclass(frozen=True)
class Content:
    """What support sees under a grant: enough to judge whether the mirror is complete."""

    grant: SupportGrant
    projects: list[str]
    counts: list[tuple[str, int]]


def tenants(
    *, text: str = "", state: str = "", trouble: str = "", sort: str = ""
) -> "QuerySet[Company]":
    """Each with its summary. `trouble`: incidents, stale or paused."""
    found = Company.objects.select_related("summary")
    if text:
        named = Q(name__icontains=text)
        number = text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER
        found = found.filter(named | Q(id=int(text)) if number else named)
    if state:
        found = found.filter(state=state)
    open_ones = Incident.objects.filter(closed_at=None)
    if trouble == "incidents":
        found = found.filter(id__in=open_ones.values("company_id"))
    elif trouble == "stale":
        found = found.filter(summary__stalest_at__lt=clock.now() - STALE)
    elif trouble == "paused":
        found = found.exclude(paused_at=None)
    return found.order_by(*SORTS.get(sort, SORTS["name"]))


SORTS: dict[str, tuple[OrderBy, ...]] = {
    "name": (F("name").asc(), F("id").asc()),
    "stalest": (F("summary__stalest_at").asc(nulls_last=True), F("id").asc()),
    "state": (F("state").asc(), F("name").asc(), F("id").asc()),
    "newest": (F("state_since").desc(), F("id").asc()),
}


def open_incidents(company_ids: list[int]) -> dict[int, int]:
    rows = Incident.objects.filter(closed_at=None, company_id__in=company_ids)
    return dict(rows.values_list("company_id").annotate(number=Count("id")).order_by())


def tenant_page(company_id: int) -> TenantPage:
    """Raises CompanyUnknown."""
    company = company_or_error(company_id)
    rows = SyncCursor.objects.filter(company_id=company_id).values("resource")
    found = {
        row["resource"]: row
        for row in rows.annotate(
            parts=Count("id"),
            refused=Count("id", filter=~Q(refused_at=None)),
            oldest=Min("fresh_at", filter=Q(refused_at=None)),
            projects=Count("project_id", distinct=True, filter=~Q(project_id=0)),
        ).order_by()
    }
    unreadable = counts_by_resource(company_id)
    incidents = Incident.objects.filter(company=company, closed_at=None)
    runs = SyncRun.objects.filter(company=company).order_by("-started_at")[:RUNS_SHOWN]
    told = DueRead.objects.filter(company_id=company_id).aggregate(oldest=Min("due_at"))
    return TenantPage(
        company=company,
        installations=list(company.installations.order_by("-installed_at")),
        resources=[
            Resource(label(name), row["parts"], row["refused"], row["oldest"], unreadable[name])
            for name in RESOURCES
            if (row := found.get(name))
        ],
        projects=max((row["projects"] for row in found.values()), default=0),
        incidents=[(label(each.resource), each) for each in incidents.order_by("-opened_at")],
        runs=list(runs),
        events=list(events(company_id)[:EVENTS_SHOWN]),
        hook=WebhookHook.objects.filter(company=company).first(),
        due=DueWork.objects.filter(company=company).first(),
        lag_since=told["oldest"],
        calls_left=calls_left(company_id),
        spent=spent(company_id),
        features=[(feature, is_on(company, feature)) for feature in Feature],
        grant=living_grant(company_id),
    )


def content_under_grant(company_id: int, admin: PartnerAdmin) -> Content:
    """Raises NoGrant. The access itself is recorded, for the company to see."""
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
