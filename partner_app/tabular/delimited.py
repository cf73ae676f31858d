"""Reads CSV, TSV and similar files into a sheet: encoding, delimiter, quotes. Pure."""

import csv
import io

from charset_normalizer import from_bytes

from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.sheets import Sheet, WorkLimit

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 60  # rows
FEW_ACCENTS = 0.15  # of all bytes
BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_delimited(name: str, content: bytes, budget: WorkLimit) -> Sheet:
    """Raises FileUnreadable."""
    text = _text(name, content)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        # A quoted line break makes one row of two lines: rows are counted as in a spreadsheet.
        rows = [budget.take(cells) for cells in reader]
    except csv.Error as error:
        reason = f"line {reader.line_num}, {error}"
        raise FileUnreadable(file=name, reason=reason) from None
    return Sheet(name, rows)


def _text(name: str, content: bytes) -> str:
    """A byte order mark, else UTF-8, else a guess from the bytes."""
    encoding = next((e for bom, e in BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = _legacy_text(name, content)
    if "\x00" in text:
        raise FileUnreadable(file=name, reason="it is not a text file")
    return text


def _legacy_text(name: str, content: bytes) -> str:
    """Latin text with a few accents is Windows-1252 in legacy tools; other text is guessed."""
    sample = content[:200_000]
    if sum(byte > 127 for byte in sample) < FEW_ACCENTS * len(sample):
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            pass
    best = from_bytes(sample).best()
    if best is None:
        raise FileUnreadable(file=name, reason="its encoding is not known")
    return content.decode(best.encoding, errors="replace")


def _delimiter(text: str) -> str:
    """The one that splits the first rows evenly into the most columns."""

    def evenness(delimiter: str) -> tuple[int, int]:
        try:
            reader = csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter)
            widths = [len(cells) for cells, _ in zip(reader, range(SAMPLE), strict=False) if cells]
        except csv.Error:
            return 0, 0
        wide = max(widths, default=0)
        common = max(set(widths), key=widths.count, default=0)
        return (widths.count(common) * common if common > 1 else 0), wide

    return max(DELIMITERS, key=evenness)
