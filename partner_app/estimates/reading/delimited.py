"""An estimate in CSV to lines and located problems. Pure: text in, records out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from partner_app.estimates.errors import FileUnreadable, LayoutUnknown
from partner_app.estimates.reading.numbers import NotANumber, number

COLUMNS = ("Pay Item", "Description", "Quantity", "Unit", "Unit Price", "Extension")
TOLERANCE = Decimal("0.005")  # half a cent between quantity × price and amount [product.md, 4]


@dataclass(frozen=True)
class Problem:
    """`row` counts from 1 with the header, as a spreadsheet shows it."""

    row: int
    column: str
    message: str


@dataclass(frozen=True)
class Line:
    row: int
    item_code: str
    description: str
    quantity: Decimal | None
    unit: str
    unit_price: Decimal | None
    amount: Decimal


@dataclass
class Reading:
    lines: list[Line] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


def read_estimate(name: str, content: bytes) -> Reading:
    """Raises FileUnreadable, LayoutUnknown; bad cells become problems and spare the other rows."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(file=name, reason=f"byte {error.start} is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    reading = Reading()
    try:
        header = [cell.strip() for cell in next(reader, [])]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            raise LayoutUnknown(missing=", ".join(missing))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _row(reading, reader.line_num, dict(zip(header, cells, strict=False)))
    except csv.Error as error:
        reason = f"row {reader.line_num}, {error}"
        raise FileUnreadable(file=name, reason=reason) from None
    if not reading.lines and not reading.errors:
        raise FileUnreadable(file=name, reason="it has no lines")
    return reading


def _row(reading: Reading, row: int, cells: dict[str, str]) -> None:
    numbers: dict[str, Decimal | None] = {}
    bad = False
    for column in ("Quantity", "Unit Price", "Extension"):
        try:
            numbers[column] = number(cells.get(column, ""))
        except NotANumber:
            bad = True
            message = f"“{cells[column].strip()}” is not a number. Correct it in the file."
            reading.errors.append(Problem(row, column, message))
    if bad:
        return
    quantity, price, amount = numbers["Quantity"], numbers["Unit Price"], numbers["Extension"]
    if amount is None and quantity is not None and price is not None:
        amount = quantity * price
    if amount is None:
        message = "There is no amount, and none follows from quantity and unit price."
        reading.errors.append(Problem(row, "Extension", message))
        return
    reading.warnings.extend(_disagreement(row, quantity, price, amount))
    code = cells.get("Pay Item", "").strip()
    text = cells.get("Description", "").strip()
    unit = cells.get("Unit", "").strip()
    reading.lines.append(Line(row, code, text, quantity, unit, price, amount))


def _disagreement(
    row: int, quantity: Decimal | None, price: Decimal | None, amount: Decimal
) -> Iterator[Problem]:
    """The amount rules; over half a cent apart, both values are shown."""
    if quantity is None or price is None or abs(quantity * price - amount) <= TOLERANCE:
        return
    message = (
        f"Quantity × unit price is {quantity * price}, the amount is {amount}; the amount is used."
    )
    yield Problem(row, "Extension", message)
