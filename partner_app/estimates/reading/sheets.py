"""What every kind of file becomes first: sheets of cells, with nothing decided yet. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

Cell = str | Decimal | None  # text as it stands, a workbook's number exactly, nothing

MOST_ROWS, MOST_CELLS = 200_000, 4_000_000


@dataclass(frozen=True)
class Sheet:
    """`rows` from the first; `hidden` holds the numbers (from 1) of rows that nobody sees."""

    name: str
    rows: Sequence[Sequence[Cell]]
    hidden: frozenset[int] = field(default_factory=frozenset)


def text_of(cell: Cell) -> str:
    """As a person reads it; runs of space are one."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return " ".join(cell.split())
