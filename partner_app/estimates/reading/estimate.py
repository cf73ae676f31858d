"""A file to one estimate: its sheet, its columns, and one of its contracts where it has several.

Pure: bytes in, lines and problems out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from partner_app.estimates.errors import ChoosePart
from partner_app.estimates.reading.layout import FileColumn, Layout, find_layout, parts_of
from partner_app.estimates.reading.lines import Mending, Reading, read_lines
from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.files import read_sheets
from partner_app.tabular.sheets import Sheet, WorkLimit


@dataclass(frozen=True)
class Answers:
    """A person's answers so far about how to read the file.

    `part` names a contract or bidder, or both as ChoosePart shows them; `sheet` and `columns`
    override our own choice.
    """

    part: str = ""
    sheet: str = ""
    columns: Mapping[FileColumn, int] = field(default_factory=dict)
    mending: Mending = field(default_factory=Mending)


def read_estimate(
    name: str, content: bytes, *, answers: Answers | None = None, budget: WorkLimit | None = None
) -> Reading:
    """Bad cells become problems of the Reading and do not affect other rows.

    Raises FileUnreadable, LayoutUnknown, LayoutAmbiguous, ChoosePart.
    """
    answers, budget = answers or Answers(), budget or WorkLimit(name)
    sheets = read_sheets(name, content, budget)
    wanted = [sheet for sheet in sheets if not answers.sheet or sheet.name == answers.sheet]
    layout = find_layout(wanted, answers.columns)
    found = next(sheet for sheet in sheets if sheet.name == layout.sheet)
    part = _chosen(found, layout, answers.part, budget)
    reading = read_lines(found, layout, part, answers.mending, budget)
    if not reading.lines and not reading.errors:
        raise FileUnreadable(file=name, reason="it has no lines")
    return reading


def part_name(part: tuple[str, ...]) -> str:
    return ", ".join(filter(None, part))


def _chosen(sheet: Sheet, layout: Layout, wanted: str, budget: WorkLimit) -> tuple[str, ...] | None:
    """None where there is nothing to choose."""
    parts = parts_of(sheet, layout)
    if not parts:
        return None
    fitting = [part for part in parts if wanted and (wanted in part or wanted == part_name(part))]
    if len(fitting) == 1:
        return fitting[0]
    readings = {part: read_lines(sheet, layout, part, None, budget) for part in fitting or parts}
    raise ChoosePart(
        [
            {"name": part_name(part), "lines": len(reading.lines), "total": reading.total}
            for part, reading in readings.items()
        ]
    )
