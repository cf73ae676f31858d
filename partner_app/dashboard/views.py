"""The partner's dashboard: all tenants, one tenant, what happened, and a look under a grant."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.procore.sync.schedule import make_due
from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.dashboard.selectors import content_under_grant, events, tenant_page, tenants
from partner_app.tenancy.lifecycle import company_or_error

EVENTS_A_PAGE = 100


@require_GET
@role_required(Role.VIEWER)
def overview(request: AdminRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", {"tenants": tenants()})


@require_GET
@role_required(Role.VIEWER)
def tenant(request: AdminRequest, company_id: int) -> HttpResponse:
    role = Role(request.admin.role)
    context = {
        "tenant": tenant_page(company_id),
        "may_look": role.covers(Role.SUPPORT),
        "may_act": role.covers(Role.OPERATOR),
    }
    return render(request, "dashboard/tenant.html", context)


@require_GET
@role_required(Role.SUPPORT)
def content(request: AdminRequest, company_id: int) -> HttpResponse:
    """Customer content, as far as the company lets support look."""
    company = company_or_error(company_id)
    found = content_under_grant(company_id, request.admin)
    return render(request, "dashboard/content.html", {"company": company, "content": found})


@require_POST
@role_required(Role.OPERATOR)
def resync(request: AdminRequest, company_id: int) -> HttpResponse:
    company_or_error(company_id)
    make_due(company_id=company_id)
    _acted(request, company_id, "resync")
    return redirect("tenant", company_id)


@require_GET
@role_required(Role.SUPPORT)
def audit(request: AdminRequest) -> HttpResponse:
    page = Paginator(events(), EVENTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "dashboard/audit.html", {"page": page})


def _acted(request: AdminRequest, company_id: int, action: str) -> None:
    record(
        Event.ADMIN_ACTED,
        actor=f"partner:{request.admin.user.get_username()}",
        company_id=company_id,
        action=action,
    )
