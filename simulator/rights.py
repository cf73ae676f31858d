"""What the app's service account may do: two upper limits, and memberships that keep an older one.

The installed version of the app asks for levels (its manifest). At the install Procore creates a
directory user with a permission template of these levels. An update of the app changes the
manifest, not the template; a change of the template does not reach projects to which the user was
already added. The lower level applies, tool by tool.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

LEVELS = ("none", "read_only", "standard", "admin")
EDIT_BUDGET = "create_and_edit_original_budget_amount"
DELETE_BUDGET_LINES = "delete_budget_line_items"
GRANULAR = {
    EDIT_BUDGET: "Create and Edit Original Budget Amount",
    DELETE_BUDGET_LINES: "Delete Budget Line Items",
}
COMPANY_LEVELS = {
    "admin": "read_only",
    "directory": "read_only",
    "portfolio": "read_only",
    "webhooks_api": "standard",
}
PROJECT_LEVELS = {
    "rfis": "read_only",
    "submittals": "read_only",
    "change_events": "read_only",
    "commitments": "read_only",
    "budget": "read_only",
    "direct_costs": "read_only",
    "observations": "read_only",
    "punch_list": "read_only",
    "webhooks_api": "standard",
}


@dataclass(frozen=True)
class Grants:
    """Levels by tool of the company and of the project, and granular permissions."""

    company: dict[str, str] = field(default_factory=lambda: dict(COMPANY_LEVELS))
    project: dict[str, str] = field(default_factory=lambda: dict(PROJECT_LEVELS))
    granular: frozenset[str] = frozenset(GRANULAR)

    def below(self, other: "Grants") -> "Grants":
        """The lower level of both, tool by tool, and the granular permissions that both have."""
        return Grants(
            _lower(self.company, other.company),
            _lower(self.project, other.project),
            self.granular & other.granular,
        )

    def changed(self, body: dict[str, Any]) -> "Grants":
        """A copy with the levels from a body of the control API. Raises ValueError."""
        for levels in (body.get("company", {}), body.get("project", {})):
            if unknown := {*levels.values()} - {*LEVELS}:
                raise ValueError(f"a level is one of {', '.join(LEVELS)}, not {unknown.pop()}")
        return replace(
            self,
            company={**self.company, **body.get("company", {})},
            project={**self.project, **body.get("project", {})},
            granular=frozenset(body.get("granular", self.granular)),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "company": self.company,
            "project": self.project,
            "granular": sorted(self.granular),
        }


@dataclass
class ServiceAccount:
    """The directory user of the app at one company."""

    manifest: Grants = field(default_factory=Grants)
    template: Grants = field(default_factory=Grants)
    memberships: dict[int, Grants] = field(default_factory=dict)
    answers: bool = True  # whether it may read its own permissions

    def join(self, project_ids: Iterable[int]) -> None:
        """Joins the permitted projects; where it is already a member it keeps the older rights."""
        self.memberships = {
            project_id: self.memberships.get(project_id, self.template)
            for project_id in project_ids
        }

    def on(self, project_id: int | None) -> Grants:
        """The rights on a project, or on the company (None)."""
        if project_id is None:
            return self.manifest.below(self.template)
        return self.manifest.below(self.memberships.get(project_id, self.template))

    def as_json(self) -> dict[str, Any]:
        return {
            "manifest": self.manifest.as_json(),
            "template": self.template.as_json(),
            "memberships": {str(key): each.as_json() for key, each in self.memberships.items()},
            "answers": self.answers,
        }


def reaches(level: str, wanted: str) -> bool:
    return LEVELS.index(level) >= LEVELS.index(wanted)


def _lower(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    return {
        tool: min(level, other.get(tool, "none"), key=LEVELS.index) for tool, level in one.items()
    }
