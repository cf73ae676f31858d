"""Partials of the frame: home, progress, project, the records behind a number, the panel."""

from datetime import date

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from integrations.procore.resources.projects import Project
from integrations.procore.sync.models import SyncRun
from integrations.procore.sync.runs import problems, progress
from integrations.procore.sync.schedule import make_due
from partner_app.core import clock
from partner_app.core.zones import local_day
from partner_app.embedded.decorators import ViewerRequest, framed, viewer_required
from partner_app.embedded.entitlement import rights_on, rights_on_each, visible_projects
from partner_app.embedded.errors import ProjectHidden
from partner_app.handoffs.selectors import waiting_for_approval
from partner_app.insights.health import arrived, health_of, projects, totals_of
from partner_app.insights.listings import KINDS, listing, open_to, urgent
from partner_app.insights.panel import record_context
from partner_app.tenancy.context import tenant

PROJECTS_A_PAGE = 24  # one rights check each on a first visit
ROWS_A_PAGE = 50


@framed
@require_GET
@viewer_required
def home(request: ViewerRequest) -> HttpResponse:
    """All projects that Procore shows this viewer, those that need somebody first."""
    company_id = request.company.id
    visible = visible_projects(request.viewer)
    with tenant(company_id):
        pages = Paginator(list(projects(company_id, visible)), PROJECTS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    rights = rights_on_each(request.viewer, [project.remote_id for project in page])
    shown = [project for project in page if project.remote_id in rights]
    with tenant(company_id):
        found = health_of(company_id, shown, arrived(company_id, rights), clock.now())
        editable = [key for key, own in rights.items() if own.edits_budget]
        waiting = list(waiting_for_approval(company_id, editable).select_related("estimate"))
    found.sort(key=lambda health: -health.attention)
    context = {
        "page": page,
        "found": found,
        "totals": totals_of(found),
        "waiting": [handoff for handoff in waiting if handoff.submitted_by != request.viewer.actor],
        **_freshness(company_id),
    }
    return render(request, "insights/_home.html", context)


@framed
@require_GET
@viewer_required
def sync_progress(request: ViewerRequest) -> HttpResponse:
    """Asked for again while something runs, or, after "Sync now", until a newer run has ended.

    A page at rest asks as well, with the run that it has `seen`: nothing new is an empty answer.
    """
    context = _freshness(request.company.id)
    here = str(context["run_id"])
    if request.GET.get("seen") == here and not context["running"]:
        return HttpResponse(status=204)
    context["asked"] = not context["running"] and request.GET.get("after", "") == here
    response = render(request, "insights/_progress.html", context)
    if not context["running"] and not context["asked"]:
        response["HX-Trigger"] = "synced"  # the page behind shows what has come
    return response


@framed
@require_POST
@viewer_required
def refresh(request: ViewerRequest) -> HttpResponse:
    """Somebody waits in front of the screen: the sync is due now."""
    make_due(company_id=request.company.id)
    context = {**_freshness(request.company.id), "asked": True}
    return render(request, "insights/_progress.html", context)


@framed
@require_GET
@viewer_required
def project(request: ViewerRequest, project_id: int) -> HttpResponse:
    rights = rights_on(request.viewer, project_id)
    company_id = request.company.id
    with tenant(company_id):
        found = _project(company_id, project_id)
        today = _today(found)
        here = arrived(company_id, {project_id: rights})
        [health] = health_of(company_id, [found], here, clock.now())
        first = [
            (listed, list(listed.rows))
            for listed in urgent(company_id, project_id, here[project_id], today)
        ]
    context = {
        "health": health,
        "project": found,
        "rights": rights,
        "arrived": here[project_id],
        "urgent": first,
        "today": today,
        **_freshness(company_id),
        **_procore(request),
    }
    return render(request, "insights/_project.html", context)


@framed
@require_GET
@viewer_required
def records(request: ViewerRequest, project_id: int, kind: str) -> HttpResponse:
    """Refused before anything is read where Procore gives no access to the tool."""
    if kind not in KINDS:
        raise Http404
    rights = rights_on(request.viewer, project_id)
    rights.require(KINDS[kind].tool)
    with tenant(request.company.id):
        found = _project(request.company.id, project_id)
        today = _today(found)
        listed = listing(request.company.id, project_id, KINDS[kind], today)
        page = Paginator(listed.rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
        rows = list(page)
    context = {
        "project": found,
        "listing": listed,
        "kinds": open_to(rights),
        "page": page,
        "rows": rows,
        "today": today,
        **_procore(request),
    }
    return render(request, "insights/_records.html", context)


@framed
@require_GET
@viewer_required
def panel(request: ViewerRequest, project_id: int, view: str, record_id: int) -> HttpResponse:
    """What hangs on the record that is open in Procore."""
    rights = rights_on(request.viewer, project_id)
    with tenant(request.company.id):
        found = _project(request.company.id, project_id)
        today = _today(found)
        context = record_context(request.company.id, found, view, record_id, rights, today)
    here = {"project": found, "context": context, "here": request.path, "today": today}
    return render(request, "insights/_panel.html", here)


def _project(company_id: int, project_id: int) -> Project:
    found = Project.objects.filter(company_id=company_id, remote_id=project_id).first()
    if found is None:
        raise ProjectHidden
    return found


def _freshness(company_id: int) -> dict[str, object]:
    """`first` while the company's first sync has not ended."""
    run, steps = progress(company_id)
    ended = SyncRun.objects.filter(company_id=company_id, finished_at__isnull=False).exists()
    return {
        "run": run,
        "run_id": run.id if run else 0,
        "steps": steps,
        "first": not ended,
        "running": run is None or run.finished_at is None,
        "problems": problems(run) if run and run.finished_at else [],
    }


def _today(project: Project) -> date:
    return local_day(clock.now(), project.time_zone)


def _procore(request: ViewerRequest) -> dict[str, str]:
    """Where records open in Procore: the frame's own host, when it is one of those we know."""
    host = request.headers.get("Tieback-Host", "")
    return {"procore": host if host in settings.FRAME_ANCESTORS else settings.FRAME_ANCESTORS[0]}
