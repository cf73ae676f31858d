"""Exceptions: the ranked list, one with its records, and people's actions on it."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from partner_app.core import clock
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.session import names_in
from partner_app.insights.cases import (
    case_or_error,
    leave_note,
    open_rules,
    require_case,
    snooze,
    wake,
)
from partner_app.insights.context import (
    freshness,
    open_project,
    portfolio_of,
    procore_of,
    project_or_error,
    today_of,
)
from partner_app.insights.evidence import evidence
from partner_app.insights.forms import CasesForm, NoteForm, SnoozeForm
from partner_app.insights.models import ExceptionCase
from partner_app.insights.saved import views_of
from partner_app.insights.selectors import (
    case_rows,
    cases_of,
    counts_of,
    not_snoozed,
    seen_before,
    sleeps,
    snoozed,
)
from partner_app.tenancy.context import tenant

CASES_A_PAGE = 25


@workspace("GET")
def exceptions(request: ViewerRequest) -> HttpResponse:
    """Of all projects or of one; snoozed ones on request."""
    company_id = request.company.id
    portfolio = portfolio_of(request)
    rules = {rule for own in portfolio.own.values() for rule in open_rules(own)}
    form = CasesForm(request.GET, projects=portfolio.names, rules=rules)
    asked = form.cleaned_data if form.is_valid() else {}
    rights = portfolio.rights
    if asked.get("project"):
        rights = {asked["project"]: rights[asked["project"]]}
    with tenant(company_id):
        rows = cases_of(company_id, rights)
        if asked.get("rule"):
            rows = rows.filter(rule=asked["rule"])
        counts = counts_of(rows)
        only_snoozed = asked.get("state") == "snoozed"
        rows = rows.filter(snoozed(clock.now().date())) if only_snoozed else not_snoozed(rows)
        pages = Paginator(rows, CASES_A_PAGE)
        pages.count = counts["snoozed" if only_snoozed else "open"]
        page = pages.get_page(request.GET.get("page"))
        seen = seen_before(request.viewer)
        context: dict[str, Any] = {
            "cases": case_rows(page, portfolio.rights, names=portfolio.names, seen=seen),
            "saved": list(views_of(request.viewer)),
        }
    context |= {
        "page": page,
        "form": form,
        "counts": counts,
        "asked": asked,
        "asking": portfolio.asking,
        "here": request.get_full_path(),
        "query": form.query,
        **freshness(company_id),
        **procore_of(request),
    }
    return render(request, "insights/_exceptions.html", context)


@workspace("GET")
def case(request: ViewerRequest, case_id: int) -> HttpResponse:
    """One case, the records behind it, and its history."""
    found, rights = _case(request, case_id)
    return render(request, "insights/_case.html", _shown(request, found, rights))


@workspace("POST")
def snooze_case(request: ViewerRequest, case_id: int) -> HttpResponse:
    found, rights = _case(request, case_id)
    form = SnoozeForm(request.POST)
    if form.is_valid():
        with tenant(request.company.id):
            snooze(request.viewer, found, **form.cleaned_data)
    return render(
        request, "insights/_case.html", {**_shown(request, found, rights), "snooze_form": form}
    )


@workspace("POST")
def wake_case(request: ViewerRequest, case_id: int) -> HttpResponse:
    found, rights = _case(request, case_id)
    with tenant(request.company.id):
        wake(request.viewer, found)
    return render(request, "insights/_case.html", _shown(request, found, rights))


@workspace("POST")
def note_case(request: ViewerRequest, case_id: int) -> HttpResponse:
    found, rights = _case(request, case_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        with tenant(request.company.id):
            leave_note(request.viewer, found, text=form.cleaned_data["note"])
    return render(
        request, "insights/_case.html", {**_shown(request, found, rights), "note_form": form}
    )


def _case(request: ViewerRequest, case_id: int) -> tuple[ExceptionCase, Rights]:
    """With the viewer's rights on its project.

    Raises CaseUnknown, also where its records are hidden from the viewer; NotEntitled where they
    may not see cases of its rule.
    """
    with tenant(request.company.id):
        found = case_or_error(request.company.id, case_id)
    rights = open_project(request, found.project_id)
    require_case(rights, found)
    return found, rights


def _shown(request: ViewerRequest, found: ExceptionCase, rights: Rights) -> dict[str, Any]:
    company_id = request.company.id
    with tenant(company_id):
        project = project_or_error(company_id, found.project_id)
        [line] = case_rows([found], {found.project_id: rights}, seen=seen_before(request.viewer))
        return {
            "line": line,
            "case": found,
            "project": project,
            "evidence": evidence(found, rights),
            "sees_budget": rights.sees_budget,
            "sees_amounts": rights.sees_budget,
            "names": names_in(company_id),
            "today": today_of(project),
            "sleeps": sleeps(found),
            "snooze_form": SnoozeForm(),
            "note_form": NoteForm(initial={"note": found.note}),
            **freshness(company_id),
            **procore_of(request),
        }
