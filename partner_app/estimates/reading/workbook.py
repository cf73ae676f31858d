"""XLSX and XLS to sheets: values as Excel last computed them, exactly. Pure.

Refused: macros, encryption, archives that unpack to far more than they are.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import openpyxl
import xlrd
from openpyxl.utils.exceptions import InvalidFileException
from xlrd.biffh import XLRDError

from partner_app.estimates.errors import FileUnreadable
from partner_app.estimates.reading.sheets import MOST_CELLS, MOST_ROWS, Cell, Sheet

LARGEST_UNPACKED = 300 * 1024 * 1024  # bytes
LARGEST_RATIO = 200  # unpacked against packed; a spreadsheet reaches about 20
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
PIECE = 1024 * 1024  # bytes read at once
ROW_NUMBER, HIDDEN = re.compile(rb'\br="(\d+)"'), re.compile(rb'\bhidden="(?:1|true)"')


def read_xlsx(name: str, content: bytes) -> list[Sheet]:
    """Raises FileUnreadable."""
    _check_archive(name, content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [
            Sheet(
                sheet.title,
                list(_rows(name, sheet.iter_rows(values_only=True))),
                _hidden_rows(content, sheet._worksheet_path),  # type: ignore[attr-defined]  # of a read-only sheet
            )
            for sheet in book.worksheets
            if sheet.sheet_state == "visible"
        ]
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile, SyntaxError):
        raise FileUnreadable(file=name, reason="it is not a whole workbook") from None
    return sheets


def read_xls(name: str, content: bytes) -> list[Sheet]:
    """Raises FileUnreadable."""
    if ENCRYPTED in content:
        raise FileUnreadable(file=name, reason="it is protected by a password")
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
    except XLRDError as error:
        locked = "encrypted" in str(error)
        reason = "it is protected by a password" if locked else "it is not a whole workbook"
        raise FileUnreadable(file=name, reason=reason) from None
    except Exception:  # noqa: BLE001  # xlrd raises whatever a broken file makes of its parser
        raise FileUnreadable(file=name, reason="it is not a whole workbook") from None
    return [
        Sheet(sheet.name, list(_rows(name, _xls_rows(book, sheet))))
        for sheet in book.sheets()
        if sheet.visibility == 0
    ]


def _hidden_rows(content: bytes, path: str) -> frozenset[int]:
    """Numbers of rows that Excel does not show; the reader of rows leaves that out."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(path) as part:
        found: set[int] = set()
        rest = b""
        while piece := part.read(PIECE):
            *rows, rest = (rest + piece).split(b"<row ")
            found.update(_hidden_in(rows))
        found.update(_hidden_in([rest]))
    return frozenset(found)


def _hidden_in(rows: list[bytes]) -> Iterator[int]:
    for row in rows:
        attributes = row.partition(b">")[0]
        number = ROW_NUMBER.search(attributes)
        if number and HIDDEN.search(attributes):
            yield int(number[1])


def _rows(name: str, rows: Iterator[tuple[Any, ...]]) -> Iterator[list[Cell]]:
    cells = 0
    for number, row in enumerate(rows, 1):
        cells += len(row)
        if number > MOST_ROWS or cells > MOST_CELLS:
            raise FileUnreadable(file=name, reason=f"it has more than {MOST_ROWS} rows")
        yield [_cell(value) for value in row]


def _xls_rows(book: xlrd.Book, sheet: xlrd.sheet.Sheet) -> Iterator[tuple[Any, ...]]:
    for index in range(sheet.nrows):
        yield tuple(_xls_value(book, cell) for cell in sheet.row(index))


def _xls_value(book: xlrd.Book, cell: xlrd.sheet.Cell) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(float(cell.value), book.datemode)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(int(cell.value), "#ERROR!")
    return cell.value if cell.ctype != xlrd.XL_CELL_EMPTY else None


def _cell(value: object) -> Cell:
    """A float's shortest text is the number that was typed; a date stays text, never a number."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        return Decimal(repr(value)) if not isinstance(value, Decimal) else value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _check_archive(name: str, content: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except zipfile.BadZipFile:
        raise FileUnreadable(file=name, reason="it is not a whole workbook") from None
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED or unpacked > LARGEST_RATIO * max(len(content), 1):
        raise FileUnreadable(file=name, reason="it unpacks to far more than it is")
    if any(entry.filename.endswith("vbaProject.bin") for entry in entries):
        raise FileUnreadable(file=name, reason="it holds macros; save it as .xlsx without them")
