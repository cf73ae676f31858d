"""XLSX and XLS to sheets: values as Excel last computed them, exactly. Pure.

Refused: macros, encryption, and archives that unpack to far more than their size.
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

from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.sheets import MOST_SHEETS, Cell, Sheet, WorkLimit

LARGEST_UNPACKED = 300 * 1024 * 1024  # bytes
LARGEST_RATIO = 200  # unpacked against packed; a spreadsheet reaches about 20
MOST_PARTS = 2000  # a book of 50 sheets with pictures and notes has some hundred
LARGEST_PART = 150 * 1024 * 1024  # bytes of one part, unpacked
LONGEST_TOKEN = 100_000  # bytes of one tag, comment or the like; a spreadsheet's have hundreds
DEEPEST = 64  # elements within each other
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
LONG_TAG = re.compile(rb"<[^<>]{%d}" % LONGEST_TOKEN)
DEEP = re.compile(rb"(?:<[^/!?<>][^<>]*(?<!/)>[^<]*){%d}" % DEEPEST)
SPANS = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))
SHEET = re.compile(rb"<(?:\w+:)?sheet[\s/>]")
ROW = re.compile(rb"<row ([^<>]*)>")
ROW_NUMBER, HIDDEN = re.compile(rb'\br="(\d+)"'), re.compile(rb'\bhidden="(?:1|true)"')


def read_xlsx(name: str, content: bytes, budget: WorkLimit) -> list[Sheet]:
    """Raises FileUnreadable."""
    _check_archive(name, content)
    try:
        _check_parts(content, budget)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        paths = [sheet._worksheet_path for sheet in shown]  # type: ignore[attr-defined]  # of a read-only sheet
        if len(set(paths)) < len(paths):
            budget.refuse("two of its sheets point to the same part")
        sheets = []
        for number, (sheet, path) in enumerate(zip(shown, paths, strict=True)):
            budget.say("sheets", number, len(shown))
            rows = [budget.take(map(_cell, row)) for row in sheet.iter_rows(values_only=True)]
            sheets.append(Sheet(sheet.title, rows, _hidden_rows(content, path)))
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile, SyntaxError):
        raise FileUnreadable(file=name, reason="the workbook is damaged or incomplete") from None
    return sheets


def read_xls(name: str, content: bytes, budget: WorkLimit) -> list[Sheet]:
    """Raises FileUnreadable."""
    if ENCRYPTED in content:
        raise FileUnreadable(file=name, reason="it is protected by a password")
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True)
    except XLRDError as error:
        locked = "encrypted" in str(error)
        reason = (
            "it is protected by a password" if locked else "the workbook is damaged or incomplete"
        )
        raise FileUnreadable(file=name, reason=reason) from None
    except Exception:  # noqa: BLE001  # xlrd raises whatever a broken file makes of its parser
        raise FileUnreadable(file=name, reason="the workbook is damaged or incomplete") from None
    if book.nsheets > MOST_SHEETS:
        budget.refuse(f"it has more than {MOST_SHEETS} sheets")
    shown = [sheet for sheet in book.sheets() if sheet.visibility == 0]
    sheets = []
    for number, sheet in enumerate(shown):
        budget.say("sheets", number, len(shown))
        rows = [budget.take(map(_cell, row)) for row in _xls_rows(book, sheet)]
        sheets.append(Sheet(sheet.name, rows))
    return sheets


def _hidden_rows(content: bytes, path: str) -> frozenset[int]:
    """Numbers of rows that Excel hides; the row reader does not report them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        rows = ROW.finditer(archive.read(path))
    found = (ROW_NUMBER.search(row[1]) for row in rows if HIDDEN.search(row[1]))
    return frozenset(int(number[1]) for number in found if number)


def _check_parts(content: bytes, budget: WorkLimit) -> None:
    """Refuses what would take an XML parser long, although it is small or has no meaning."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith((".xml", ".rels")):
                continue
            if entry.file_size > LARGEST_PART:
                budget.refuse("a part of it unpacks to more than 150 MB")
            part = archive.read(entry)
            if b"\x00" in part[:4] or part[:2] in (b"\xff\xfe", b"\xfe\xff"):
                budget.refuse("a part of it is not UTF-8; save it as .xlsx again")
            if LONG_TAG.search(part) or _has_long_span(part):
                budget.refuse("a comment or tag within it is far too long; save it as .xlsx again")
            if DEEP.search(part):
                budget.refuse("its parts are nested too deeply; save it as .xlsx again")
            if entry.filename.endswith("workbook.xml") and len(SHEET.findall(part)) > MOST_SHEETS:
                budget.refuse(f"it has more than {MOST_SHEETS} sheets")
            budget.check_time()


def _has_long_span(part: bytes) -> bool:
    for opening, closing in SPANS:
        at = 0
        while (at := part.find(opening, at)) >= 0:
            end = part.find(closing, at + len(opening))
            if end < 0 or end - at > LONGEST_TOKEN:
                return True
            at = end
    return False


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
        raise FileUnreadable(file=name, reason="the workbook is damaged or incomplete") from None
    if len(entries) > MOST_PARTS:
        raise FileUnreadable(file=name, reason=f"it has more than {MOST_PARTS} parts")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > LARGEST_UNPACKED or unpacked > LARGEST_RATIO * max(len(content), 1):
        raise FileUnreadable(file=name, reason="it unpacks to far more than its own size")
    if any(entry.filename == "xl/workbook.bin" for entry in entries):
        raise FileUnreadable(file=name, reason="it is a binary workbook; save it as .xlsx")
    if not any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise FileUnreadable(file=name, reason="it is an archive; upload the file inside it")
    if any(entry.filename.endswith("vbaProject.bin") for entry in entries):
        raise FileUnreadable(file=name, reason="it holds macros; save it as .xlsx without them")
