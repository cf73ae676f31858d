"""Cells for other people's spreadsheets: text stays text, amounts stay exact."""

from decimal import Decimal
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

FORMULA = ("=", "+", "-", "@", "\t", "\r")
CENTS = "#,##0.00"


def unarmed(value: Any) -> Any:
    """Quotes what a spreadsheet would take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    found = WriteOnlyCell(sheet, value=unarmed(value))
    if isinstance(value, Decimal):
        found.number_format = CENTS
    if bold:
        found.font = Font(bold=True)
    return found
