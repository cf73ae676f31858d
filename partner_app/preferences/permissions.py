"""A section of the settings: what Procore lets the service account do, and what it lacks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from integrations.procore.resources.projects import Project
from partner_app.connections.gaps import Right, asked_words, granted_words, rights_of
from partner_app.connections.rights import A_CHECK, check, is_fresh, known
from partner_app.core.errors import TiebackError
from partner_app.embedded.decorators import ViewerRequest, workspace
from partner_app.embedded.entitlement import require_company_admin
from partner_app.tenancy.context import tenant

NAMED = 5  # projects named for one gap


@dataclass(frozen=True)
class ToolGroup:
    """One tool with the same answer on some projects, or on the company."""

    tab: str
    tool: str
    asked: str
    granted: str
    cause: str
    remedy: str
    projects: tuple[str, ...] = ()  # empty on the company's tab

    @property
    def named(self) -> str:
        return ", ".join(self.projects[:NAMED])

    @property
    def more(self) -> int:
        return max(0, len(self.projects) - NAMED)


@dataclass(frozen=True)
class PermissionsOverview:
    """`unchecked`: projects that we hold but have not checked yet."""

    gaps: list[ToolGroup]
    granted: list[ToolGroup]
    checked_at: datetime | None
    fresh: bool
    checked: int
    unchecked: int


def overview(company_id: int) -> PermissionsOverview:
    """What is known; makes no call."""
    answers, names = known(company_id), _names(company_id)
    groups = _grouped(rights_of(answers), names)
    return PermissionsOverview(
        [group for group in groups if group.cause],
        [group for group in groups if not group.cause],
        answers.company.checked_at if answers.company else None,
        is_fresh(answers),
        len(answers.projects),
        len(names.keys() - answers.projects.keys()),
    )


@workspace("POST")
def check_permissions(request: ViewerRequest) -> HttpResponse:
    """Checks a few projects; where a fault ends it, its results so far are shown too."""
    require_company_admin(request.viewer)
    company_id, error = request.company.id, None
    try:
        check(company_id=company_id, mirrored=_names(company_id), most=A_CHECK)
    except TiebackError as trouble:
        error = trouble
    context = {"permissions": overview(company_id), "error": error, "asked": True}
    return render(request, "preferences/_permissions.html", context)


def _names(company_id: int) -> dict[int, str]:
    with tenant(company_id):
        held = Project.objects.filter(company_id=company_id)
        return dict(held.values_list("remote_id", "name"))


def _grouped(rights: Iterable[Right], names: Mapping[int, str]) -> list[ToolGroup]:
    """In the order of the rights: gaps first, then by tab and tool."""
    projects: dict[ToolGroup, list[str]] = defaultdict(list)
    for right in rights:
        group = ToolGroup(
            right.asked.tab,
            right.asked.tool,
            asked_words(right.asked, gettext),
            granted_words(right, gettext),
            right.cause_words(gettext),
            right.remedy_words(gettext),
        )
        place = right.project_id
        projects[group] += [] if place is None else [names.get(place) or str(place)]
    return [replace(group, projects=tuple(sorted(found))) for group, found in projects.items()]
