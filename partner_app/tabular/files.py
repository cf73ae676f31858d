"""Any file to sheets: its first bytes show the format, whatever its name says. Pure."""

import re

from partner_app.tabular.delimited import read_delimited
from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.sheets import Sheet, WorkLimit
from partner_app.tabular.workbook import read_xls, read_xlsx

ZIP, COMPOUND, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF"
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")


def read_sheets(name: str, content: bytes, budget: WorkLimit | None = None) -> list[Sheet]:
    """Sheets that are not empty. Raises FileUnreadable."""
    budget = budget or WorkLimit(name)
    if not content.strip():
        raise FileUnreadable(file=name, reason="it is empty")
    if content.startswith(ZIP):
        sheets = read_xlsx(name, content, budget)
    elif content.startswith(COMPOUND):
        sheets = read_xls(name, content, budget)
    elif content.startswith(PDF):
        raise FileUnreadable(file=name, reason="it is a PDF; export the estimate as CSV or XLSX")
    elif content.startswith(PICTURES) and b"\x00" in content[:4096]:
        raise FileUnreadable(file=name, reason="it is a picture; upload a CSV or XLSX file")
    elif re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)", content[:500].lower()):
        raise FileUnreadable(file=name, reason="it is a web page; save it as XLSX or CSV")
    else:
        sheets = [read_delimited(name, content, budget)]
    filled = [sheet for sheet in sheets if any(any(row) for row in sheet.rows)]
    if not filled:
        raise FileUnreadable(file=name, reason="it has no lines")
    return filled
