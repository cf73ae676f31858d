"""Open and past incidents, and unreadable values."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from integrations.procore.resources.registry import label
from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.core.listing import page_of
from partner_app.core.replica import may_lag
from partner_app.dashboard.actions import ACTIONS
from partner_app.dashboard.forms import IncidentsForm, UnreadableForm
from partner_app.dashboard.incidents import incident_page, incidents
from partner_app.dashboard.unreadable import unreadable


@require_GET
@role_required(Role.VIEWER)
@may_lag
def incident_list(request: AdminRequest) -> HttpResponse:
    form = IncidentsForm(request.GET)
    state = form.asked()["state"] or "open"
    context = page_of(request, incidents(state=state))
    context["rows"] = [(label(each.resource), each) for each in context["page"]]
    return render(request, "dashboard/incidents.html", context | {"form": form, "state": state})


@require_GET
@role_required(Role.VIEWER)
@may_lag
def incident(request: AdminRequest, incident_id: int) -> HttpResponse:
    """Raises IncidentUnknown."""
    found = incident_page(incident_id)
    role = Role(request.admin.role)
    names = ("resync", "read-all", "reconnect-link", "check-hook")
    actions = [
        ACTIONS[name]
        for name in names
        if role.covers(ACTIONS[name].role) and ACTIONS[name].fits(found.incident.company)
    ]
    return render(request, "dashboard/incident.html", {"found": found, "actions": actions})


@require_GET
@role_required(Role.VIEWER)
@may_lag
def unreadable_list(request: AdminRequest) -> HttpResponse:
    """Values from Procore in an unknown form, by field."""
    asked = UnreadableForm(request.GET).asked()
    context = page_of(request, unreadable(company_id=asked["company"] or None))
    context["rows"] = [(label(each["resource"]), each) for each in context["page"]]
    return render(request, "dashboard/unreadable.html", context)
