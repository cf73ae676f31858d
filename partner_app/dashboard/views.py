"""The partner's dashboard: all tenants at a glance."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from partner_app.accounts.decorators import partner_admin_required
from partner_app.dashboard.selectors import tenants


@require_GET
@partner_admin_required
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", {"tenants": tenants()})
