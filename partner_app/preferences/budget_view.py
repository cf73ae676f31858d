"""The page on which a company pins the budget view that is read in all its projects."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from integrations.procore.api.errors import ProcoreError
from integrations.procore.resources.budget_views import ViewChoice
from integrations.procore.resources.projects import Project
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.budget_choice import choice_of, pinned_view_gone
from integrations.procore.sync.pinning import pin_view, unpin_view
from partner_app.connections.access import viewer_client
from partner_app.connections.errors import ReconnectNeeded
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import (
    require_company_admin,
    rights_on,
    visible_projects,
)
from partner_app.embedded.errors import NotEntitled, ProjectHidden
from partner_app.preferences.budget_preview import LABELS, Preview, preview
from partner_app.preferences.forms import BudgetViewForm
from partner_app.tenancy.context import tenant


@workspace("GET")
def budget_view(request: ViewerRequest) -> HttpResponse:
    """A change of project, view or column reloads the page with the choices so far."""
    require_company_admin(request.viewer)
    return _page(request, request.GET)


@workspace("POST")
def pin_budget_view(request: ViewerRequest) -> HttpResponse:
    require_company_admin(request.viewer)
    context = _context(request, request.POST)
    found: Preview | None = context.get("preview")
    chosen = BudgetViewForm(request.POST)
    if found is None or not chosen.is_valid() or found.view.id != chosen.cleaned_data["view"]:
        return render(request, "preferences/_budget_view.html", context, status=422)
    viewer = request.viewer
    pin_view(
        company_id=viewer.company_id,
        view=found.view,
        columns=found.pinned(),
        actor=viewer.actor,
    )
    return _page(request, {"project": request.POST["project"]}, saved=True)


@workspace("POST")
def unpin_budget_view(request: ViewerRequest) -> HttpResponse:
    require_company_admin(request.viewer)
    unpin_view(company_id=request.viewer.company_id, actor=request.viewer.actor)
    return _page(request, request.POST, saved=True)


def _page(request: ViewerRequest, asked: Mapping[str, str], *, saved: bool = False) -> HttpResponse:
    context = {**_context(request, asked), "saved": saved}
    return render(request, "preferences/_budget_view.html", context)


def _context(request: ViewerRequest, asked: Mapping[str, str]) -> dict[str, Any]:
    """Without a preview there is a `problem`, or the project has no budget view."""
    viewer = request.viewer
    visible = visible_projects(viewer)
    with tenant(viewer.company_id):
        choice = choice_of(viewer.company_id)
        rows = Project.objects.filter(company_id=viewer.company_id, remote_id__among=visible)
        projects = list(rows.order_by("project_number", "name"))
        gone = pinned_view_gone(viewer.company_id)
    context: dict[str, Any] = {"choice": choice, "projects": projects, "gone": gone}
    if not projects:
        return context
    form = BudgetViewForm(asked)
    given = form.cleaned_data if form.is_valid() else {}
    known = {project.remote_id for project in projects}
    asked_for: int = given.get("project") or 0
    project = asked_for if asked_for in known else projects[0].remote_id
    context["project"] = project
    try:
        context["preview"] = _preview(request, project, choice, given, asked)
    except (ProcoreError, ReconnectNeeded, NotEntitled, ProjectHidden) as error:
        context["problem"] = error
    return context


def _preview(
    request: ViewerRequest,
    project_id: int,
    choice: ViewChoice,
    given: Mapping[str, Any],
    asked: Mapping[str, str],
) -> Preview | None:
    """Raises TiebackError."""
    viewer = request.viewer
    rights_on(viewer, project_id).require(Tool.BUDGET)
    view_id = given.get("view")
    # Columns chosen for another view do not apply to this one.
    same = view_id and str(view_id) == asked.get("shown")
    wanted = {key: asked.get(key, "") for key in LABELS} if same else None
    client = viewer_client(viewer.company_id, viewer.remote_user_id)
    return preview(client, project_id, choice, view_id=view_id, wanted=wanted)
