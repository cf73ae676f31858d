"""Chooses which of a project's budget views is read: the pinned one, else by role. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.procore.api.values import record_id, text_of
from integrations.procore.resources.budget_columns import BudgetColumn, plain

ALL_ROWS = {"budget_row_type": "all"}  # the default when it is left out is not documented
STANDARD_ROLE = "budgeting"
STANDARD_NAME = "Procore Standard Budget"


@dataclass(frozen=True)
class View:
    id: int
    name: str = ""
    role: str = ""

    @property
    def standard(self) -> bool:
        return plain(self.role) == plain(STANDARD_ROLE)


@dataclass(frozen=True)
class ViewChoice:
    """What a company has pinned; without a view, each project's standard view is read."""

    view_id: int | None = None
    name: str = ""
    columns: tuple[BudgetColumn, ...] = ()

    def columns_of(self, view_id: int | None) -> tuple[BudgetColumn, ...]:
        """In any view but the pinned one, columns have their standard names."""
        return self.columns if view_id is not None and view_id == self.view_id else ()


NO_CHOICE = ViewChoice()


def views_in(rows: Iterable[Mapping[str, Any]]) -> list[View]:
    found = ((record_id(row.get("id")), row) for row in rows)
    return [
        View(key, text_of(row.get("name")), text_of(row.get("role"))) for key, row in found if key
    ]


def choose(views: list[View], choice: ViewChoice) -> View | None:
    """The pinned one, the standard one by role, the one with its name, the first."""
    tests = (
        lambda view: view.id == choice.view_id,
        lambda view: view.standard,
        lambda view: plain(view.name) == plain(STANDARD_NAME),
    )
    for test in tests:
        for view in views:
            if test(view):
                return view
    return views[0] if views else None


def is_fallback(view: View | None, choice: ViewChoice) -> bool:
    """Whether another view is read than was wanted, so that a later sync may find the right one."""
    if view is None or choice.view_id is not None:
        return view is not None and view.id != choice.view_id
    return not view.standard
