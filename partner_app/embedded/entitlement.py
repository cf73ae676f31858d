"""What Procore lets a viewer see: requested with the viewer's own token and cached briefly."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property, partial

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import QuerySet

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import Forbidden, NotFoundOrHidden, Unreadable
from integrations.procore.api.manifest import PATH as PERMISSIONS
from integrations.procore.api.manifest import Level, Manifest, read_manifest
from integrations.procore.api.values import record_id, text_of
from integrations.procore.resources.projects import EVERY_STATUS
from integrations.procore.resources.tools import Tool, known_tools
from partner_app.connections.access import in_threads, viewer_client
from partner_app.core import clock
from partner_app.core.logging import log
from partner_app.embedded.errors import (
    NotCompanyAdmin,
    NotEntitled,
    PermissionsUnclear,
    ProjectHidden,
)
from partner_app.embedded.models import Entitlement
from partner_app.embedded.session import Viewer
from partner_app.tenancy.context import tenant

FRESH = timedelta(minutes=5)
OVERVIEW = timedelta(hours=1)  # for metrics across projects
A_ROUND = 24  # projects that one overview checks
COMPANY = -1  # instead of a project: rights on the company itself
AT_ONCE = 6  # parallel calls to Procore


@dataclass(frozen=True)
class Rights:
    """What one person may see on one project, and whether they may write its original budget.

    `levels` holds the tools that they have at all. `person` is their id in Procore, by which
    records name them. `unclear`: tools for which Procore's response could not be read; they count
    as not given.
    """

    project_id: int
    person: int
    levels: Mapping[Tool, Level]
    edits_budget: bool = False
    unclear: frozenset[Tool] = frozenset()

    @cached_property
    def tools(self) -> frozenset[Tool]:
        return frozenset(self.levels)

    @cached_property
    def administers(self) -> frozenset[Tool]:
        """Tools in which they see all private records and drafts."""
        return frozenset(tool for tool, level in self.levels.items() if level is Level.ADMIN)

    def sees_all_of(self, tools: Iterable[Tool]) -> bool:
        """Whether they see every record of these tools; a budget has no private rows."""
        return self.administers.issuperset(set(tools) - {Tool.BUDGET})

    def as_admin_of(self, tool: Tool) -> "Rights":
        """Used to find out whether something is kept from them; none of it is shown."""
        return replace(self, levels={**self.levels, tool: Level.ADMIN})

    def without(self, tools: Iterable[Tool]) -> "Rights":
        gone = set(tools)
        kept = {tool: level for tool, level in self.levels.items() if tool not in gone}
        return replace(self, levels=kept)

    @property
    def unclear_labels(self) -> list[str]:
        return sorted(tool.label for tool in self.unclear)

    @property
    def sees_budget(self) -> bool:
        """Without it no case, chart or sum shows a cost figure, not even one that an RFI carries.

        A list of one tool’s records shows its own amounts to everyone who has the tool, as Procore
        does.
        """
        return Tool.BUDGET in self.tools

    def require(self, tool: Tool) -> None:
        """Raises NotEntitled, PermissionsUnclear."""
        if tool in self.unclear:
            raise PermissionsUnclear(tool=tool.label)
        if tool not in self.tools:
            raise NotEntitled(tool=tool.label)


@dataclass(frozen=True)
class CompanyRights:
    """Whether Procore counts the viewer among the company's administrators."""

    admin: bool
    unclear: bool = False  # Procore's response could not be read, which counts as no


def visible_projects(viewer: Viewer) -> frozenset[int]:
    """Ids of the projects that Procore lists for the viewer.

    Raises ProcoreError, ReconnectNeeded.
    """
    known = _known(viewer, 0)
    if known:
        return frozenset(known.project_ids)
    client = viewer_client(viewer.company_id, viewer.remote_user_id)
    rows = client.rows("/rest/v1.1/projects", {"company_id": viewer.company_id, **EVERY_STATUS})
    ids = [key for row in rows if (key := record_id(row.get("id")))]
    _remember(viewer, 0, project_ids=ids)
    return frozenset(ids)


def company_rights(viewer: Viewer) -> CompanyRights:
    """Raises ProcoreError, ReconnectNeeded."""
    known = _known(viewer, COMPANY)
    if known is None:
        client = viewer_client(viewer.company_id, viewer.remote_user_id)
        manifest = _manifest(client, company_id=viewer.company_id)
        found = CompanyRights(
            manifest.level("admin") is Level.ADMIN, unclear=not manifest.understood("admin")
        )
        _remember(
            viewer,
            COMPANY,
            tools=["admin"] if found.admin else [],
            unclear=["admin"] if found.unclear else [],
        )
        return found
    return CompanyRights("admin" in known.tools, unclear=bool(known.unclear))


def require_company_admin(viewer: Viewer) -> None:
    """Raises NotCompanyAdmin, PermissionsUnclear."""
    found = company_rights(viewer)
    if found.admin:
        return
    raise PermissionsUnclear(tool="Admin") if found.unclear else NotCompanyAdmin()


def rights_on(viewer: Viewer, project_id: int, *, refresh: bool = False) -> Rights:
    """`refresh`: bypasses the cache and asks Procore, as before any write.

    Raises ProjectHidden, ProcoreError, ReconnectNeeded.
    """
    if refresh:
        with tenant(viewer.company_id):
            # The expired answer is kept, so that a comparison shows lost rights.
            _fresh(viewer).filter(project_id=project_id).update(checked_at=clock.now() - FRESH)
    if project_id not in visible_projects(viewer):
        raise ProjectHidden
    found = rights_on_each(viewer, [project_id])
    if project_id not in found:
        raise ProjectHidden
    return found[project_id]


def rights_on_each(viewer: Viewer, project_ids: Iterable[int]) -> dict[int, Rights]:
    """Rights on projects that are known to be listed for the viewer; hidden ones are left out.

    Procore answers for one project at a time, so several calls run in parallel.
    """
    wanted = list(project_ids)
    with tenant(viewer.company_id):
        found = _of_rows(_fresh(viewer).filter(project_id__among=set(wanted)))
    missing = [project_id for project_id in wanted if project_id not in found]
    if missing:
        client = in_threads(viewer_client(viewer.company_id, viewer.remote_user_id))
        with ThreadPoolExecutor(min(AT_ONCE, len(missing))) as pool:
            asked = pool.map(partial(_ask, client, viewer.remote_user_id), missing)
            answers = [rights for rights in asked if rights]
        if _lost(viewer, missing, answers):
            forget(viewer)
        for rights in answers:
            _remember(
                viewer,
                rights.project_id,
                tools=sorted(rights.tools),
                levels={tool: int(level) for tool, level in rights.levels.items()},
                edits_budget=rights.edits_budget,
                unclear=sorted(rights.unclear),
            )
            found[rights.project_id] = rights
    return found


def _lost(viewer: Viewer, asked: list[int], answers: list[Rights]) -> bool:
    """Whether Procore has taken any right away since the last check.

    Then overviews also check again at once, instead of using the cache for an hour.
    """
    with tenant(viewer.company_id):
        before = known_across(viewer, asked)
    now = {rights.project_id: rights.levels for rights in answers}
    return any(
        level > now.get(key, {}).get(tool, Level.NONE)
        for key, own in before.items()
        for tool, level in own.levels.items()
    )


def rights_across(viewer: Viewer, project_ids: Iterable[int]) -> tuple[dict[int, Rights], int]:
    """Rights on many projects for an overview, and on how many they are not known yet.

    Procore answers for one project per call, so a first overview of hundreds of projects takes
    several rounds; each answer is cached here for an hour. A project that is opened is checked
    again.
    """
    wanted = list(project_ids)
    with tenant(viewer.company_id):
        found = known_across(viewer, wanted)
    missing = [project_id for project_id in wanted if project_id not in found]
    if missing:
        found |= rights_on_each(viewer, missing[:A_ROUND])
    return found, max(0, len(missing) - A_ROUND)


def address_of(viewer: Viewer) -> str:
    """The mail address that Procore has for the viewer. Raises ProcoreError."""
    client = viewer_client(viewer.company_id, viewer.remote_user_id)
    return text_of(client.record("/rest/v1.0/me").get("login"))


def known_across(viewer: Viewer, project_ids: Iterable[int]) -> dict[int, Rights]:
    """Inside tenant(): what Procore said in the last hour."""
    return _of_rows(_since(viewer, OVERVIEW).filter(project_id__among=set(project_ids)))


def known_projects(viewer: Viewer) -> frozenset[int] | None:
    """Inside tenant(): the result of visible_projects() from the cache, if it is there."""
    known = _fresh(viewer).filter(project_id=0).values_list("project_ids", flat=True).first()
    return None if known is None else frozenset(known)


def _ask(client: ProcoreClient, person: int, project_id: int) -> Rights | None:
    """Outside Django: runs in a thread without a database connection."""
    try:
        manifest = _manifest(client, project_id=project_id)
    except (NotFoundOrHidden, Forbidden):
        return None
    levels = {tool: level for tool in Tool if (level := manifest.level(tool)) > Level.NONE}
    unclear = frozenset(tool for tool in Tool if not manifest.understood(tool)) - levels.keys()
    return Rights(project_id, person, levels, manifest.edits_budget, unclear)


def _manifest(client: ProcoreClient, **about: int) -> Manifest:
    """A response that cannot be read at all proves nothing. Raises ProcoreError."""
    try:
        manifest = read_manifest(client.get(PERMISSIONS, **about))
    except Unreadable:
        manifest = read_manifest(None)
    for each in manifest.unclear:
        log.warning("permissions.unclear", tool=each.tool, what=each.what, **about)
    return manifest


def _fresh(viewer: Viewer) -> QuerySet[Entitlement]:
    return _since(viewer, FRESH)


def _since(viewer: Viewer, age: timedelta) -> QuerySet[Entitlement]:
    return Entitlement.objects.filter(
        company_id=viewer.company_id,
        remote_user_id=viewer.remote_user_id,
        checked_at__gt=clock.now() - age,
    )


def _of_rows(rows: QuerySet[Entitlement]) -> dict[int, Rights]:
    """For one viewer. Most of their projects have the same tools: one row for each set of them."""
    grouped = (
        rows.order_by()
        .values_list("remote_user_id", "tools", "levels", "edits_budget", "unclear")
        .annotate(of=ArrayAgg("project_id"))
    )
    return {
        key: Rights(key, person, levels, edits, unclear)
        for person, names, known, edits, doubtful, keys in grouped
        for levels in [{t: Level(known.get(t, Level.READ)) for t in known_tools(names)}]
        for unclear in [frozenset(known_tools(doubtful))]
        for key in keys
    }


def _known(viewer: Viewer, project_id: int) -> Entitlement | None:
    with tenant(viewer.company_id):
        return _fresh(viewer).filter(project_id=project_id).first()


def _remember(
    viewer: Viewer,
    project_id: int,
    **found: list[int] | list[Tool] | list[str] | dict[Tool, int] | bool,
) -> None:
    with tenant(viewer.company_id):
        Entitlement.objects.update_or_create(
            company_id=viewer.company_id,
            remote_user_id=viewer.remote_user_id,
            project_id=project_id,
            defaults={**found, "checked_at": clock.now()},
        )


def forget(viewer: Viewer) -> None:
    """After a new sign-in: the next check asks Procore again."""
    with tenant(viewer.company_id):
        Entitlement.objects.filter(
            company_id=viewer.company_id, remote_user_id=viewer.remote_user_id
        ).delete()
