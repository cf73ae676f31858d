"""The first form of every file: sheets of cells, not interpreted yet. Pure."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from partner_app.core.confines import Limits
from partner_app.tabular.errors import FileTakesLong, FileUnreadable

Cell = str | Decimal | None  # text unchanged, a workbook's number exactly, or nothing

# Over the whole file, however many sheets it has. Empty cells count as well: a row may reach column
# XFD with nothing in it.
MOST_ROWS, MOST_CELLS, MOST_LOOKED_AT, MOST_SHEETS = 200_000, 4_000_000, 8_000_000, 50
SECONDS = Limits.seconds  # of work on one file

Say = Callable[[str, int, int], None]  # the step, how much is done, of how much


def nobody(step: str, done: int, total: int) -> None:
    """Where nobody wants progress reports."""


class WorkLimit:
    """What reading one file may use. Each check raises FileUnreadable with what was too much."""

    def __init__(self, name: str, *, seconds: int | None = None, say: Say = nobody) -> None:
        """`seconds` of this process's CPU time; a machine that is busy otherwise does not count."""
        self.name, self.say = name, say
        self.seconds = SECONDS if seconds is None else seconds
        self.until = time.process_time() + self.seconds
        self.rows = self.cells = self.looked_at = 0

    def take(self, row: Iterable[Cell]) -> list[Cell]:
        """The row without empty cells at its end."""
        cells = list(row)
        self.looked_at += len(cells)
        while cells and cells[-1] in (None, ""):
            cells.pop()
        self.rows += 1
        self.cells += len(cells)
        if self.rows > MOST_ROWS:
            self.refuse(f"it has more than {MOST_ROWS} rows")
        if self.cells > MOST_CELLS or self.looked_at > MOST_LOOKED_AT:
            self.refuse(f"it has more than {MOST_CELLS} cells")
        self.check_time()
        return cells

    def check_time(self) -> None:
        if time.process_time() > self.until:
            raise FileTakesLong(file=self.name, seconds=self.seconds)

    def refuse(self, reason: str) -> NoReturn:
        raise FileUnreadable(file=self.name, reason=reason)


@dataclass(frozen=True)
class Sheet:
    """`rows` from the first; `hidden` holds the numbers (from 1) of rows that Excel hides."""

    name: str
    rows: Sequence[Sequence[Cell]]
    hidden: frozenset[int] = field(default_factory=frozenset)


def text_of(cell: Cell) -> str:
    """As a person reads it; repeated spaces become one."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    return " ".join(cell.split())
