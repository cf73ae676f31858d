"""Finds the header and the meaning of each column: by name, confirmed by the cells below. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import islice

from partner_app.estimates.errors import LayoutAmbiguous, LayoutUnknown
from partner_app.tabular.numbers import NotANumber, decimal_mark, number
from partner_app.tabular.sheets import Cell, Sheet, text_of


class FileColumn(StrEnum):
    ITEM_CODE = "item_code"
    DESCRIPTION = "description"
    QUANTITY = "quantity"
    UNIT = "unit"
    UNIT_PRICE = "unit_price"
    AMOUNT = "amount"
    COST_TYPE = "cost_type"
    CONTRACT = "contract"
    BIDDER = "bidder"


ALIASES: Mapping[FileColumn, tuple[str, ...]] = {
    FileColumn.ITEM_CODE: (
        "pay item", "item", "cost code", "code", "item no", "item number", "no", "item code",
        "pay item no", "pay item number", "bid item", "line", "line no", "wbs code", "wbs", "ref",
        "n prix", "no prix", "numero de prix", "article", "poste",
    ),
    FileColumn.DESCRIPTION: (
        "description", "item description", "scope", "desc", "work", "work item", "activity",
        "name", "pay item description", "bid item description", "scope of work",
        "designation", "libelle", "designation des ouvrages",
    ),
    FileColumn.QUANTITY: (
        "quantity", "qty", "quan", "est qty", "est quantity", "estimated quantity", "bid quantity",
        "bid qty", "takeoff quantity", "takeoff qty", "qnty", "quantite", "qte",
    ),
    FileColumn.UNIT: (
        "unit", "uom", "u m", "um", "units", "unit of measure", "measure", "unite",
    ),
    FileColumn.UNIT_PRICE: (
        "unit price", "unit cost", "rate", "price", "unit rate", "cost unit", "cost per unit",
        "bid price", "unit bid price", "price per unit", "prix unitaire", "prix unitaire ht", "pu",
        "p u", "pu ht",
    ),
    FileColumn.AMOUNT: (
        "amount", "total", "extension", "ext", "extended", "bid amount", "extended amount",
        "total price", "total cost", "total amount", "extended price", "extended cost", "cost",
        "line total", "item total", "budget", "ext amount", "ext price", "value", "montant",
        "montant ht", "prix total", "total ht",
    ),
    FileColumn.COST_TYPE: ("type", "category", "cost type", "cost category"),
    FileColumn.CONTRACT: (
        "contract", "contract id", "contract no", "contract number", "projectid", "project id",
        "job id", "job no", "job number",
    ),
    FileColumn.BIDDER: ("bidder name", "bidder", "contractor", "contractor name", "vendor name"),
}  # fmt: skip
NAMED: dict[
    str, list[tuple[FileColumn, int]]
] = {}  # each name, the columns and its rank among theirs
for _column, _aliases in ALIASES.items():
    for _rank, _alias in enumerate(_aliases):
        NAMED.setdefault(_alias, []).append((_column, _rank))
MOST_WORDS = max(len(alias.split()) for alias in NAMED)
BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
HEADER_ROWS = 60  # the header is among the first
MOST_HEADERS = 1000  # columns further right do not belong to an estimate
LONGEST_HEADER = 200  # characters
CHECKED = 400  # rows below it that are checked
NUMERIC = (FileColumn.QUANTITY, FileColumn.UNIT_PRICE, FileColumn.AMOUNT)
NAMED_EXACTLY = 2.0  # a score that only a whole name reaches
ENOUGH = 0.6  # share of a column's cells that must be numbers


@dataclass(frozen=True)
class Layout:
    """`header_row` and the rows below it count from 1; `columns` gives each one's place from 0."""

    sheet: str
    header_row: int
    first_row: int
    columns: Mapping[FileColumn, int]
    headers: Sequence[str]
    decimal_mark: str

    def name(self, column: FileColumn) -> str:
        """The name in the file; our own word where it has none."""
        place = self.columns.get(column)
        label = self.headers[place] if place is not None and place < len(self.headers) else ""
        return label or column.value.replace("_", " ")


def find_layout(sheets: Sequence[Sheet], chosen: Mapping[FileColumn, int] | None = None) -> Layout:
    """The best header of all sheets. `chosen` overrides it with a person's choice.

    Raises LayoutUnknown, LayoutAmbiguous.
    """
    found = sorted(
        (candidate for sheet in sheets for candidate in _candidates(sheet, chosen)),
        key=lambda pair: -pair[0],
    )
    if not found:
        raise LayoutUnknown(missing="a header row with an amount, or a quantity and a unit price")
    best, layout = found[0]
    rivals = {other.sheet for score, other in found if score == best} - {layout.sheet}
    if rivals:
        names = sorted({layout.sheet, *rivals})
        raise LayoutAmbiguous(f"the sheets {', '.join(names)}", sheets=names)
    return layout


def parts_of(sheet: Sheet, layout: Layout) -> list[tuple[str, ...]]:
    """Several contracts or bidders in one sheet, in order; empty when there is only one.

    A column counts when it repeats over many rows.
    """
    places = [
        layout.columns[c] for c in (FileColumn.CONTRACT, FileColumn.BIDDER) if c in layout.columns
    ]
    if not places:
        return []
    rows = [row for row in sheet.rows[layout.first_row - 1 :] if any(row)]
    found = list(dict.fromkeys(part_of(row, layout) for row in rows))
    found = [part for part in found if any(part)]
    return found if 1 < len(found) < max(2, len(rows) / 2) else []


def part_of(row: Sequence[Cell], layout: Layout) -> tuple[str, ...]:
    places = [layout.columns.get(c) for c in (FileColumn.CONTRACT, FileColumn.BIDDER)]
    return tuple(
        text_of(row[place]) if place is not None and place < len(row) else "" for place in places
    )


def header_of(cell: Cell) -> str:
    return text_of(cell)[:LONGEST_HEADER]


def _candidates(
    sheet: Sheet, chosen: Mapping[FileColumn, int] | None
) -> Iterable[tuple[float, Layout]]:
    for index, row in enumerate(islice(sheet.rows, HEADER_ROWS)):
        names = [header_of(cell) for cell in row[:MOST_HEADERS]]
        below = sheet.rows[index + 1] if index + 1 < len(sheet.rows) else []
        # A header over two rows: "Unit" above "Price".
        joined = [
            f"{name} {header_of(below[place]) if place < len(below) else ''}".strip()
            for place, name in enumerate(names)
        ]
        for height, headers in ((1, names), (2, joined)):
            candidate = _candidate(sheet, index + height, headers, chosen, index + 1)
            if candidate:
                # Of equal ones, a header of one row has priority, then the higher one.
                yield candidate[0] - height / 10 - index / 1000, candidate[1]


def _candidate(
    sheet: Sheet,
    first: int,
    headers: Sequence[str],
    chosen: Mapping[FileColumn, int] | None,
    header_row: int,
) -> tuple[float, Layout] | None:
    named = _named(headers)
    if len(named) < 2:
        return None
    body = sheet.rows[first : first + CHECKED]
    columns: dict[FileColumn, int] = {}
    score = 0.0
    for column in FileColumn:
        every = [(s, p) for (c, p), s in named.items() if c is column]
        fitting = [(s, p) for s, p in every if _fits(column, body, p)]
        if not fitting:
            # With an exact name, its cells are wrong rather than its name: each is reported at its
            # place.
            fitting = [(s, p) for s, p in every if s > NAMED_EXACTLY and column in NUMERIC][:1]
        if not fitting:
            continue
        best = max(s for s, _ in fitting)
        places = [p for s, p in fitting if s == best]
        if len(places) > 1 and column in NUMERIC and not (chosen and column in chosen):
            wrong = ", ".join(f"“{headers[place]}” in column {place + 1}" for place in places)
            rivals = [{"place": place, "name": headers[place]} for place in places]
            raise LayoutAmbiguous(wrong, column=column.value, places=rivals)
        columns[column] = places[0]
        score += best
    columns |= chosen or {}
    priced = {FileColumn.QUANTITY, FileColumn.UNIT_PRICE} <= columns.keys()
    if FileColumn.AMOUNT not in columns and not priced:
        return None
    if not {FileColumn.ITEM_CODE, FileColumn.DESCRIPTION} & columns.keys():
        return None
    texts = (
        text_of(row[place])
        for column in NUMERIC
        if (place := columns.get(column)) is not None
        for row in body
        if place < len(row) and isinstance(row[place], str)
    )
    mark = decimal_mark(texts) or "."
    return score, Layout(sheet.name, header_row, first + 1, columns, headers, mark)


def _named(headers: Sequence[str]) -> dict[tuple[FileColumn, int], float]:
    """How well each header fits each column: the whole name, or a word of it."""
    found: dict[tuple[FileColumn, int], float] = {}
    for place, header in enumerate(headers):
        # Accents are ignored: "Désignation" equals "designation", also in a file that lost them.
        plain = unicodedata.normalize("NFKD", header.lower())
        plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
        words = re.sub(r"[^a-z0-9]+", " ", BRACKETED.sub(" ", plain)).split()
        phrases = {
            " ".join(words[start : start + length])
            for length in range(1, MOST_WORDS + 1)
            for start in range(len(words) - length + 1)
        }
        for phrase in phrases:
            for column, _ in NAMED.get(phrase, ()):
                if len(phrase) > 3:
                    found[column, place] = 0.5
        for column, rank in NAMED.get(" ".join(words), ()):
            found[column, place] = max(found.get((column, place), 0.0), 3.0 - rank / 100)
    return found


def _fits(column: FileColumn, body: Sequence[Sequence[Cell]], place: int) -> bool:
    cells = [row[place] for row in body if place < len(row) and text_of(row[place])]
    if not cells:
        return column not in NUMERIC
    numbers = sum(_numeric(cell) for cell in cells) / len(cells)
    if column in NUMERIC:
        return numbers >= ENOUGH
    if column is FileColumn.DESCRIPTION:
        return numbers < 0.5
    return True


def _numeric(cell: Cell) -> bool:
    if isinstance(cell, Decimal):
        return True
    for mark in (".", ","):
        try:
            number(text_of(cell), mark)
        except NotANumber:
            continue
        return True
    return False
