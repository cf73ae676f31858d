"""What every page of the workspace needs: the project, its day, freshness, Procore's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from integrations.procore.resources.projects import Project
from integrations.procore.sync.models import SyncRun
from integrations.procore.sync.runs import newest_run, problems, progress
from partner_app.core import clock
from partner_app.core.zones import local_day
from partner_app.embedded.decorators import ViewerRequest
from partner_app.embedded.entitlement import Rights, rights_across, visible_projects
from partner_app.embedded.errors import ProjectHidden
from partner_app.insights.health import arrived, projects
from partner_app.tenancy.context import tenant


@dataclass(frozen=True)
class Portfolio:
    """The projects of a viewer. `rights` are narrowed to what has been read already.

    `asking` counts those of which Procore has yet to say what the viewer may see.
    """

    projects: list[Project]
    rights: Mapping[int, Rights]
    own: Mapping[int, Rights]
    asking: int

    @property
    def names(self) -> dict[int, str]:
        return {project.remote_id: project.name for project in self.projects}


def portfolio_of(request: ViewerRequest) -> Portfolio:
    """Raises ProcoreError, ReconnectNeeded."""
    company_id = request.company.id
    visible = visible_projects(request.viewer)
    with tenant(company_id):
        found = list(projects(company_id, visible))
    rights, asking = rights_across(request.viewer, [project.remote_id for project in found])
    known = [project for project in found if project.remote_id in rights]
    with tenant(company_id):
        return Portfolio(known, arrived(company_id, rights), rights, asking)


def project_or_error(company_id: int, project_id: int) -> Project:
    """Inside tenant(). Raises ProjectHidden."""
    found = Project.objects.filter(company_id=company_id, remote_id=project_id).first()
    if found is None:
        raise ProjectHidden
    return found


def freshness(company_id: int) -> dict[str, object]:
    """`first` while the company's first sync has not ended; only then its steps are counted."""
    run = newest_run(company_id)
    ended = SyncRun.objects.filter(company_id=company_id, finished_at__isnull=False).exists()
    running = run is None or run.finished_at is None
    return {
        "run": run,
        "run_id": run.id if run else 0,
        "steps": progress(run) if run and running and not ended else [],
        "first": not ended,
        "running": running,
        "problems": problems(run) if run and run.finished_at else [],
    }


def today_of(project: Project) -> date:
    return local_day(clock.now(), project.time_zone)


def procore_of(request: ViewerRequest) -> dict[str, str]:
    """Where records open in Procore: the frame's own host, when it is one of those we know."""
    host = request.headers.get("Tieback-Host", "")
    return {"procore": host if host in settings.FRAME_ANCESTORS else settings.FRAME_ANCESTORS[0]}
