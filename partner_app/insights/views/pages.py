"""Partials of the frame: home, progress, a project, the records behind a number, the panel."""

from typing import Any
from urllib.parse import quote

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render

from integrations.procore.resources.budget_codes import rows_of
from integrations.procore.resources.projects import Project
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.remaining import left_of
from integrations.procore.sync.schedule import make_due
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.session import end_tour, wants_tour
from partner_app.embedded.sight import VisibleRecord
from partner_app.handoffs.selectors import waiting_for_approval, waiting_for_undo
from partner_app.insights.budget_notes import budget_notes
from partner_app.insights.context import (
    first_reading_left,
    freshness,
    open_project,
    portfolio_of,
    procore_of,
    project_or_error,
    today_of,
)
from partner_app.insights.forms import ProjectsForm
from partner_app.insights.health import at_a_glance, health_of, rights_with_data
from partner_app.insights.labels import left_out_note
from partner_app.insights.listings import KINDS, listing, open_to
from partner_app.insights.notes import notes_of
from partner_app.insights.panel import record_context
from partner_app.insights.procore_check import project_check
from partner_app.insights.rules import COST_TOOLS
from partner_app.insights.selectors import (
    case_rows,
    cases_of,
    figures_behind,
    news_since,
    not_snoozed,
    visit,
)
from partner_app.insights.unread import unread_sums
from partner_app.tenancy.context import tenant

PROJECTS_A_PAGE = 12
ROWS_A_PAGE = 50
FIRST_CASES = 5  # on home and project page


@workspace("GET")
def home(request: ViewerRequest) -> HttpResponse:
    """All projects that Procore shows this viewer, the most urgent first."""
    company_id = request.company.id
    portfolio = portfolio_of(request)
    form = ProjectsForm(request.GET)
    text = form.cleaned_data["q"].casefold() if form.is_valid() else ""
    with tenant(company_id):
        every, totals = at_a_glance(company_id, portfolio.rights)
        order = [key for key in every if text in portfolio.words[key]]
        page = Paginator(order, PROJECTS_A_PAGE).get_page(request.GET.get("page"))
        rows = Project.objects.filter(company_id=company_id, remote_id__in=list(page))
        seen = visit(request.viewer)
        cases = not_snoozed(cases_of(company_id, portfolio.rights))
        news = news_since(company_id, portfolio.rights, seen)
        context: dict[str, Any] = {
            "found": health_of(
                company_id,
                sorted(rows, key=lambda row: order.index(row.remote_id)),
                portfolio.rights,
            ),
            "totals": totals,
            "cases": case_rows(
                cases[:FIRST_CASES], portfolio.rights, names=portfolio.names, seen=seen
            ),
            "case_count": news.standing,
            "news": news,
            "left_out": left_out_note() if any(total.left_out for total in totals) else "",
            "tour": wants_tour(request.viewer),
        }
        editable = [key for key, own in portfolio.own.items() if own.edits_budget]
        submitted = list(waiting_for_approval(company_id, editable).select_related("estimate"))
        asked_back = list(waiting_for_undo(company_id, editable).select_related("estimate"))
    context |= {
        "query": f"&q={quote(text)}" if text else "",
        "page": page,
        "every": len(portfolio.words),
        "text": text,
        "asking": portfolio.asking,
        "unclear": sum(bool(own.unclear) for own in portfolio.own.values()),
        "to_approve": [each for each in submitted if each.submitted_by != request.viewer.actor],
        "to_take_back": [each for each in asked_back if each.undo_asked_by != request.viewer.actor],
        **freshness(company_id),
        **procore_of(request),
    }
    return render(request, "insights/_home.html", context)


@workspace("POST")
def close_tour(request: ViewerRequest) -> HttpResponse:
    with tenant(request.company.id):
        end_tour(request.viewer)
    return HttpResponse()


@workspace("GET")
def sync_progress(request: ViewerRequest) -> HttpResponse:
    """Polled while something runs or, after "Sync now", until a newer run has ended.

    An idle page polls as well, with the run that it has `seen`: if unchanged, the answer is empty.
    """
    context = freshness(request.company.id)
    here = str(context["run_id"])
    if request.GET.get("seen") == here and not context["running"]:
        return HttpResponse(status=204)
    context["asked"] = not context["running"] and request.GET.get("after", "") == here
    response = render(request, "insights/_progress.html", context)
    if not context["running"] and not context["asked"]:
        response["HX-Trigger"] = "synced"  # the page behind shows the new data
    return response


@workspace("POST")
def refresh(request: ViewerRequest) -> HttpResponse:
    """A person is waiting: the sync is due now."""
    make_due(company_id=request.company.id)
    context = {**freshness(request.company.id), "asked": True}
    return render(request, "insights/_progress.html", context)


@workspace("GET")
def project(request: ViewerRequest, project_id: int) -> HttpResponse:
    rights = open_project(request, project_id)
    company_id = request.company.id
    with tenant(company_id):
        found = project_or_error(company_id, project_id)
        here = rights_with_data(company_id, {project_id: rights})
        [health] = health_of(company_id, [found], here)
        seen = visit(request.viewer, project_id)
        cases = not_snoozed(cases_of(company_id, here))
        news = news_since(company_id, here, seen)
        context = {
            "cases": case_rows(cases[:FIRST_CASES], here, seen=seen),
            "case_count": news.standing,
            "news": news,
            "behind": figures_behind(company_id, project_id),
        }
        tools = here[project_id].tools
        if Tool.BUDGET in tools:
            budget = list(rows_of(company_id, project_id))
            unread = unread_sums(company_id, project_id)
            notes = budget_notes(company_id, project_id, budget, unread=unread)
            context["budget_notes"] = notes
            # Procore's sums include private records: comparing them would reveal these.
            if tools >= COST_TOOLS and here[project_id].sees_all_of(COST_TOOLS):
                context["checked"] = project_check(company_id, project_id, budget, unread=unread)
    fresh = freshness(company_id)
    context |= {
        "health": health,
        "notes": notes_of([health], health.currency),
        "project": found,
        "rights": rights,
        "arrived": here[project_id],
        "today": today_of(found),
        **fresh,
        "left_here": left_of(fresh["left"], project_id),
        "project_id": project_id,
        **procore_of(request),
    }
    return render(request, "insights/_project.html", context)


@workspace("GET")
def arriving(request: ViewerRequest, project_id: int) -> HttpResponse:
    """How long the open project still takes; the page behind shows new data meanwhile."""
    rights = open_project(request, project_id)
    company_id = request.company.id
    with tenant(company_id):
        here = rights_with_data(company_id, {project_id: rights})[project_id]
    left = left_of(first_reading_left(company_id), project_id)
    context = {
        "project_id": project_id,
        "rights": rights,
        "arrived": here,
        "left_here": left,
    }
    response = render(request, "insights/_arriving.html", context)
    if left is None or request.GET.get("tools") != str(len(here.tools)):
        response["HX-Trigger"] = "synced"
    return response


@workspace("GET")
def records(request: ViewerRequest, project_id: int, kind: str) -> HttpResponse:
    """Refused before anything is read where Procore gives no access to the tool."""
    if kind not in KINDS:
        raise Http404
    rights = open_project(request, project_id)
    rights.require(KINDS[kind].tool)
    with tenant(request.company.id):
        found = project_or_error(request.company.id, project_id)
        today = today_of(found)
        listed = listing(request.company.id, rights, KINDS[kind], today)
        page = Paginator(listed.rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
        rows = [VisibleRecord(row, rights, KINDS[kind].tool) for row in page]
    context = {
        "project": found,
        "listing": listed,
        "left_out": left_out_note() if listed.left_out else "",
        "kinds": open_to(rights),
        "page": page,
        "rows": rows,
        "today": today,
        "sees_budget": rights.sees_budget,
        "sees_amounts": True,  # of the list's own tool, as Procore shows them
        **procore_of(request),
    }
    return render(request, "insights/_records.html", context)


@workspace("GET")
def panel(
    request: ViewerRequest, project_id: int, view: str, record_id: int | None = None
) -> HttpResponse:
    """Everything related to the record, or the budget, that is open in Procore."""
    rights = open_project(request, project_id)
    company_id = request.company.id
    with tenant(company_id):
        found = project_or_error(company_id, project_id)
        context = record_context(found, view, record_id, rights, today_of(found))
        cases = case_rows(context.cases, {project_id: rights})
    here = {
        "project": found,
        "unclear": rights.unclear_labels,
        "context": context,
        "left_out": left_out_note() if context.left_out else "",
        "cases": cases,
        "here": request.path,
        "today": today_of(found),
        **freshness(company_id),
        **procore_of(request),
    }
    return render(request, "insights/_panel.html", here)
