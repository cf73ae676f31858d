"""Files as people keep them: any layout is recognised, or rejected with a reason and a place."""

import csv
import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partner_app.core.money import to_cents
from partner_app.estimates.errors import ChoosePart, LayoutAmbiguous, LayoutUnknown
from partner_app.estimates.reading.estimate import Answers, read_estimate
from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.numbers import decimal_mark
from partner_app.tabular.units import unit_name
from tests.conftest import SHARED

LETTING = SHARED / "data" / "indot" / "letting-2025-01-22.xls"
CONTRACTS = SHARED / "data" / "indot" / "contracts.csv"
Table = Sequence[Sequence[object]]
HEADER = ["Item", "Description", "Qty", "UOM", "Unit Price", "Amount"]


def workbook(rows: Table, *, title: str = "Estimate") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def text(rows: Table, delimiter: str = ",") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


ROWS = [HEADER, ["1", "Dig", "2", "CY", "10.50", "21.00"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found_out(encoding: str, delimiter: str) -> None:
    rows = [*ROWS, ["2", "Béton préfabriqué côté été", "1", "EA", "5", "5"]]
    reading = read_estimate("a.csv", text(rows, delimiter).encode(encoding))
    assert reading.total == 26
    assert reading.lines[1].description == "Béton préfabriqué côté été"


def test_a_header_may_stand_under_a_logo_and_title() -> None:
    rows = [["Some Builder"], [], ["Estimate of 12 May"], *[[]] * 10, *ROWS]
    reading = read_estimate("a.xlsx", workbook(rows))
    assert (reading.layout.header_row, reading.lines[0].row) == (14, 15)


def test_a_header_of_two_rows_with_units_in_brackets() -> None:
    rows: Table = [
        ["Item", "", "Est.", "", "Unit", "Extended"],
        ["No.", "Description", "Qty (each)", "Unit", "Price", "Amount [USD]"],
        [1, "Dig", 2, "CY", 10.5, 21],
    ]
    assert read_estimate("a.xlsx", workbook(rows)).total == 21


def test_sections_and_totals_are_checks_and_never_lines() -> None:
    rows = [
        HEADER,
        ["", "DIVISION 03 CONCRETE", "", "", "", ""],
        ["1", "Footings", "2", "CY", "10", "20"],
        ["", "Subtotal concrete", "", "", "", "20"],
        ["", "DIVISION 05 STEEL", "", "", "", ""],
        ["2", "Beams", "1", "TON", "5", "5"],
        ["", "Subtotal steel", "", "", "", "5"],
        ["", "GRAND TOTAL", "", "", "", "25"],
    ]
    reading = read_estimate("a.csv", text(rows).encode())
    assert [line.item_code for line in reading.lines] == ["1", "2"]
    assert reading.total == 25
    assert not reading.warnings


def test_a_total_that_is_wrong_is_told_with_the_difference() -> None:
    rows = [*ROWS, ["", "Total", "", "", "", "31.00"]]
    reading = read_estimate("a.csv", text(rows).encode())
    [warning] = reading.warnings
    assert warning.row == 3
    assert reading.total == 21
    assert "10.00" in warning.message


def test_a_lump_sum_needs_neither_quantity_nor_code() -> None:
    rows = [*ROWS, ["", "Mobilization", "", "LS", "", "5,000.00"]]
    assert read_estimate("a.csv", text(rows).encode()).total == 5021


def test_european_numbers_are_told_by_their_column() -> None:
    rows = [HEADER, ["1", "Dig", "2,5", "m", "1.000,00", "2.500,00"]]
    assert read_estimate("a.csv", text(rows, ";").encode()).total == 2500
    assert decimal_mark(["1,234"]) == ""
    assert decimal_mark(["1,234", "0.50"]) == "."


def test_a_dash_is_zero_a_date_is_no_number_and_an_error_is_located() -> None:
    rows = [
        HEADER,
        ["1", "None", "1", "EA", "-", "-"],
        ["2", "Broken", "1", "EA", "5", "#REF!"],
        ["3", "Dated", "2026-01-05", "EA", "5", "5"],
    ]
    reading = read_estimate("a.csv", text(rows).encode())
    assert reading.total == 0
    assert [(p.row, p.column) for p in reading.errors] == [(3, "Amount"), (4, "Qty")]
    assert "#REF!" in reading.errors[0].message


def test_the_number_in_a_workbook_is_the_one_that_was_typed() -> None:
    rows: Table = [
        HEADER,
        ["1", "Dig", 0.1, "CY", 0.7, 0.07],
        ["2", "Fill", 3, "CY", 33333.335, 100000.005],
    ]
    reading = read_estimate("a.xlsx", workbook(rows))
    assert reading.total == Decimal("100000.075")
    assert reading.warnings == []


def test_two_sheets_that_both_hold_an_estimate_are_asked_about() -> None:
    book = openpyxl.Workbook()
    for title in ("Base bid", "Revised bid"):
        sheet = book.create_sheet(title)
        for row in ROWS:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(LayoutAmbiguous, match="Base bid, Revised bid"):
        read_estimate("a.xlsx", buffer.getvalue())


def test_two_columns_that_could_both_be_the_amount_are_asked_about() -> None:
    rows = [[*HEADER, "Amount"], ["1", "Dig", "2", "CY", "10", "20", "25"]]
    with pytest.raises(LayoutAmbiguous, match="Amount"):
        read_estimate("a.csv", text(rows).encode())


def test_alternates_are_counted_and_pointed_at() -> None:
    rows = [*ROWS, ["2", "Alternate 1: metal roof", "1", "LS", "100", "100"]]
    reading = read_estimate("a.csv", text(rows).encode())
    assert reading.total == 121
    assert "alternate" in reading.warnings[0].message


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    return buffer.getvalue()


def with_macros() -> bytes:
    buffer = io.BytesIO(workbook(ROWS))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (bomb(), "unpacks"),
        (with_macros(), "macros"),
        (b"PK\x03\x04 and no more", "damaged or incomplete"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "damaged or incomplete"),
        ("EncryptedPackage".encode("utf-16-le").join([b"\xd0\xcf\x11\xe0", b""]), "password"),
        (b'Item,Description,Amount\n1,"open,5\n', "line"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(FileUnreadable, match=reason):
        read_estimate("a.xls", content)


def test_a_french_bill_of_quantities_is_read() -> None:
    rows = [
        ["N° prix", "Désignation", "Unité", "Quantité", "Prix unitaire HT", "Montant HT"],
        ["1.1", "Décapage de la terre végétale", "m2", "1 200", "1,50", "1 800,00"],
        ["1.2", "Béton C30/37", "m³", "85,5", "210,00", "17 955,00"],
        ["", "Sous-total terrassement", "", "", "", "19 755,00"],
    ]
    reading = read_estimate("bordereau.csv", text(rows, ";").encode("cp1252"))
    assert (len(reading.lines), reading.total) == (2, Decimal(19755))
    assert [line.unit for line in reading.lines] == ["m2", "m³"]


def test_a_text_file_that_calls_itself_xls_is_read_as_what_it_is() -> None:
    assert read_estimate("a.xls", text(ROWS, "\t").encode()).total == 21


def test_a_file_without_a_header_is_refused() -> None:
    with pytest.raises(LayoutUnknown):
        read_estimate("a.csv", b"1,2,3\n4,5,6\n")


@pytest.mark.parametrize(
    ("raw", "name"),
    [("L.F.", "lf"), ("SYS", "sy"), ("EACH", "ea"), ("L.S.", "ls"), ("$", "$"), ("furlong", ""),
     ("M2", "m2"), ("m³", "m3"), ("ml", "m"), ("Tonne", "tonne"), ("TON", "tons")],
)  # fmt: skip
def test_units_have_one_name_each(raw: str, name: str) -> None:
    assert unit_name(raw) == name


WORDS = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Zs", "So"]), min_size=1, max_size=30
).map(lambda word: "x" + word.replace("\x85", ""))
AMOUNTS = st.decimals(
    min_value=-(10**6), max_value=10**6, places=2, allow_nan=False, allow_infinity=False
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(WORDS, AMOUNTS, AMOUNTS), min_size=1, max_size=12))
def test_any_table_goes_in_and_comes_out_equal(rows: list[tuple[str, Decimal, Decimal]]) -> None:
    """Ten figures, any alphabet, in CSV and in a workbook."""
    table = [
        HEADER,
        *(
            [f"C-{n}", word, f"{qty:f}", "EA", f"{price:f}", f"{qty * price:f}"]
            for n, (word, qty, price) in enumerate(rows)
        ),
    ]
    for content in (text(table).encode(), workbook(table)):
        reading = read_estimate("any", content)
        assert reading.errors == []
        assert [(line.quantity, line.unit_price) for line in reading.lines] == [
            (qty, price) for _, qty, price in rows
        ]
        assert reading.total == sum(qty * price for _, qty, price in rows)


@pytest.mark.skipif(not LETTING.exists(), reason="the raw export is not beside this clone")
def test_a_raw_export_asks_which_contract_and_then_equals_it_to_the_cent() -> None:
    content = LETTING.read_bytes()
    with pytest.raises(ChoosePart) as caught:
        read_estimate(LETTING.name, content)
    found: list[dict[str, object]] = caught.value.details["parts"]  # type: ignore[assignment]
    assert len(found) == 3  # bidders for one contract
    with CONTRACTS.open(newline="") as file:
        known = {f"{row['contract']}, {row['contractor']}": row for row in csv.DictReader(file)}
    for part in found:
        reading = read_estimate(LETTING.name, content, answers=Answers(part=str(part["name"])))
        assert (len(reading.lines), reading.total) == (part["lines"], part["total"])
        assert reading.errors == []
        row = known.get(str(part["name"]))
        if row:
            assert (len(reading.lines), reading.total) == (int(row["lines"]), Decimal(row["total"]))
    with pytest.raises(ChoosePart):
        read_estimate(LETTING.name, content, answers=Answers(part="R -41481-A"))


@pytest.mark.skipif(not CONTRACTS.exists(), reason="the real estimates are not beside this clone")
def test_all_real_estimates_total_as_their_contracts_say() -> None:
    with CONTRACTS.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 36
    for row in rows:
        path = CONTRACTS.parent / row["file"]
        reading = read_estimate(path.name, path.read_bytes())
        assert (len(reading.lines), reading.errors) == (int(row["lines"]), [])
        assert to_cents(reading.total) == Decimal(row["total"])
