"""Files made to keep a process busy: for tests and for benchmarks.hostile."""

import io
import re
import zipfile
from collections.abc import Callable

import openpyxl

COMMAS = b"," * (24 * 1024**2)  # one row of 25 million cells
SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"


def workbook(rows: list[list[object]] | None = None, titles: int = 1) -> bytes:
    book = openpyxl.Workbook()
    for number in range(titles):
        sheet = book.active if not number else book.create_sheet(f"S{number}")
        for row in rows or [["Item", "Description", "Unit", "Amount"], ["1", "A", "m", 10]]:
            sheet.append(row)  # type: ignore[union-attr]  # a new book has a sheet
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts rewritten."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            read = source.read(name)
            target.writestr(name, change(read) if name == part else read)
    return file.getvalue()


def padded(content: bytes, size: int) -> bytes:
    """Adds an incompressible part, so that the ratio check passes and the content is read."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/media/picture.bin", bytes(range(256)) * (size // 256))
    return file.getvalue()


def inside(extra: bytes) -> Callable[[bytes], bytes]:
    return lambda part: part.replace(b"</sheetData>", extra + b"</sheetData>")


def ways() -> dict[str, tuple[bytes, str]]:
    """Files made to keep a process busy, and the message for each."""
    row = b'<row r="%d"><c r="A%d"><v>1</v></c><c r="XFD%d"><v></v></c></row>'
    wide = b"".join(row % (n, n, n) for n in range(3, 700))
    unsized = changed(workbook(), SHEET, lambda part: re.sub(rb"<dimension [^>]*>", b"", part))
    deep = inside(b"<row><c>" * 500 + b"</c></row>" * 500)
    return {
        "cells over the whole book": (changed(unsized, SHEET, inside(wide)), "cells"),
        "sheets": (workbook(titles=51), "more than 50 sheets"),
        "one part twice": (changed(workbook(), BOOK, twice), "point to the same part"),
        "texts": (padded(changed(workbook(), SHEET, inside(b"<!--" + b"a>" * 90_000 + b"-->")),
                         20_000), "far too long"),
        "depth": (padded(changed(workbook(), SHEET, deep), 20_000), "too deeply"),
        "separators": (("," * 5000 + "\n").encode() * 2000, "cells"),
        "one row of nothing": (COMMAS, "cells"),
        "one row of nothing, as large as may be": (b"," * (50 * 1024**2), "more memory"),
        "parts": (scattered(), "more than 2000 parts"),
        "unpacks to far more": (bomb(), "unpacks to far more"),
    }  # fmt: skip


def twice(part: bytes) -> bytes:
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    entry = f'<sheet xmlns:r="{space}" name="S2" sheetId="2" state="visible" r:id="rId1"/>'
    return part.replace(b"</sheets>", entry.encode() + b"</sheets>")


def scattered() -> bytes:
    file = io.BytesIO(workbook())
    with zipfile.ZipFile(file, "a") as archive:
        for number in range(2000):
            archive.writestr(f"xl/media/{number}.png", b"")
    return file.getvalue()


def bomb() -> bytes:
    file = io.BytesIO(workbook())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b"0" * 60 * 1024**2)
    return file.getvalue()
