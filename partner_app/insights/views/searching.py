"""Search over records, and views that people save."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.insights.context import freshness, portfolio_of, procore_of
from partner_app.insights.forms import SaveViewForm, SearchForm
from partner_app.insights.saved import delete_view, save_view, views_of
from partner_app.insights.search import hits_of, search, searchable
from partner_app.tenancy.context import tenant

HITS_A_PAGE = 25


@workspace("GET")
def search_records(request: ViewerRequest) -> HttpResponse:
    """Records of all projects where the viewer has the tool."""
    company_id = request.company.id
    portfolio = portfolio_of(request)
    form = SearchForm(request.GET, projects=portfolio.names, kinds=searchable(portfolio.own))
    asked = form.cleaned_data if form.is_valid() else {}
    rights = portfolio.own
    if asked.get("project"):
        rights = {asked["project"]: rights[asked["project"]]}
    with tenant(company_id):
        found = search(company_id, rights, asked.get("q", ""), kind=asked.get("kind", ""))
        page = Paginator(found, HITS_A_PAGE).get_page(request.GET.get("page"))
        hits = hits_of(company_id, rights, list(page))
        saved = list(views_of(request.viewer))
    context = {
        "form": form,
        "asked": asked,
        "page": page,
        "hits": hits,
        "names": portfolio.names,
        "saved": saved,
        "here": request.get_full_path(),
        "query": form.query,
        **freshness(company_id),
        **procore_of(request),
    }
    return render(request, "insights/_search.html", context)


@workspace("POST")
def save(request: ViewerRequest) -> HttpResponse:
    form = SaveViewForm(request.POST)
    with tenant(request.company.id):
        if form.is_valid():
            save_view(request.viewer, **form.cleaned_data)
        saved = list(views_of(request.viewer))
    context = {"saved": saved, "save_form": form, "here": request.POST.get("path", "")}
    return render(request, "insights/_saved.html", context)


@workspace("POST")
def remove(request: ViewerRequest, view_id: int) -> HttpResponse:
    with tenant(request.company.id):
        delete_view(request.viewer, view_id)
        saved = list(views_of(request.viewer))
    context = {"saved": saved, "here": request.POST.get("path", "")}
    return render(request, "insights/_saved.html", context)
