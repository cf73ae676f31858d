"""What Procore lets a viewer see, asked with the viewer's own token and cached briefly."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from integrations.procore.api.errors import Forbidden, NotFoundOrHidden
from partner_app.connections.access import viewer_client
from partner_app.core import clock
from partner_app.embedded.errors import NotEntitled, ProjectHidden
from partner_app.embedded.models import Entitlement
from partner_app.embedded.session import Viewer
from partner_app.tenancy.context import tenant

FRESH = timedelta(minutes=5)
PERMISSIONS = "/rest/v1.0/settings/permissions"


class Tool(StrEnum):
    """Procore's project tools, by the names of its permission manifest."""

    RFIS = "rfis"
    SUBMITTALS = "submittals"
    CHANGE_EVENTS = "change_events"
    COMMITMENTS = "commitments"
    BUDGET = "budget"

    @property
    def label(self) -> str:
        return "RFIs" if self is Tool.RFIS else self.value.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Rights:
    """A viewer's tools on one project."""

    project_id: int
    tools: frozenset[Tool]

    def require(self, tool: Tool) -> None:
        if tool not in self.tools:
            raise NotEntitled(tool=tool.label)


def visible_projects(viewer: Viewer) -> frozenset[int]:
    """Ids of the projects that Procore lists for the viewer.

    Raises ProcoreError, ReconnectNeeded.
    """
    known = _known(viewer, 0)
    if known:
        return frozenset(known.project_ids)
    client = viewer_client(viewer.company_id, viewer.remote_user_id)
    pages = client.pages("/rest/v1.1/projects", {"company_id": viewer.company_id})
    ids = [int(row["id"]) for page in pages for row in page.rows]
    _remember(viewer, 0, project_ids=ids)
    return frozenset(ids)


def rights_on(viewer: Viewer, project_id: int) -> Rights:
    """Raises ProjectHidden, ProcoreError, ReconnectNeeded."""
    if project_id not in visible_projects(viewer):
        raise ProjectHidden
    known = _known(viewer, project_id)
    if known:
        return Rights(project_id, frozenset(Tool(name) for name in known.tools))
    client = viewer_client(viewer.company_id, viewer.remote_user_id)
    try:
        manifest = client.get(PERMISSIONS, project_id=project_id)
    except (NotFoundOrHidden, Forbidden):
        raise ProjectHidden from None
    names = {
        str(tool["name"])
        for tool in manifest["tools"]
        if tool["user_access_level"]["name"] != "none"
    }
    tools = frozenset(tool for tool in Tool if tool in names)
    _remember(viewer, project_id, tools=sorted(tools))
    return Rights(project_id, tools)


def _known(viewer: Viewer, project_id: int) -> Entitlement | None:
    with tenant(viewer.company_id):
        return Entitlement.objects.filter(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            project_id=project_id,
            checked_at__gt=clock.now() - FRESH,
        ).first()


def _remember(viewer: Viewer, project_id: int, **found: list[int] | list[Tool]) -> None:
    with tenant(viewer.company_id):
        Entitlement.objects.update_or_create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            project_id=project_id,
            defaults={**found, "checked_at": clock.now()},
        )


def forget(viewer: Viewer) -> None:
    """After a new sign-in: ask Procore again."""
    with tenant(viewer.company_id):
        Entitlement.objects.filter(
            company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
        ).delete()
