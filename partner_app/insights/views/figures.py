"""The insights of a project or of all projects: charts with their tables, and their export."""

from collections import Counter

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.embedded.decorators import ViewerRequest, framed, viewer_required
from partner_app.embedded.entitlement import Rights, rights_on
from partner_app.insights.charts import KINDS, Scope
from partner_app.insights.context import (
    Portfolio,
    freshness,
    portfolio_of,
    project_or_error,
)
from partner_app.insights.export import as_csv, as_xlsx
from partner_app.insights.health import arrived, health_of, totals_of
from partner_app.insights.tiles import tiles_of
from partner_app.tenancy.context import tenant

FORMS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
ALL = 0  # in place of a project


@framed
@require_GET
@viewer_required
def insights(request: ViewerRequest, project_id: int = ALL) -> HttpResponse:
    company_id = request.company.id
    portfolio = _scope(request, project_id)
    with tenant(company_id):
        found = health_of(company_id, portfolio.projects, portfolio.rights)
        currencies = Counter(own.currency for health in found for own in (health, *health.others))
        currency = _currency(request, currencies)
        scope = Scope(company_id, portfolio.rights, currency)
        figures = [
            kind.make(scope) for kind in KINDS.values() if kind.open_to(portfolio.rights.values())
        ]
    context = {
        "project": portfolio.projects[0] if project_id else None,
        "currency": currency,
        "currencies": sorted(currencies),
        "figures": [figure for figure in figures if figure.rows],
        "asking": portfolio.asking,
        "totals": totals_of(found),
        "tiles": tiles_of(found, currency),
        "projects": len(portfolio.projects),
        "forms": list(FORMS),
        **freshness(company_id),
    }
    return render(request, "insights/_insights.html", context)


@framed
@require_GET
@viewer_required
def download(request: ViewerRequest, slug: str, form: str, project_id: int = ALL) -> HttpResponse:
    """The table of one figure, within what the viewer may see."""
    kind = KINDS.get(slug)
    if kind is None or form not in FORMS:
        raise Http404
    company_id = request.company.id
    portfolio = _scope(request, project_id)
    for tool in sorted(kind.tools):
        if not any(tool in own.tools for own in portfolio.rights.values()):
            Rights(project_id, frozenset()).require(tool)  # raises NotEntitled with its name
    with tenant(company_id):
        currencies = Counter(
            health.currency
            for health in health_of(company_id, portfolio.projects, portfolio.rights)
        )
        figure = kind.make(Scope(company_id, portfolio.rights, _currency(request, currencies)))
        record(
            Event.INSIGHT_EXPORTED, actor=request.viewer.actor, company_id=company_id,
            figure=slug, form=form, project=project_id,
        )  # fmt: skip
    write, content_type = FORMS[form]
    answer = HttpResponse(write(figure), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{slug}.{form}"'
    return answer


def _scope(request: ViewerRequest, project_id: int) -> Portfolio:
    """Raises ProjectHidden."""
    if not project_id:
        return portfolio_of(request)
    own = {project_id: rights_on(request.viewer, project_id)}
    company_id = request.company.id
    with tenant(company_id):
        found = project_or_error(company_id, project_id)
        return Portfolio([found], arrived(company_id, own), own, 0)


def _currency(request: ViewerRequest, known: Counter[str]) -> str:
    """Figures never mix currencies: the one asked for, else that of most projects."""
    asked = request.GET.get("currency", "")
    if asked in known:
        return asked
    return min(known, key=lambda name: (-known[name], name), default="USD")
