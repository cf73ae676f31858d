"""Files that were made to take long: refused in words, and no place grows faster than its file."""

import io
import re
import time
import zipfile
from collections.abc import Callable
from decimal import Decimal

import openpyxl
import pytest

from partner_app.connections.doctor import _xml_parser
from partner_app.estimates.errors import FileUnreadable, LayoutUnknown
from partner_app.estimates.mapping.file import Rules, Share
from partner_app.estimates.reading import sheets
from partner_app.estimates.reading.estimate import read_estimate
from partner_app.estimates.reading.files import read_sheets
from partner_app.estimates.reading.layout import find_layout
from partner_app.estimates.reading.sheets import Sheet

SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
HEADER = "Item,Description,Unit,Amount\n"


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
    """So that what a part unpacks to is not refused for its ratio before it is looked at."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("xl/media/picture.bin", bytes(range(256)) * (size // 256))
    return file.getvalue()


def refusal(content: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises(FileUnreadable) as refused:
        read_estimate(name, content)
    return refused.value.message


def inside(extra: bytes) -> Callable[[bytes], bytes]:
    return lambda part: part.replace(b"</sheetData>", extra + b"</sheetData>")


def test_one_part_under_many_names_is_refused() -> None:
    entry = '<sheet xmlns:r="{r}" name="S{n}" sheetId="{n}" state="visible" r:id="rId1"/>'
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    more = "".join(entry.format(r=space, n=n) for n in range(2, 21)).encode()
    content = changed(
        workbook(), BOOK, lambda part: part.replace(b"</sheets>", more + b"</sheets>")
    )
    assert "one and the same part" in refusal(content)


def test_too_many_sheets_are_refused() -> None:
    assert "more than 50 sheets" in refusal(workbook(titles=51))
    assert read_sheets("a.xlsx", workbook(titles=50))


def test_cells_count_over_the_whole_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_CELLS", 30)
    assert read_sheets("a.xlsx", workbook(titles=3))
    assert "cells" in refusal(workbook(titles=4))


def test_rows_that_reach_the_last_column_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    row = b'<row r="%d"><c r="A%d"><v>1</v></c><c r="XFD%d"><v></v></c></row>'
    many = b"".join(row % (n, n, n) for n in range(3, 243))
    unsized = changed(workbook(), SHEET, lambda part: re.sub(rb"<dimension [^>]*>", b"", part))
    content = changed(unsized, SHEET, inside(many))
    began = time.process_time()
    assert len(read_estimate("a.xlsx", content).lines) == 1
    assert time.process_time() - began < sheets.SECONDS
    monkeypatch.setattr(sheets, "MOST_LOOKED_AT", 1_000_000)
    assert "cells" in refusal(content)


def test_a_file_of_separators_is_refused() -> None:
    assert "cells" in refusal((HEADER + ("," * 5000 + "\n") * 2000).encode(), "a.csv")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (b"<!--" + b"a>" * 100_000 + b"-->", "far too long"),
        (b"<![CDATA[" + b"<a>" * 100_000 + b"]]>", "far too long"),
        (b"<?x " + b"a" * 200_000 + b"?>", "far too long"),
        (b'<row spans="' + b"a" * 200_000 + b'"/>', "far too long"),
        (b"<row><c>" * 500 + b"</c></row>" * 500, "too deeply"),
        (b"x<row>y" * 500 + b"</row>" * 500, "too deeply"),
    ],
)
def test_what_a_parser_takes_long_for_is_refused(extra: bytes, words: str) -> None:
    content = padded(changed(workbook(), SHEET, inside(extra)), 20_000)
    assert words in refusal(content)


def test_a_part_in_another_encoding_is_refused() -> None:
    content = changed(workbook(), SHEET, lambda part: part.decode().encode("utf-16"))
    assert "UTF-8" in refusal(content)


def test_a_text_that_is_no_items_is_told_at_its_cell() -> None:
    code, words = "1" * 100_000, "word " * 1200
    reading = read_estimate("a.csv", f"{HEADER}{code},A,m,1\n2,{words},m,1\n3,B,m,1\n".encode())
    assert [(each.row, each.field) for each in reading.errors] == [
        (2, "item_code"),
        (3, "description"),
    ]
    assert all("characters" in each.message and len(each.raw) <= 200 for each in reading.errors)


def test_a_file_full_of_mistakes_is_refused() -> None:
    rows = "".join(f"{n},A,m,{'1' if n % 3 else 'x'}\n" for n in range(16_000))
    assert "more than 5000 of its cells" in refusal((HEADER + rows).encode(), "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_work_on_a_file_has_an_end(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sheets, "SECONDS", -1.0)
    content = workbook() if name == "a.xlsx" else f"{HEADER}1,A,m,1\n".encode()
    assert "seconds" in refusal(content, name)


def test_a_zero_at_the_end_of_a_row_is_a_figure() -> None:
    reading = read_estimate("a.xlsx", workbook([["Item", "Description", "Amount"], ["1", "A", 0]]))
    assert [line.amount for line in reading.lines] == [Decimal(0)]


def test_the_longest_prefix_of_a_code_still_wins() -> None:
    share = (Share("X", Decimal(100)),)
    rules = Rules({"1*": share, "123*": share, "*": share, "12345": share})
    found = [rules.for_code(code)[1] for code in ("12345", "1234", "12", "9", "")]
    assert found == ["12345", "123*", "1*", "*", "*"]


def test_the_doctor_says_that_a_parser_is_old() -> None:
    assert "2.6" in _xml_parser((2, 5, 0)).remedy
    assert _xml_parser((2, 6, 0)).remedy == ""
    assert _xml_parser((2, 5, 0)).ok  # such files are refused before it sees them


def spent(work: Callable[[], object]) -> float:
    """The least of three, in seconds of this process."""
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def headers(size: int) -> Callable[[], object]:
    rows = [[f"amount due {n}" for n in range(size)] for _ in range(60)]

    def look() -> None:
        with pytest.raises(LayoutUnknown):
            find_layout([Sheet("a", rows)])

    return look


def read(text: str) -> Callable[[], object]:
    return lambda: read_estimate("a.csv", text.encode())


def subtotals(size: int) -> Callable[[], object]:
    return read(HEADER + "".join(f"{n},A,m,1\n,Subtotal,,1\n" for n in range(size)))


def brackets(size: int) -> Callable[[], object]:
    return read(f"{'(' * size},{HEADER}x,1,A,m,1\n")


def prefixes(size: int) -> Callable[[], object]:
    rules = Rules({"9*": (Share("X", Decimal(100)),)})
    return lambda: [rules.for_code("1" * size) for _ in range(20)]


@pytest.mark.parametrize(
    ("kind", "size"), [(headers, 200), (subtotals, 500), (brackets, 30_000), (prefixes, 50_000)]
)
def test_time_grows_no_faster_than_size(
    kind: Callable[[int], Callable[[], object]], size: int
) -> None:
    """Four times the size: quadratic work would take sixteen times as long."""
    assert spent(kind(size * 4)) < 8 * max(spent(kind(size)), 0.002)
