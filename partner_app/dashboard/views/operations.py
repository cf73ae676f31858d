"""The state of the installation: overview, syncs, webhooks, calls, queues, handoffs, audit log."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from integrations.procore.resources.registry import label
from integrations.procore.sync.models import SyncRun
from partner_app.accounts.decorators import AdminRequest, role_required
from partner_app.accounts.models import Role
from partner_app.core.listing import page_of
from partner_app.core.replica import may_lag
from partner_app.dashboard.audit import events, searched
from partner_app.dashboard.deliveries import deliveries, inbox
from partner_app.dashboard.errors import RunUnknown
from partner_app.dashboard.forms import AuditForm, DeliveriesForm, RunsForm
from partner_app.dashboard.handoffs import handoff_events, named
from partner_app.dashboard.overview import overview, queues
from partner_app.dashboard.runs import runs, steps
from partner_app.dashboard.usage import usage, worst
from partner_app.tenancy.models import Company


@require_GET
@role_required(Role.VIEWER)
@may_lag
def overview_page(request: AdminRequest) -> HttpResponse:
    return render(request, "dashboard/overview.html", {"overview": overview()})


@require_GET
@role_required(Role.VIEWER)
@may_lag
def numbers(request: AdminRequest) -> HttpResponse:
    """The overview's inner part, polled every few seconds."""
    return render(request, "dashboard/_numbers.html", {"overview": overview()})


@require_GET
@role_required(Role.VIEWER)
@may_lag
def sync_runs(request: AdminRequest) -> HttpResponse:
    form = RunsForm(request.GET)
    asked = form.asked()
    found = runs(company_id=asked["company"] or None, state=asked["state"])
    context = page_of(request, found) | {"form": form, "of": _company(asked["company"])}
    return render(request, "dashboard/runs.html", context)


@require_GET
@role_required(Role.VIEWER)
@may_lag
def sync_run(request: AdminRequest, run_id: int) -> HttpResponse:
    """Raises RunUnknown."""
    run = SyncRun.objects.select_related("company").filter(id=run_id).first()
    if run is None:
        raise RunUnknown
    context = page_of(request, steps(run), size=100)
    rows = [(label(step.resource), step) for step in context["page"]]
    return render(request, "dashboard/run.html", context | {"run": run, "rows": rows})


@require_GET
@role_required(Role.VIEWER)
@may_lag
def webhook_events(request: AdminRequest) -> HttpResponse:
    form = DeliveriesForm(request.GET)
    company_id = form.asked()["company"] or None
    context = page_of(request, deliveries(company_id=company_id)) | {
        "inbox": inbox(),
        "of": _company(company_id),
        "may_act": Role(request.admin.role).covers(Role.OPERATOR),
    }
    return render(request, "dashboard/deliveries.html", context)


@require_GET
@role_required(Role.VIEWER)
@may_lag
def usage_page(request: AdminRequest) -> HttpResponse:
    return render(request, "dashboard/usage.html", {"usage": usage(), "worst": worst()})


@require_GET
@role_required(Role.VIEWER)
def queues_page(request: AdminRequest) -> HttpResponse:
    return render(request, "dashboard/queues.html", {"queues": queues()})


@require_GET
@role_required(Role.SUPPORT)
@may_lag
def handoffs_page(request: AdminRequest) -> HttpResponse:
    context = page_of(request, handoff_events())
    context["rows"] = named(list(context["page"]))
    return render(request, "dashboard/handoffs.html", context)


@require_GET
@role_required(Role.SUPPORT)
@may_lag
def audit(request: AdminRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    context = page_of(request, searched(events(), **form.asked()), size=50)
    return render(request, "dashboard/audit.html", context | {"form": form})


def _company(company_id: int | None) -> Company | None:
    return Company.objects.filter(id=company_id).first() if company_id else None
