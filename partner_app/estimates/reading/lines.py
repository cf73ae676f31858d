"""Rows below the header to lines of the estimate and located problems. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from partner_app.core.i18n import gettext_noop
from partner_app.estimates.reading.layout import FileColumn, Layout, header_of, part_of
from partner_app.tabular.numbers import NotANumber, number
from partner_app.tabular.sheets import Cell, Sheet, WorkLimit, text_of

TOLERANCE = Decimal("0.005")  # half a cent between quantity × price and amount
LARGEST = Decimal(10) ** 14  # a larger amount does not belong to an estimate
PLACES = 6  # decimals that are kept
LONGEST = {
    FileColumn.ITEM_CODE: 200,
    FileColumn.DESCRIPTION: 5000,
    FileColumn.UNIT: 100,
    FileColumn.COST_TYPE: 200,
}
A_STRETCH = 500  # rows between two progress reports
MOST_PROBLEMS = 5000  # a file with more is another kind of file
SHOWN = 200  # characters of a cell that a problem quotes
MARKS = {"€": "EUR", "£": "GBP", "¥": "JPY"}  # a $ alone may be one of many
NAMED_CURRENCY = re.compile(r"\b(USD|CAD|EUR|GBP|AUD)\b")
TOTAL = re.compile(r"\b(sub-?\s?total|sous-total|grand total|total)\b", re.IGNORECASE)
OPTION = re.compile(r"\b(alternate|alt\.?\s?#?\d|allowance|deduct|option(al)?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """`row` counts from 1 as a spreadsheet shows it; `column` has its name in the file.

    `raw` is the cell's text, `field` our own name of the column.
    """

    row: int
    column: str
    message: str
    raw: str = ""
    field: str = ""


@dataclass(frozen=True)
class Mending:
    """A person's decisions about single rows: other text for cells, and rows to leave out."""

    cells: Mapping[int, Mapping[FileColumn, str]] = field(default_factory=dict)
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Line:
    row: int
    item_code: str
    description: str
    quantity: Decimal | None
    unit: str
    unit_price: Decimal | None
    amount: Decimal
    cost_type: str = ""


@dataclass
class Reading:
    layout: Layout
    lines: list[Line] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)  # named by the amounts

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


def read_lines(
    sheet: Sheet,
    layout: Layout,
    part: tuple[str, ...] | None = None,
    mending: Mending | None = None,
    budget: WorkLimit | None = None,
) -> Reading:
    """Bad cells become problems and spare other rows. `part` picks one of several contracts.

    Raises FileUnreadable where there are too many problems, or no time is left.
    """
    mending, budget = mending or Mending(), budget or WorkLimit(sheet.name)
    reading = Reading(layout)
    since_subtotal = total = Decimal(0)
    for index in range(layout.first_row - 1, len(sheet.rows)):
        row = sheet.rows[index]
        budget.check_time()
        if not index % A_STRETCH:
            budget.say("rows", index, len(sheet.rows))
        if max(len(reading.errors), len(reading.warnings)) > MOST_PROBLEMS:
            budget.refuse(f"more than {MOST_PROBLEMS} of its cells need checking")
        if not any(text_of(cell) for cell in row):
            continue
        if part is not None and part_of(row, layout) != part:
            continue
        line = _Row(layout, row, index + 1, mending.cells.get(index + 1, {}))
        if line.repeats_header or line.number in mending.left_out:
            continue
        if line.is_total:
            reading.warnings.extend(line.check_total(since_subtotal, total))
            since_subtotal = Decimal(0)
        elif not line.is_title:
            found = line.read(reading)
            if found and line.number in sheet.hidden:
                message = gettext_noop(
                    "This row is hidden in the file but counted. Check that it should be."
                )
                reading.warnings.append(line.problem(FileColumn.DESCRIPTION, message))
            amount = found.amount if found else Decimal(0)
            since_subtotal, total = since_subtotal + amount, total + amount
    return reading


class _Row:
    def __init__(
        self, layout: Layout, cells: Sequence[Cell], number_: int, mended: Mapping[FileColumn, str]
    ) -> None:
        self.layout, self.cells, self.number, self.mended = layout, cells, number_, mended

    def cell(self, column: FileColumn) -> Cell:
        if column in self.mended:
            return self.mended[column]
        place = self.layout.columns.get(column)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def text(self, column: FileColumn) -> str:
        return text_of(self.cell(column))

    @property
    def repeats_header(self) -> bool:
        """The header printed again at the top of a page."""
        return [header_of(cell) for cell in self.cells] == list(self.layout.headers)

    @property
    def is_title(self) -> bool:
        """Words without a figure or unit: a section begins."""
        figures = (FileColumn.QUANTITY, FileColumn.UNIT, FileColumn.UNIT_PRICE, FileColumn.AMOUNT)
        return not any(self.text(column) for column in figures)

    @property
    def is_total(self) -> bool:
        words = " ".join(text_of(cell) for cell in self.cells if isinstance(cell, str))
        priced = self.text(FileColumn.QUANTITY) and self.text(FileColumn.UNIT_PRICE)
        code = self.text(FileColumn.ITEM_CODE)
        coded = bool(code) and not TOTAL.search(code)
        return bool(TOTAL.search(words)) and not priced and not coded

    def check_total(self, section: Decimal, whole: Decimal) -> Iterator[Problem]:
        """Used as a check, never imported."""
        try:
            given = self._number(FileColumn.AMOUNT)
        except NotANumber:
            return
        if given is None or any(abs(given - sum_) <= TOLERANCE for sum_ in (section, whole)):
            return
        nearest = min((section, whole), key=lambda sum_: abs(given - sum_))
        message = (
            f"This row shows {given:,.2f}, but the lines above add up to {nearest:,.2f}: "
            f"a difference of {given - nearest:,.2f}."
        )
        yield self.problem(FileColumn.AMOUNT, message)

    def problem(self, column: FileColumn, message: str) -> Problem:
        raw = self.text(column)[:SHOWN]
        return Problem(self.number, self.layout.name(column), message, raw, column.value)

    def read(self, reading: Reading) -> Line | None:
        numbers: dict[FileColumn, Decimal | None] = {}
        before = len(reading.errors)
        for column in (FileColumn.QUANTITY, FileColumn.UNIT_PRICE, FileColumn.AMOUNT):
            try:
                numbers[column] = self._number(column)
            except NotANumber:
                message = f"“{self.text(column)[:SHOWN]}” is not a number. Correct it in the file."
                reading.errors.append(self.problem(column, message))
                continue
            reading.errors.extend(self._check_size(column, numbers[column]))
        reading.errors.extend(self._check_lengths())
        if len(reading.errors) > before:
            return None
        quantity, price = numbers[FileColumn.QUANTITY], numbers[FileColumn.UNIT_PRICE]
        amount = numbers[FileColumn.AMOUNT]
        if amount is None and price is not None:
            amount = price * (1 if quantity is None else quantity)
        if amount is None:
            message = gettext_noop(
                "There is no amount, and it cannot be computed from quantity and unit price. "
                "If a formula gives it, save the file again in the program that made it."
            )
            reading.errors.append(self.problem(FileColumn.AMOUNT, message))
            return None
        if price is None and quantity:
            price = self._price(amount, quantity)
        reading.warnings.extend(self._doubts(quantity, price, amount))
        reading.currencies.update(self._currencies())
        line = Line(
            self.number,
            self.text(FileColumn.ITEM_CODE),
            self.text(FileColumn.DESCRIPTION),
            quantity,
            self.text(FileColumn.UNIT),
            price,
            amount,
            self.text(FileColumn.COST_TYPE),
        )
        reading.lines.append(line)
        return line

    def _number(self, column: FileColumn) -> Decimal | None:
        """Raises NotANumber."""
        cell = self.cell(column)
        return (
            cell if isinstance(cell, Decimal) else number(text_of(cell), self.layout.decimal_mark)
        )

    def _check_size(self, column: FileColumn, value: Decimal | None) -> Iterator[Problem]:
        if value is None:
            return
        exponent = value.normalize().as_tuple().exponent
        if abs(value) >= LARGEST:
            yield self.problem(column, f"{value} is too large.")
        elif isinstance(exponent, int) and exponent < -PLACES:
            message = f"{value} has more than {PLACES} decimals. Round it in the file."
            yield self.problem(column, message)

    def _check_lengths(self) -> Iterator[Problem]:
        for column, longest in LONGEST.items():
            if len(self.text(column)) > longest:
                message = f"It has more than {longest} characters. Shorten it in the file."
                yield self.problem(column, message)

    def _currencies(self) -> Iterator[str]:
        for column in (FileColumn.UNIT_PRICE, FileColumn.AMOUNT):
            cell = self.cell(column)
            if isinstance(cell, str):
                yield from (MARKS[mark] for mark in cell if mark in MARKS)
                yield from NAMED_CURRENCY.findall(cell)

    def _price(self, amount: Decimal, quantity: Decimal) -> Decimal | None:
        """Only where it is exact: a rounded price would not give the same amount."""
        price = (amount / quantity).quantize(Decimal(10) ** -PLACES)
        return price if price * quantity == amount else None

    def _doubts(
        self, quantity: Decimal | None, price: Decimal | None, amount: Decimal
    ) -> Iterator[Problem]:
        """The amount rules; where they differ by more than half a cent, both values are shown."""
        if quantity is not None and price is not None:
            product = quantity * price
            if abs(product - amount) > TOLERANCE:
                message = f"Quantity × unit price is {product}, the amount is {amount}"
                yield self.problem(FileColumn.AMOUNT, f"{message}; the amount is used.")
        if amount and OPTION.search(self.text(FileColumn.DESCRIPTION)):
            message = gettext_noop(
                "This may be an alternate or an allowance, and it is counted. Check that it should "
                "be."
            )
            yield self.problem(FileColumn.DESCRIPTION, message)
