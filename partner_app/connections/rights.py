"""What the service account may really do: asks Procore and keeps the answers with their time."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.conf import settings

from integrations.procore.api.asked import asked
from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.errors import (
    Forbidden,
    NotFoundOrHidden,
    RateLimited,
    Refused,
    Unreadable,
)
from integrations.procore.api.manifest import (
    PATH,
    Level,
    Manifest,
    ToolRight,
    Unclear,
    key_of,
    read_manifest,
)
from integrations.procore.api.values import record_id
from partner_app.connections.access import app_client, serves_a_person
from partner_app.connections.gaps import CompanyPermissions, PermissionAnswer
from partner_app.connections.models import GrantedRights, Outcome
from partner_app.core import clock
from partner_app.tenancy.context import tenant

FRESH = timedelta(hours=12)  # directory templates change seldom, and a check costs calls
A_CHECK = 8  # projects that one check covers while a person waits
COMPANY = 0  # instead of a project
INSTALLATIONS = "/rest/v1.0/app_installations"

Wait = Callable[[datetime], None]
Found = TypeVar("Found")


def check(
    *, company_id: int, mirrored: Iterable[int], most: int | None = None, wait: Wait | None = None
) -> None:
    """Checks the company and `most` projects, beginning with those checked longest ago.

    `mirrored`: projects that we hold; those that Procore no longer lists are no longer permitted
    and are not checked. Without `wait`, whatever was learned before a limit is kept. Raises
    RateLimited, ProcoreError, ReconnectNeeded.
    """
    client = app_client(company_id)
    permitted = _patiently(wait, partial(_permitted, client, company_id))
    outcome, manifest = _patiently(wait, partial(_ask, client, company_id=company_id))
    waits = _patiently(wait, partial(_update_waits, client, company_id, permitted))
    _keep(company_id, COMPANY, outcome, manifest, update_waits=waits)
    _settle(company_id, permitted, {*mirrored} - {*permitted})
    for project_id in _longest_ago(company_id, permitted)[:most]:
        outcome, manifest = _patiently(wait, partial(_ask, client, project_id=project_id))
        _keep(company_id, project_id, outcome, manifest)


def known(company_id: int) -> CompanyPermissions:
    """What was learned, and when; makes no call."""
    with tenant(company_id):
        rows = {r.project_id: r for r in GrantedRights.objects.filter(company_id=company_id)}
        by_person = serves_a_person(company_id)
    company = rows.pop(COMPANY, None)
    return CompanyPermissions(
        _answer(company) if company else None,
        {key: _answer(row) for key, row in sorted(rows.items())},
        company.update_waits if company else None,
        by_person,
    )


def is_fresh(answers: CompanyPermissions) -> bool:
    return answers.company is not None and answers.company.checked_at > clock.now() - FRESH


def _patiently(wait: Wait | None, ask: Callable[[], Found]) -> Found:
    while True:
        try:
            return ask()
        except RateLimited as error:
            if wait is None:
                raise
            wait(error.until)


def _permitted(client: ProcoreClient, company_id: int) -> list[int]:
    rows = client.rows("/rest/v1.1/projects", {"company_id": company_id})
    return [key for row in rows if (key := record_id(row.get("id")))]


def _ask(client: ProcoreClient, **place: int) -> tuple[Outcome, Manifest]:
    try:
        manifest = read_manifest(client.get(PATH, **place))
    except NotFoundOrHidden:
        return Outcome.NOT_PERMITTED if "project_id" in place else Outcome.REFUSED, Manifest()
    except Forbidden:
        return Outcome.REFUSED, Manifest()
    except Unreadable:
        return Outcome.UNREADABLE, Manifest()
    return Outcome.ANSWERED if manifest.tools else Outcome.UNREADABLE, manifest


def _update_waits(
    client: ProcoreClient, company_id: int, permitted: Collection[int]
) -> bool | None:
    """Whether Procore has a newer version of the app than the installed one; None: it does not say.

    The call requires a project, although the answer concerns the company.
    """
    if not permitted:
        return None
    query = {"company_id": company_id, "project_id": next(iter(permitted))}
    try:
        rows = list(client.rows(INSTALLATIONS, query))
    except (Forbidden, NotFoundOrHidden, Refused, Unreadable):
        return None
    ours = {settings.PROCORE.client_id, None}
    living = [r for r in rows if r.get("app_uid") in ours and r.get("status") != "uninstalled"]
    return any(row.get("updatable_app_version_id") for row in living) if living else None


def _longest_ago(company_id: int, permitted: Iterable[int]) -> list[int]:
    with tenant(company_id):
        rows = GrantedRights.objects.filter(company_id=company_id)
        asked_at = dict(rows.values_list("project_id", "checked_at"))
    never = datetime.min.replace(tzinfo=clock.now().tzinfo)
    return sorted(permitted, key=lambda key: (asked_at.get(key, never), key))


def _settle(company_id: int, permitted: Collection[int], gone: Collection[int]) -> None:
    """Marks unlisted projects as not permitted, and deletes rows of those that we do not hold."""
    for project_id in gone:
        _keep(company_id, project_id, Outcome.NOT_PERMITTED, Manifest())
    with tenant(company_id):
        rows = GrantedRights.objects.filter(company_id=company_id)
        rows.exclude(project_id__in=[COMPANY, *permitted, *gone]).delete()


def _keep(
    company_id: int,
    project_id: int,
    outcome: Outcome,
    manifest: Manifest,
    *,
    update_waits: bool | None = None,
) -> None:
    """Only for tools that the app needs."""
    wanted = {key_of(each.tool) for each in asked()}
    with tenant(company_id):
        GrantedRights.objects.update_or_create(
            company_id=company_id,
            project_id=project_id,
            defaults={
                "outcome": outcome,
                "tools": {
                    key: {"level": right.level, "actions": sorted(right.actions)}
                    for key, right in manifest.tools.items()
                    if key in wanted
                },
                "unclear": [
                    [each.tool, each.what]
                    for each in manifest.unclear
                    if each.tool in {"", *wanted}
                ],
                "update_waits": update_waits,
                "checked_at": clock.now(),
            },
        )


def _answer(row: GrantedRights) -> PermissionAnswer:
    tools = {
        key: ToolRight(Level(right["level"]), frozenset(right["actions"]))
        for key, right in row.tools.items()
    }
    unclear = tuple(Unclear(tool, what) for tool, what in row.unclear)
    return PermissionAnswer(Outcome(row.outcome), Manifest(tools, unclear), row.checked_at)
