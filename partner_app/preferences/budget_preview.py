"""A project's current budget views in Procore, and some rows as they would be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.values import text_of
from integrations.procore.resources.budget_columns import (
    STANDARD,
    BudgetColumn,
    meaning_of,
    renamed,
)
from integrations.procore.resources.budget_rows import VIEWS, currency_of
from integrations.procore.resources.budget_ties import code_in
from integrations.procore.resources.budget_views import ALL_ROWS, View, ViewChoice, choose, views_in
from integrations.procore.resources.lenient import WrongShape, read
from partner_app.insights.contracts import DEFAULT_CURRENCY

ROWS_SHOWN = 3
LABELS = {
    "committed_costs": _("Committed"),
    "direct_costs": _("Direct costs"),
    "pending_cost_changes": _("Pending changes"),
    "job_to_date_costs": _("Spent to date"),
    "revised_budget": _("Revised budget"),
    "approved_cos": _("Approved changes of the prime contract"),
    "pending_budget_changes": _("Pending changes of the budget"),
    "projected_budget": _("Projected budget"),
    "projected_costs": _("Projected costs"),
    "forecast_to_complete": _("Forecast to complete"),
    "estimated_cost_at_completion": _("Estimated cost at completion"),
    "projected_over_under": _("Projected over or under"),
}
assert LABELS.keys() == STANDARD.keys()


@dataclass(frozen=True)
class Meaning:
    """One of our columns, the view's column that it is read from, and the values in the rows."""

    key: str
    label: object
    column_id: str
    samples: tuple["Sample", ...]


@dataclass(frozen=True)
class Sample:
    """An amount of one row; `unreadable` where it is not an amount."""

    row: str
    amount: Decimal | None
    currency: str
    unreadable: bool = False


@dataclass(frozen=True)
class Preview:
    """`columns` are the chosen view's, by id; `rows` name the rows whose values are shown."""

    views: tuple[View, ...]
    view: View
    columns: Mapping[str, str]
    meanings: tuple[Meaning, ...]
    rows: tuple[str, ...]

    def pinned(self) -> list[BudgetColumn]:
        return [
            BudgetColumn(each.key, each.column_id, self.columns[each.column_id])
            for each in self.meanings
            if each.column_id
        ]


def preview(
    client: ProcoreClient,
    project_id: int,
    choice: ViewChoice,
    *,
    view_id: int | None,
    wanted: Mapping[str, str] | None,
) -> Preview | None:
    """Reads some rows with these columns.

    `wanted` are ids of columns by meaning, as a person sets them; None takes what is pinned or has
    a standard name. None where the project has no budget view. Raises ProcoreError.
    """
    views = views_in(client.rows(VIEWS, {"project_id": project_id}))
    view = choose(views, ViewChoice(view_id) if view_id else choice)
    if view is None:
        return None
    columns = _columns(client, project_id, view)
    ids = _chosen(columns, choice.columns_of(view.id), wanted)
    rows = list(
        islice(
            client.rows(f"{VIEWS}/{view.id}/detail_rows", {"project_id": project_id, **ALL_ROWS}),
            ROWS_SHOWN,
        )
    )
    pinned = [BudgetColumn(key, own, columns[own]) for key, own in ids.items() if own]
    found = [renamed(row, pinned) for row in rows] if pinned else rows
    meanings = tuple(
        Meaning(key, label, ids[key], tuple(_sample(row, key) for row in found))
        for key, label in LABELS.items()
    )
    return Preview(tuple(views), view, columns, meanings, tuple(map(_name, rows)))


def _columns(client: ProcoreClient, project_id: int, view: View) -> dict[str, str]:
    """Names by id; a column without an id or a name is left out."""
    path = f"{VIEWS}/{view.id}/budget_detail_columns"
    found = {}
    for column in client.rows(path, {"project_id": project_id}):
        key, name = text_of(column.get("id")), text_of(column.get("name"))
        if key and name:
            found[key] = name
    return found


def _chosen(
    columns: Mapping[str, str], pinned: tuple[BudgetColumn, ...], wanted: Mapping[str, str] | None
) -> dict[str, str]:
    """For each meaning, the id of a column that the view has, or empty."""
    if wanted is not None:
        return {key: wanted.get(key, "") if wanted.get(key) in columns else "" for key in LABELS}
    if pinned:
        by_name = {name: key for key, name in columns.items()}
        ids = {each.meaning: by_name.get(each.name, each.id) for each in pinned}
    else:
        ids = {ours: key for key, name in columns.items() if (ours := meaning_of(name))}
    return {key: ids.get(key, "") if ids.get(key) in columns else "" for key in LABELS}


def _name(row: Mapping[str, Any]) -> str:
    """Code and type, without the code's name."""
    return f"{code_in(text_of(row.get('cost_code')))} · {text_of(row.get('category'))}"


def _sample(row: Mapping[str, Any], key: str) -> Sample:
    currency = currency_of(row) or DEFAULT_CURRENCY
    try:
        found = read(Decimal, Decimal, row.get(key))
    except WrongShape:
        return Sample(_name(row), None, currency, unreadable=True)
    return Sample(_name(row), found if isinstance(found, Decimal) else None, currency)
