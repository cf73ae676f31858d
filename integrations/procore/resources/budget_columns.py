"""The columns of a budget view: standard ones by name, others as a company has pinned them.

A row has two columns under fixed keys; every other key is the name that the view gives the column.
A standard name is recognised in other case, spelling and number. A company's own name says nothing
about the content, so it counts only where an administrator has assigned it. Pure.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

# Our column: its names in Procore's standard views.
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
    """Makes names equal that differ in case, punctuation, spaces or singular and plural."""
    words = _WORD.findall(name.lower())
    return "".join(word.removesuffix("s") if len(word) > 2 else word for word in words)


_MEANINGS = {plain(name): ours for ours, names in STANDARD.items() for name in names}


def meaning_of(name: str) -> str:
    """Our column for a standard name; empty for a company's own name."""
    return _MEANINGS.get(plain(name), "")


def renamed(row: Mapping[str, Any], pinned: Iterable[BudgetColumn] = ()) -> dict[str, Any]:
    """The row with its amounts under our names, beside everything it already has.

    Where columns are pinned, only these count: a pinned view may use a standard name for something
    else.
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
    """A decoder for pages of budget rows. `decode` judges whatever is not a list of records."""

    def decoded(body: bytes) -> Any:
        try:
            document = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode(body)
        return decode(_encode(_through(document, pinned)))

    return decoded


def _through(document: Any, pinned: tuple[BudgetColumn, ...]) -> Any:
    """Applies to the rows of a bare list, or of the list in an envelope."""
    if isinstance(document, list):
        return [renamed(row, pinned) if isinstance(row, dict) else row for row in document]
    if isinstance(document, dict):
        return {
            key: _through(inner, pinned) if isinstance(inner, list) else inner
            for key, inner in document.items()
        }
    return document
