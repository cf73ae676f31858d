"""What the service account may do compared with what the app needs: each gap with cause and remedy.

Pure except for the names of outcomes. Two things limit a service account: what the installed
version of the app requests, and the permission template of the directory user that the install
created. A project membership keeps what the template said when the membership was made.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.procore.api.asked import Asked, Tab, asked
from integrations.procore.api.manifest import Manifest, key_of
from partner_app.connections.models import Outcome
from partner_app.core.i18n import gettext_noop

Words = Callable[[str], str]


class Cause(StrEnum):
    """Why less is granted than the app needs."""

    MANIFEST = "manifest"
    TEMPLATE = "template"
    CEILING = "manifest or template"
    MEMBERSHIP = "membership"
    NOT_PERMITTED = "not permitted"
    ABSENT = "not named"
    UNCLEAR = "not understood"
    REFUSED = "not answered"
    PERSON = "person"


CAUSES: Mapping[Cause, tuple[str, str]] = {
    Cause.MANIFEST: (
        gettext_noop(
            "An update of the app is available: the installed version does not request this."
        ),
        gettext_noop(
            "Update Tieback under App Management in Procore, then choose its permitted projects "
            "again."
        ),
    ),
    Cause.TEMPLATE: (
        gettext_noop(
            "The permission template of the service account’s user in the Directory is lower than "
            "what the app asks for."
        ),
        gettext_noop(
            "In that permission template, set {tool}: {asked}. An update of the app does "
            "not change the template, and projects that the user was added to before keep"
            " what they had: take them out of the permitted projects and choose them "
            "again."
        ),
    ),
    Cause.CEILING: (
        gettext_noop(
            "Either the installed version of the app does not ask for this, or the permission "
            "template of the service account’s user is lower; Procore does not say which."
        ),
        gettext_noop(
            "Check for an update of Tieback under App Management. If there is none, set {tool}: "
            "{asked} in the permission template of the service account’s user."
        ),
    ),
    Cause.MEMBERSHIP: (
        gettext_noop(
            "The service account has this on other projects: it was added to this one before its "
            "permission template was right."
        ),
        gettext_noop(
            "Take the project out of the permitted projects under App Management, save, "
            "and choose it again. Or set for the service account’s user in the project’s "
            "Directory {tool}: {asked}."
        ),
    ),
    Cause.NOT_PERMITTED: (
        gettext_noop("The project is not among the app’s permitted projects."),
        gettext_noop(
            "Choose it under App Management in Procore; each update of the app clears the list, so "
            "choose again after an update."
        ),
    ),
    Cause.ABSENT: (
        gettext_noop(
            "Procore’s answer does not include this tool: it is switched off there, or has another "
            "name."
        ),
        gettext_noop("Switch {tool} on in Procore. If it is on, write to support."),
    ),
    Cause.UNCLEAR: (
        gettext_noop("Procore’s answer could not be read, so nothing counts as granted."),
        gettext_noop(
            "Check again in five minutes. If the problem remains, write to support and name {tool}."
        ),
    ),
    Cause.REFUSED: (
        gettext_noop(
            "Procore does not show what the service account may do, so nothing counts as granted."
        ),
        gettext_noop(
            "Set for the service account’s user in Procore’s Directory {tool}: {asked}. "
            "The syncs show whether it can read."
        ),
    ),
    Cause.PERSON: (
        gettext_noop("The administrator who connected Tieback has less than this in Procore."),
        gettext_noop(
            "Install the app with its service account, or set for that administrator "
            "{tool}: {asked}."
        ),
    ),
}  # fmt: skip
OF_OUTCOME = {
    Outcome.NOT_PERMITTED: Cause.NOT_PERMITTED,
    Outcome.REFUSED: Cause.REFUSED,
    Outcome.UNREADABLE: Cause.UNCLEAR,
}


@dataclass(frozen=True)
class PermissionAnswer:
    """What Procore said of one project, or of the company."""

    outcome: Outcome
    manifest: Manifest
    checked_at: datetime


@dataclass(frozen=True)
class CompanyPermissions:
    """Everything known about one company. `update_waits` is None where Procore does not say."""

    company: PermissionAnswer | None
    projects: Mapping[int, PermissionAnswer]
    update_waits: bool | None = None
    by_person: bool = False  # without a service account, the administrator who connected is used


@dataclass(frozen=True)
class Right:
    """One tool of one tab on one project (None: the company). `cause` None: all is granted."""

    project_id: int | None
    asked: Asked
    answer: PermissionAnswer
    cause: Cause | None

    @property
    def granted(self) -> str:
        return granted_words(self)

    def cause_words(self, _: Words = str) -> str:
        return _(CAUSES[self.cause][0]) if self.cause else ""

    def remedy_words(self, _: Words = str) -> str:
        if self.cause is None:
            return ""
        facts = {"tool": self.asked.tool, "asked": asked_words(self.asked, _)}
        return _(CAUSES[self.cause][1]).format(**facts)


def rights_of(answers: CompanyPermissions) -> list[Right]:
    """The person's companies, each with its obstacle, if any. Raises NoCompany if none is free."""
    found = list(_rights(answers))
    return sorted(found, key=lambda right: right.cause is None)


def asked_words(asked: Asked, _: Words = str) -> str:
    """`Read-Only, with “Delete Budget Line Items” (or Admin)`, in Procore's words."""
    level = _(asked.level.label)
    if not asked.granular:
        return level
    names = ", ".join(f"“{each.label}”" for each in asked.granular)
    return _(gettext_noop("{level}, with {names} (or Admin)")).format(level=level, names=names)


def granted_words(right: Right, _: Words = str) -> str:
    """The level that Procore named, and the granted ones of the granular permissions needed."""
    answer, asked = right.answer, right.asked
    if right.cause in {Cause.REFUSED, Cause.UNCLEAR}:
        return _(gettext_noop("Unknown"))
    if right.cause is Cause.ABSENT:
        return _(gettext_noop("Not listed"))
    level = _(answer.manifest.level(asked.tool).label)
    given = [each for each in asked.granular if each.given_by(answer.manifest, asked.tool)]
    if not given:
        return level
    names = ", ".join(f"“{each.label}”" for each in given)
    return _(gettext_noop("{level}, with {names}")).format(level=level, names=names)


def _rights(answers: CompanyPermissions) -> Iterator[Right]:
    for each in asked():
        if each.tab is Tab.COMPANY and answers.company:
            yield Right(None, each, answers.company, _cause(each, None, answers))
        elif each.tab is Tab.PROJECT:
            for project_id, answer in answers.projects.items():
                yield Right(project_id, each, answer, _cause(each, project_id, answers))


def _cause(each: Asked, project_id: int | None, answers: CompanyPermissions) -> Cause | None:
    answer = answers.company if project_id is None else answers.projects[project_id]
    assert answer is not None
    if answer.outcome in OF_OUTCOME:
        return OF_OUTCOME[Outcome(answer.outcome)]
    if not answer.manifest.understood(each.tool):
        return Cause.UNCLEAR
    if key_of(each.tool) not in answer.manifest.tools:
        return Cause.ABSENT
    if each.granted_by(answer.manifest):
        return None
    if answers.by_person:
        return Cause.PERSON
    others = (a for key, a in answers.projects.items() if key != project_id)
    if project_id is not None and any(each.granted_by(other.manifest) for other in others):
        return Cause.MEMBERSHIP
    if answers.update_waits is None:
        return Cause.CEILING
    return Cause.MANIFEST if answers.update_waits else Cause.TEMPLATE
