"""Exports the table of one figure."""

import csv
import io
from typing import Any

from openpyxl import Workbook

from partner_app.core.spreadsheet import cell, unarmed
from partner_app.insights.charts import Figure


def as_csv(figure: Figure) -> bytes:
    """With a byte order mark that shows Excel the UTF-8; units are in the titles."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_titles(figure))
    writer.writerows([unarmed(value) for value in row] for row in figure.rows)
    if figure.note:
        writer.writerow([figure.note])
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(figure: Figure) -> bytes:
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(figure.slug[:31])
    sheet.append([cell(sheet, title, bold=True) for title in _titles(figure)])
    for row in figure.rows:
        sheet.append([cell(sheet, value) for value in row])
    sheet.append([])
    sheet.append([cell(sheet, figure.help)])
    sheet.append([cell(sheet, figure.source)])
    if figure.note:
        sheet.append([cell(sheet, figure.note)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _titles(figure: Figure) -> list[str]:
    units = {"money": figure.currency, "percent": "%"}
    return [
        f"{column.title} ({units[column.unit]})" if units.get(column.unit) else str(column.title)
        for column in figure.columns
    ]
