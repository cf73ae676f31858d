"""Files made to take long: rejected with a message, and no step is worse than linear."""

import io
import re
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from partner_app.connections.doctor import _xml_parser
from partner_app.core.confines import Limits
from partner_app.estimates.errors import FileSaysMuch, FileTakesMuch, LayoutUnknown, ReaderBroke
from partner_app.estimates.mapping.file import MappingRules, Share
from partner_app.estimates.reading.estimate import Answers, read_estimate
from partner_app.estimates.reading.layout import find_layout
from partner_app.estimates.reading.reader_process import CHILD, read_apart
from partner_app.tabular import sheets
from partner_app.tabular.errors import FileTakesLong, FileUnreadable
from partner_app.tabular.files import read_sheets
from partner_app.tabular.sheets import Sheet
from tests.hostile_files import BOOK, COMMAS, SHEET, changed, inside, padded, ways, workbook
from tests.house.test_rules import ROOT
from tests.waiting import until

LONG = (HEADER := "Item,Description,Unit,Amount\n") + "".join(
    f"{n},Work of kind {n},m,{n}\n" for n in range(150_000)
)


def refusal(content: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises(FileUnreadable) as refused:
        read_estimate(name, content)
    return refused.value.message


def test_one_part_under_many_names_is_refused() -> None:
    entry = '<sheet xmlns:r="{r}" name="S{n}" sheetId="{n}" state="visible" r:id="rId1"/>'
    space = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    more = "".join(entry.format(r=space, n=n) for n in range(2, 21)).encode()
    content = changed(
        workbook(), BOOK, lambda part: part.replace(b"</sheets>", more + b"</sheets>")
    )
    assert "point to the same part" in refusal(content)


@pytest.mark.parametrize(
    ("part", "words"),
    [("xl/workbook.bin", "a binary workbook; save it as .xlsx"), ("plan.dwg", "an archive")],
)
def test_an_archive_of_another_kind_is_named(part: str, words: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(part, b"0")
    assert words in refusal(file.getvalue())


def test_a_picture_is_named() -> None:
    assert "it is a picture" in refusal(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "plan.png")


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
    rules = MappingRules({"1*": share, "123*": share, "*": share, "12345": share})
    found = [rules.for_code(code)[1] for code in ("12345", "1234", "12", "9", "")]
    assert found == ["12345", "123*", "1*", "*", "*"]


def test_the_doctor_says_that_a_parser_is_old() -> None:
    assert "2.6" in _xml_parser((2, 5, 0)).remedy
    assert _xml_parser((2, 6, 0)).remedy == ""
    assert _xml_parser((2, 5, 0)).ok  # such files are rejected before it sees them


def spent(work: Callable[[], object]) -> float:
    """The least of three, in CPU seconds of this process."""
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
    rules = MappingRules({"9*": (Share("X", Decimal(100)),)})
    return lambda: [rules.for_code("1" * size) for _ in range(20)]


@pytest.mark.parametrize(
    ("kind", "size"), [(headers, 200), (subtotals, 500), (brackets, 30_000), (prefixes, 50_000)]
)
def test_time_grows_no_faster_than_size(
    kind: Callable[[int], Callable[[], object]], size: int
) -> None:
    """Four times the size: quadratic work would take sixteen times as long."""
    assert spent(kind(size * 4)) < 8 * max(spent(kind(size)), 0.002)


def apart(content: bytes, name: str = "a.csv", **limits: int) -> None:
    """Reads it as a worker does."""
    read_apart(name, content, Answers(), Limits(**limits))


@pytest.mark.parametrize("way", ways())
def test_each_hostile_kind_ends_in_words_within_its_limits(way: str) -> None:
    content, words = ways()[way]
    before, own = resource.getrusage(resource.RUSAGE_CHILDREN), memory()
    began = time.monotonic()
    with pytest.raises(FileUnreadable) as refused:
        apart(content, "a.csv" if content.startswith(b",") else "a.xlsx")
    assert words in refused.value.message
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < Limits.seconds + 2
    assert time.monotonic() - began < Limits.wait
    assert memory() - own < 200 * 1024**2, "of the process that asked"


def memory() -> int:
    """Bytes of memory that this process holds."""
    return int(psutil.Process().memory_info().rss)


def test_a_reader_that_spins_is_ended_by_the_system() -> None:
    """A step that never checks its time: one row of 50 million cells."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(FileTakesLong) as refused:
        apart(b"," * (50 * 1024**2), seconds=1, memory=8 * 1024**3)
    assert "more than 1 seconds" in refused.value.message
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1.5


def test_a_reader_that_eats_memory_is_refused_it() -> None:
    with pytest.raises(FileTakesMuch):
        apart(COMMAS, memory=256 * 1024**2)


def test_a_reader_that_says_too_much_is_not_listened_to() -> None:
    with pytest.raises(FileSaysMuch):
        apart(LONG.encode()[:40_000], result=10_000)


def test_a_reader_that_does_nothing_is_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(FileTakesLong):
        apart(LONG.encode(), wait=1)
    assert time.monotonic() - began < 2
    assert children() == []


def test_a_reader_that_breaks_off_is_a_refusal_with_its_place_for_the_log() -> None:
    """Killed by a signal: its file is not known to be bad."""

    def kill(*_: object) -> None:
        for child in children():
            child.send_signal(signal.SIGSEGV)

    with pytest.raises(ReaderBroke) as broke:
        read_apart("a.csv", LONG.encode(), Answers(), Limits(), kill)
    assert "could not be read to the end" in broke.value.message
    assert broke.value.facts["place"] == f"status {-signal.SIGSEGV}"


def children() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            if CHILD in process.cmdline():
                found.append(process)
    return found


def test_a_reader_knows_no_secret_and_holds_nothing_of_ours() -> None:
    """Its environment is empty, and it has none of our open files and sockets."""
    seen: list[tuple[dict[str, str], set[str], dict[str, int]]] = []

    def look(step: str, *_: object) -> None:
        for child in children() if step == "rows" and not seen else ():
            open_files = {str(each.readlink()) for each in Path(f"/proc/{child.pid}/fd").iterdir()}
            limits = {
                name: child.rlimit(getattr(psutil, name))[0]
                for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_FSIZE")
            }
            seen.append((child.environ(), open_files, limits))

    read_apart("a.csv", LONG.encode(), Answers(), Limits(), look)
    [(environment, open_files, limits)] = seen
    assert set(environment) <= {"LD_LIBRARY_PATH", "LC_CTYPE"}
    assert not [each for each in open_files if each.startswith("socket:")]
    assert len(open_files) <= 3, open_files
    assert limits == {
        "RLIMIT_AS": Limits.memory, "RLIMIT_CPU": Limits.seconds, "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": Limits.result,
    }  # fmt: skip


def test_a_reader_ends_with_the_worker_that_was_killed() -> None:
    script = (
        "import sys;"
        "from partner_app.core.confines import Limits;"
        "from partner_app.estimates.reading.reader_process import read_apart;"
        "from partner_app.estimates.reading.estimate import Answers;"
        "read_apart('a.csv', sys.stdin.buffer.read(), Answers(), Limits())"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE)
    assert worker.stdin is not None
    worker.stdin.write(LONG.encode())
    worker.stdin.close()
    until(children)
    [child] = children()
    until(lambda: child.num_fds() and child.cpu_times().user > 0.5)
    worker.kill()
    worker.wait()
    _, alive = psutil.wait_procs([child], timeout=3)
    assert alive == []


def test_nobody_reads_a_file_but_the_process_that_may_take_no_harm() -> None:
    users = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "partner_app").rglob("*.py")
        if re.search(r"import .*\bread_(estimate|sheets|xlsx|xls)\b", path.read_text())
        and not {"reading", "tabular"} & set(path.parts)
    ]
    assert users == []
    reading = (ROOT / "partner_app/estimates/reading").glob("*.py")
    assert [p.stem for p in reading if "import read_estimate" in p.read_text()] == ["child"]
