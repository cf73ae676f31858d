"""The columns of a budget view: standard ones by their names, others as a company has pinned them.

A row has two columns under fixed keys; every other one has the name that its view gives it. A
standard name is recognised in other case, spelling and number; a name of the tenant's own says
nothing about what is in it, so it counts only where an administrator has said so. Pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

# Our column: the names that Procore's standard views give it.
STANDARD: dict[str, tuple[str, ...]] = {
    "approved_cos": ("Approved COs", "Approved Change Orders"),
    "revised_budget": ("Revised Budget",),
    "pending_budget_changes": ("Pending Budget Changes",),
    "projected_budget": ("Projected Budget",),
    "committed_costs": ("Committed Costs",),
    "direct_costs": ("Direct Costs",),
    "job_to_date_costs": ("Job to Date Costs", "JTD Costs"),
    "pending_cost_changes": ("Pending Cost Changes",),
    "projected_costs": ("Projected Costs",),
    "forecast_to_complete": ("Forecast To Complete",),
    "estimated_cost_at_completion": ("Estimated Cost at Completion",),
    "projected_over_under": ("Projected over Under",),
}
_WORD = re.compile(r"[a-z0-9]+")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True)
class BudgetColumn:
    """A column of a view that a company has pinned as one of ours."""

    meaning: str
    id: str
    name: str


def plain(name: str) -> str:
    """Equal for names that differ in case, signs, spaces or singular and plural."""
    words = _WORD.findall(name.lower())
    return "".join(word.removesuffix("s") if len(word) > 2 else word for word in words)


_MEANINGS = {plain(name): ours for ours, names in STANDARD.items() for name in names}


def meaning_of(name: str) -> str:
    """Which of our columns a standard name is; empty for a name of the tenant's own."""
    return _MEANINGS.get(plain(name), "")


def renamed(row: Mapping[str, Any], pinned: Iterable[BudgetColumn] = ()) -> dict[str, Any]:
    """The row with its amounts under our names beside all that it has.

    Where columns are pinned, these alone count: a view that was pinned may use a standard name for
    something else.
    """
    more = row.get("additional_properties")
    every = {**(more if isinstance(more, dict) else {}), **row}
    chosen = list(pinned)
    if not chosen:
        found = {ours: value for name, value in every.items() if (ours := meaning_of(name))}
        return {**row, **found}
    by_name = {plain(name): value for name, value in every.items()}
    found = dict.fromkeys(STANDARD)
    for column in chosen:
        found[column.meaning] = by_name.get(plain(column.name), every.get(column.id))
    return {**row, **found}


def renaming(
    decode: Callable[[bytes], Any], pinned: tuple[BudgetColumn, ...]
) -> Callable[[bytes], Any]:
    """A decoder of pages of budget rows. What is no list of records, `decode` has to judge."""

    def decoded(body: bytes) -> Any:
        try:
            document = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode(body)
        return decode(_encode(_through(document, pinned)))

    return decoded


def _through(document: Any, pinned: tuple[BudgetColumn, ...]) -> Any:
    """The rows of a bare list, or of the list in an envelope."""
    if isinstance(document, list):
        return [renamed(row, pinned) if isinstance(row, dict) else row for row in document]
    if isinstance(document, dict):
        return {
            key: _through(inner, pinned) if isinstance(inner, list) else inner
            for key, inner in document.items()
        }
    return document
