"""A company's settings in the frame: connection, support access, retention, audit log."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from integrations.procore.resources.registry import data_inventory
from integrations.procore.sync.budget_choice import choice_of
from partner_app.accounts.grants import HOURS, allow_support, end_support, living_grant
from partner_app.audit.models import AuditEvent
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import company_rights, require_company_admin
from partner_app.embedded.session import names_in, windows_of
from partner_app.insights.cases import settings_of
from partner_app.insights.digests import digest_of, subscribe, unsubscribe
from partner_app.insights.forms import LimitsForm
from partner_app.insights.refresh import change_limits
from partner_app.preferences.forms import DigestForm, DutiesForm, GraceForm, SupportForm
from partner_app.preferences.permissions import overview
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import change_duties, change_grace
from partner_app.tenancy.models import LONGEST_GRACE

EVENTS_SHOWN = 50


@workspace("GET")
def settings_page(request: ViewerRequest) -> HttpResponse:
    """Everyone sees the state; only the company's administrators see the log and may change it."""
    return _page(request)


@workspace("POST")
def support(request: ViewerRequest) -> HttpResponse:
    """Grants support access for some hours, or ends it at once."""
    require_company_admin(request.viewer)
    form = SupportForm(request.POST)
    if form.is_valid():
        hours, viewer = form.cleaned_data["hours"], request.viewer
        if hours:
            allow_support(
                company_id=viewer.company_id, granted_by=viewer.remote_user_id, hours=hours
            )
        else:
            end_support(company_id=viewer.company_id, ended_by=viewer.remote_user_id)
    return _page(request)


@workspace("POST")
def grace(request: ViewerRequest) -> HttpResponse:
    """How many days the data is kept after an uninstall."""
    require_company_admin(request.viewer)
    form = GraceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    change_grace(
        company_id=request.viewer.company_id,
        days=form.cleaned_data["days"],
        actor=request.viewer.actor,
    )
    request.company.refresh_from_db()
    return _page(request)


@workspace("POST")
def duties(request: ViewerRequest) -> HttpResponse:
    """Whether a second person must approve writes to a budget, and undos."""
    require_company_admin(request.viewer)
    form = DutiesForm(request.POST)
    if form.is_valid():
        change_duties(
            company_id=request.viewer.company_id,
            apart=form.cleaned_data["apart"],
            actor=request.viewer.actor,
        )
        request.company.refresh_from_db()
    return _page(request)


@workspace("POST")
def digest(request: ViewerRequest) -> HttpResponse:
    """Each person's own: a mail on workdays or on Mondays, to their address in Procore."""
    form = DigestForm(request.POST)
    if settings.MAIL and form.is_valid():
        often = form.cleaned_data["often"]
        if often == "none":
            unsubscribe(request.viewer)
        else:
            subscribe(request.viewer, weekly=often == "weekly")
    return _page(request)


@workspace("POST")
def limits(request: ViewerRequest) -> HttpResponse:
    """The amounts and days from which exceptions are listed; applied to all projects at once."""
    require_company_admin(request.viewer)
    company_id = request.company.id
    with tenant(company_id):
        form = LimitsForm(request.POST, instance=settings_of(company_id))
        if form.is_valid():
            change_limits(request.viewer, form.save(commit=False), changed=form.changed_data)
    return _page(request, limits_form=form, status=200 if form.is_valid() else 422)


def _page(
    request: ViewerRequest,
    form: GraceForm | None = None,
    limits_form: LimitsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    company = request.company
    with tenant(company.id):
        own_limits = settings_of(company.id)
        own_digest = digest_of(request.viewer)
        choice = choice_of(company.id)
    rights = company_rights(request.viewer)
    admin = rights.admin
    events = AuditEvent.objects.filter(company_id=company.id).order_by("-at")[:EVENTS_SHOWN]
    context = {
        "company": company,
        "admin": admin,
        "unclear": ["Admin"] if rights.unclear and not admin else [],
        "grant": living_grant(company.id),
        "hours": HOURS,
        "longest": LONGEST_GRACE,
        "limits": limits_form or LimitsForm(instance=own_limits),
        "choice": choice,
        "mail": settings.MAIL is not None,
        "digest": own_digest,
        "form": form or GraceForm(initial={"days": company.grace_days}),
        "events": list(events) if admin else [],
        "names": names_in(company.id) if admin else {},
        "inventory": data_inventory(),
        "permissions": overview(company.id) if admin else None,
        "windows": windows_of(request.viewer),
    }
    return render(request, "preferences/_settings.html", context, status=status)
