"""What every page of the workspace needs: the project, its day, freshness, Procore's address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from integrations.procore.resources.projects import Project
from integrations.procore.sync.models import RunState, SyncRun
from integrations.procore.sync.quarantine import unread_mark
from integrations.procore.sync.remaining import Remaining, remaining
from integrations.procore.sync.runs import newest_run, problems, progress
from integrations.procore.sync.use import note_opened
from partner_app.connections.purposes import waits
from partner_app.core import clock
from partner_app.core.frames import allows
from partner_app.core.zones import local_day
from partner_app.embedded.decorators import ViewerRequest
from partner_app.embedded.entitlement import (
    Rights,
    known_across,
    known_projects,
    rights_across,
    rights_on,
    visible_projects,
)
from partner_app.embedded.errors import ProjectHidden
from partner_app.insights.health import rights_with_data
from partner_app.insights.staleness import stale_lists
from partner_app.tenancy.context import tenant

WITH_PROBLEMS = {RunState.PARTIAL, RunState.FAILED}
Listed = tuple[int, str, str, str]  # id, name, number, city


@dataclass(frozen=True)
class Portfolio:
    """A viewer's projects by id, with their names.

    `rights` are limited to what has been read already, `own` are not; `asking` counts projects for
    which Procore has not yet said what the viewer may see. `words` are the search words for
    projects.
    """

    names: Mapping[int, str]
    words: Mapping[int, str]
    rights: Mapping[int, Rights]
    own: Mapping[int, Rights]
    asking: int


def portfolio_of(request: ViewerRequest) -> Portfolio:
    """Usually from cached answers of Procore, in one transaction.

    Raises ProcoreError, ReconnectNeeded.
    """
    viewer = request.viewer
    with tenant(viewer.company_id):
        visible = known_projects(viewer)
        if visible is not None:
            found = _listed(viewer.company_id, visible)
            rights = known_across(viewer, visible)
            if all(row[0] in rights for row in found):
                return _portfolio(viewer.company_id, found, rights, 0)
    visible = visible_projects(viewer)
    with tenant(viewer.company_id):
        found = _listed(viewer.company_id, visible)
    rights, asking = rights_across(viewer, [row[0] for row in found])
    with tenant(viewer.company_id):
        return _portfolio(viewer.company_id, found, rights, asking)


def _listed(company_id: int, visible: Iterable[int]) -> list[Listed]:
    rows = Project.objects.filter(company_id=company_id, remote_id__among=visible)
    rows = rows.order_by("project_number", "name")
    return list(rows.values_list("remote_id", "name", "project_number", "city"))


def _portfolio(
    company_id: int, found: list[Listed], rights: Mapping[int, Rights], asking: int
) -> Portfolio:
    known = [row for row in found if row[0] in rights]
    own = {row[0]: rights[row[0]] for row in known}
    return Portfolio(
        names={key: name for key, name, *_ in known},
        words={key: f"{number} {name} {city}".casefold() for key, name, number, city in known},
        rights=rights_with_data(company_id, own),
        own=own,
        asking=asking,
    )


def open_project(request: ViewerRequest, project_id: int) -> Rights:
    """The viewer's rights on the project they have opened; it is read first from now on.

    Raises ProjectHidden, ProcoreError, ReconnectNeeded.
    """
    rights = rights_on(request.viewer, project_id)
    note_opened(company_id=request.company.id, project_id=project_id)
    return rights


def project_or_error(company_id: int, project_id: int) -> Project:
    """Inside tenant(). Raises ProjectHidden."""
    found = Project.objects.filter(company_id=company_id, remote_id=project_id).first()
    if found is None:
        raise ProjectHidden
    return found


def freshness(company_id: int) -> dict[str, Any]:
    """The freshness of the mirror.

    `first` while the company's first sync has not ended; only then its steps are counted, and what
    is `left` of it. `waiting`: for calls to Procore, where that takes long enough that people
    should know.
    """
    run = newest_run(company_id)
    running, ended = _standing(company_id, run)
    return {
        "run": run,
        "run_id": run.id if run else 0,
        "steps": progress(run) if run and running and not ended else [],
        "left": _left(run, running=running, ended=ended),
        "first": not ended,
        "running": running,
        "waiting": waits(company_id).reading if running else None,
        "problems": problems(run) if run and run.state in WITH_PROBLEMS else [],
        "unread": unread_mark(company_id),
        "stale": stale_lists(company_id),
    }


def first_reading_left(company_id: int) -> Remaining | None:
    """What is left of the company's first sync; None where it has ended or not yet begun."""
    run = newest_run(company_id)
    running, ended = _standing(company_id, run)
    return _left(run, running=running, ended=ended)


def _standing(company_id: int, run: SyncRun | None) -> tuple[bool, bool]:
    """Whether a sync is running or due, and whether any has ended before."""
    running = run is None or run.finished_at is None
    past = SyncRun.objects.filter(company_id=company_id, finished_at__isnull=False)
    return running, not running or past.exists()


def _left(run: SyncRun | None, *, running: bool, ended: bool) -> Remaining | None:
    return remaining(run) if run and running and not ended else None


def today_of(project: Project) -> date:
    return local_day(clock.now(), project.time_zone)


def procore_of(request: ViewerRequest) -> dict[str, str]:
    """Where records open in Procore: the frame's own host, when it is one of those we know."""
    host = request.headers.get("Tieback-Host", "")
    return {"procore": host if allows(settings.FRAME_ANCESTORS, host) else settings.PROCORE.web_url}
