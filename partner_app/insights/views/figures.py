"""The insights of a project or of all projects: charts with their tables, and their export."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render

from integrations.procore.resources.projects import Project
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import Rights
from partner_app.embedded.errors import NotEntitled
from partner_app.insights.charts import KINDS, ChartScope
from partner_app.insights.context import (
    freshness,
    open_project,
    portfolio_of,
    project_or_error,
)
from partner_app.insights.contracts import DEFAULT_CURRENCY
from partner_app.insights.export import as_csv, as_xlsx
from partner_app.insights.health import Health, health_of, rights_with_data, sums_of
from partner_app.insights.notes import notes_of
from partner_app.insights.tiles import tiles_of
from partner_app.tenancy.context import tenant

FORMS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
ALL = 0  # instead of a project


@dataclass(frozen=True)
class About:
    """The subject of the page: one project, or all that the viewer sees."""

    project: Project | None
    rights: Mapping[int, Rights]
    asking: int
    health: list[Health]

    def currencies(self) -> Counter[str]:
        """Each currency with the number of projects that use it."""
        found: Counter[str] = Counter()
        for health in self.health:
            for own in (health, *health.others):
                found[own.currency] += own.projects
        return found

    def currency(self, asked: str) -> str:
        """Figures never mix currencies: the requested one, else that of most projects."""
        known = self.currencies()
        if asked in known:
            return asked
        return min(known, key=lambda name: (-known[name], name), default=DEFAULT_CURRENCY)


@workspace("GET")
def insights(request: ViewerRequest, project_id: int = ALL) -> HttpResponse:
    company_id = request.company.id
    about = _about(request, project_id)
    currency = about.currency(request.GET.get("currency", ""))
    with tenant(company_id):
        scope = ChartScope(company_id, about.rights, currency)
        figures = [
            kind.make(scope) for kind in KINDS.values() if kind.open_to(about.rights.values())
        ]
    context = {
        "project": about.project,
        "currency": currency,
        "currencies": sorted(about.currencies()),
        "figures": [figure for figure in figures if figure.rows],
        "asking": about.asking,
        "tiles": tiles_of(about.health, currency),
        "notes": notes_of(about.health, currency),
        "projects": len(about.rights),
        "forms": list(FORMS),
        **freshness(company_id),
    }
    return render(request, "insights/_insights.html", context)


@workspace("GET")
def download(request: ViewerRequest, slug: str, form: str, project_id: int = ALL) -> HttpResponse:
    """The table of one figure, within what the viewer may see."""
    kind = KINDS.get(slug)
    if kind is None or form not in FORMS:
        raise Http404
    company_id = request.company.id
    about = _about(request, project_id)
    together = {tool for own in about.rights.values() for tool in own.tools}
    for tool in sorted(kind.tools - together):
        raise NotEntitled(tool=tool.label)
    with tenant(company_id):
        currency = about.currency(request.GET.get("currency", ""))
        figure = kind.make(ChartScope(company_id, about.rights, currency))
        record(
            Event.INSIGHT_EXPORTED, actor=request.viewer.actor, company_id=company_id,
            figure=slug, form=form, project=project_id,
        )  # fmt: skip
    write, content_type = FORMS[form]
    answer = HttpResponse(write(figure), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{slug}.{form}"'
    return answer


def _about(request: ViewerRequest, project_id: int) -> About:
    """Raises ProjectHidden."""
    company_id = request.company.id
    if not project_id:
        portfolio = portfolio_of(request)
        with tenant(company_id):
            health = sums_of(company_id, portfolio.rights)
        return About(None, portfolio.rights, portfolio.asking, health)
    own = {project_id: open_project(request, project_id)}
    with tenant(company_id):
        found = project_or_error(company_id, project_id)
        rights = rights_with_data(company_id, own)
        return About(found, rights, 0, health_of(company_id, [found], rights))
