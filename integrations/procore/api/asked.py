"""The permissions that the app needs, as the two tabs of the Permission Builder show them. Pure.

Derived from the list of operations, so it cannot request more than the app calls.
"""

from dataclasses import dataclass
from enum import StrEnum

from integrations.procore.api.manifest import EDIT_ORIGINAL_BUDGET, Level, Manifest
from integrations.procore.api.operations import Access, Operation, permissions


class Tab(StrEnum):
    COMPANY = "Company"
    PROJECT = "Project"


# Tools of the company tab; every other one is on the project tab.
COMPANY_TOOLS = frozenset({"Admin", "Directory", "Portfolio"})
BOTH_TABS = frozenset({"Webhooks API"})  # https://developers.procore.com/documentation/webhooks-api


@dataclass(frozen=True)
class Granular:
    """A permission within a tool. `names`: the spellings of Procore's pages and API."""

    label: str
    names: tuple[str, ...]

    def given_by(self, manifest: Manifest, tool: str) -> bool:
        return manifest.allows(tool, *self.names)


EDIT_BUDGET = Granular("Create and Edit Original Budget Amount", EDIT_ORIGINAL_BUDGET)
DELETE_LINES = Granular(
    "Delete Budget Line Items", ("Delete Budget Line Items", "Delete Budget Line Item")
)
GRANULAR = {
    "create_and_edit_original_budget_amount": EDIT_BUDGET,
    "delete_budget_line_items": DELETE_LINES,
}


@dataclass(frozen=True)
class Asked:
    """One line of the Permission Builder, and the operations that need it.

    Admin on the tool includes every granular permission and is enough without them.
    """

    tab: Tab
    tool: str
    level: Level
    granular: tuple[Granular, ...]
    because: tuple[Operation, ...]

    def missing(self, manifest: Manifest) -> tuple[bool, tuple[Granular, ...]]:
        """Whether the level is too low, and which granular permissions are missing."""
        level = manifest.level(self.tool)
        if level is Level.ADMIN:
            return False, ()
        lacking = tuple(g for g in self.granular if not g.given_by(manifest, self.tool))
        return level < self.level, lacking

    def granted_by(self, manifest: Manifest) -> bool:
        return self.missing(manifest) == (False, ())


def asked() -> list[Asked]:
    """Sorted by name, the company tab first."""
    found = []
    for tool, needed in permissions().items():
        level = max(Level[Access(each.access).name] for each in needed)
        names = dict.fromkeys(each.granular for each in needed if each.granular)
        granular = tuple(GRANULAR.get(name) or _unnamed(name) for name in names)
        found += [Asked(tab, tool, level, granular, tuple(needed)) for tab in tabs_of(tool)]
    return sorted(found, key=lambda each: (each.tab, each.tool.casefold()))


def _unnamed(name: str) -> Granular:
    """Procore's label of most permissions is its name in words."""
    return Granular(name.replace("_", " ").title(), (name,))


def tabs_of(tool: str) -> tuple[Tab, ...]:
    if tool in BOTH_TABS:
        return Tab.COMPANY, Tab.PROJECT
    return (Tab.COMPANY,) if tool in COMPANY_TOOLS else (Tab.PROJECT,)
