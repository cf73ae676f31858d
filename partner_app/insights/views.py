"""Partials of the frame: home, progress, project, the records behind a number, the panel."""

from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from integrations.procore.resources.projects import Project
from integrations.procore.sync.models import SyncCursor, SyncRun
from integrations.procore.sync.runs import progress
from integrations.procore.sync.services import make_due
from partner_app.core import clock
from partner_app.embedded.decorators import ViewerRequest, framed, viewer_required
from partner_app.embedded.entitlement import rights_on, visible_projects
from partner_app.embedded.errors import ProjectHidden
from partner_app.insights.panel import record_context
from partner_app.insights.selectors import KINDS, health_of, listing, projects
from partner_app.tenancy.context import tenant

PROJECTS_A_PAGE = 25  # one rights check each on a first visit
ROWS_A_PAGE = 50


@framed
@require_GET
@viewer_required
def home(request: ViewerRequest) -> HttpResponse:
    company_id = request.company.id
    visible = visible_projects(request.viewer)
    with tenant(company_id):
        pages = Paginator(list(projects(company_id, visible)), PROJECTS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    rights = {p.remote_id: rights_on(request.viewer, p.remote_id) for p in page}
    with tenant(company_id):
        found = health_of(company_id, page, rights, clock.now().date())
    found.sort(key=lambda health: -health.attention)
    context = {"page": page, "found": found, **_freshness(company_id)}
    return render(request, "insights/_home.html", context)


@framed
@require_GET
@viewer_required
def sync_progress(request: ViewerRequest) -> HttpResponse:
    return render(request, "insights/_progress.html", _freshness(request.company.id))


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
    with tenant(request.company.id):
        found = _project(request.company.id, project_id)
        [health] = health_of(
            request.company.id, [found], {project_id: rights}, _today(found.time_zone)
        )
    fresh = SyncCursor.objects.filter(company_id=request.company.id, project_id=project_id)
    oldest = fresh.order_by("fresh_at").values_list("fresh_at", flat=True).first()
    context = {"health": health, "project": found, "rights": rights, "oldest": oldest}
    return render(request, "insights/_project.html", context)


@framed
@require_GET
@viewer_required
def records(request: ViewerRequest, project_id: int, kind: str) -> HttpResponse:
    """Refused before anything is read where Procore gives no access to the tool."""
    if kind not in KINDS:
        raise Http404
    rights_on(request.viewer, project_id).require(KINDS[kind])
    with tenant(request.company.id):
        found = _project(request.company.id, project_id)
        today = _today(found.time_zone)
        listed = listing(request.company.id, project_id, kind, today)
        page = Paginator(listed.rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
        rows = list(page)
    context = {
        "project": found,
        "listing": listed,
        "page": page,
        "rows": rows,
        "today": today,
        "procore": settings.FRAME_ANCESTORS[0],
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
        context = record_context(
            request.company.id, found, view, record_id, rights, _today(found.time_zone)
        )
    return render(request, "insights/_panel.html", {"project": found, "context": context})


def _project(company_id: int, project_id: int) -> Project:
    found = Project.objects.filter(company_id=company_id, remote_id=project_id).first()
    if found is None:
        raise ProjectHidden
    return found


def _freshness(company_id: int) -> dict[str, object]:
    """`first` while the company's first sync has not ended."""
    run, steps = progress(company_id)
    ended = SyncRun.objects.filter(company_id=company_id, finished_at__isnull=False).exists()
    return {"run": run, "steps": steps, "first": not ended}


def _today(time_zone: str) -> date:
    """Days are counted where the project is; Rails' own zone names fall back to UTC."""
    try:
        return clock.now().astimezone(ZoneInfo(time_zone or "UTC")).date()
    except (ZoneInfoNotFoundError, ValueError):
        return clock.now().date()
