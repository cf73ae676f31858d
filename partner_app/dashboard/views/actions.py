"""Actions on a tenant: explained first, permitted by role, done only by POST, recorded."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.procore.webhooks.inbox import read_again
from integrations.procore.webhooks.models import WebhookEvent
from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.errors import RoleMissing
from partner_app.accounts.models import Role
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.dashboard.actions import ACTIONS, ActionRequest, reconnect_link
from partner_app.dashboard.forms import ActionForm
from partner_app.tenancy.lifecycle import company_or_error
from partner_app.tenancy.models import Company


@require_http_methods(["GET", "POST"])
@role_required(Role.VIEWER)
def act(request: AdminRequest, company_id: int, name: str) -> HttpResponse:
    """GET shows the confirmation, POST acts. Raises RoleMissing, CompanyUnknown."""
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    if not Role(request.admin.role).covers(action.role):
        raise RoleMissing(role=action.role.label)
    company = company_or_error(company_id)
    if not action.fits(company):
        messages.info(request, f"{action.title}: not needed now.")
        return redirect("tenant", company_id)
    given = request.POST if request.method == "POST" else None
    form = ActionForm(given, choices=action.choices(company) if action.choices else ())
    if request.method == "POST" and form.is_valid():
        if not action.word or form.cleaned_data["word"].strip() == company.name.strip():
            _record(request, company_id, name)
            address, chosen = form.cleaned_data["address"], form.cleaned_data["chosen"]
            action.run(ActionRequest(company, request.admin.actor, address, tuple(chosen)))
            messages.success(request, action.done)
            gone = not Company.objects.filter(id=company_id).exists()
            return redirect("tenants") if gone else redirect("tenant", company_id)
        form.add_error("word", "This is not the company’s name.")
    context = {"action": action, "company": company, "form": form, "link": reconnect_link()}
    status = 422 if request.method == "POST" else 200
    return render(request, "dashboard/confirm.html", context, status=status)


@require_POST
@role_required(Role.OPERATOR)
def redeliver(request: AdminRequest, event_id: int) -> HttpResponse:
    """Reads again what an event named."""
    event = WebhookEvent.objects.filter(id=event_id).first()
    if event is None:
        raise Http404
    if read_again(event):
        _record(request, event.company_id, "redeliver")
        messages.success(request, "The records of this event are read again within seconds.")
    else:
        messages.info(request, "Tieback keeps no records that depend on this kind of event.")
    return redirect("deliveries")


def _record(request: AdminRequest, company_id: int, action: str) -> None:
    record(Event.ADMIN_ACTED, actor=request.admin.actor, company_id=company_id, action=action)
