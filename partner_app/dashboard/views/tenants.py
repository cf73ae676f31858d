"""All tenants, one of them, and its records under a grant."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.core.listing import page_of
from partner_app.core.replica import may_lag
from partner_app.dashboard.actions import ACTIONS
from partner_app.dashboard.forms import TenantsForm
from partner_app.dashboard.tenants import content_under_grant, open_incidents, tenant_page, tenants
from partner_app.dashboard.usage import usage
from partner_app.tenancy.lifecycle import company_or_error


@require_GET
@role_required(Role.VIEWER)
@may_lag
def tenant_list(request: AdminRequest) -> HttpResponse:
    """For a client that runs Tieback for its own company, only that company."""
    if len(settings.PROCORE.allowed_companies) == 1:
        only = next(iter(settings.PROCORE.allowed_companies))
        if tenants().filter(id=only).exists():
            return redirect("tenant", only)
    form = TenantsForm(request.GET)
    context = page_of(request, tenants(**form.asked()), most=None)
    counts = open_incidents([company.id for company in context["page"]])
    rows = [(company, counts.get(company.id, 0)) for company in context["page"]]
    filtered = any(form.asked().values())
    context |= {"form": form, "rows": rows, "filtered": filtered}
    return render(request, "dashboard/tenants.html", context)


@require_GET
@role_required(Role.VIEWER)
def tenant(request: AdminRequest, company_id: int) -> HttpResponse:
    role = Role(request.admin.role)
    found = tenant_page(company_id)
    context = {
        "tenant": found,
        "usage": usage(company_id),
        "may_look": role.covers(Role.SUPPORT),
        "actions": [
            action
            for action in ACTIONS.values()
            if role.covers(action.role) and action.fits(found.company)
        ],
    }
    return render(request, "dashboard/tenant.html", context)


@require_GET
@role_required(Role.SUPPORT)
def content(request: AdminRequest, company_id: int) -> HttpResponse:
    """Customer content, as far as the company lets support see it."""
    company = company_or_error(company_id)
    found = content_under_grant(company_id, request.admin)
    return render(request, "dashboard/content.html", {"company": company, "content": found})
