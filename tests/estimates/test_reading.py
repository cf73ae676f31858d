"""Foreign numerals and rows: exact or rejected, never guessed, always with a location."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_app.estimates.errors import LayoutUnknown
from partner_app.estimates.reading.estimate import read_estimate
from partner_app.tabular.errors import FileUnreadable
from partner_app.tabular.numbers import NotANumber, number
from tests.conftest import SHARED

REAL = sorted((SHARED / "data" / "indot" / "estimates").glob("*.csv"))
HEADER = "Pay Item,Description,Quantity,Unit,Unit Price,Extension\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234.50", "1234.50"),
        ("$1,234.50", "1234.50"),
        ("(123.45)", "-123.45"),
        ("123.45-", "-123.45"),
        ("-$5", "-5"),
        (" 7 ", "7"),
        (".5", "0.5"),
    ],
)
def test_numerals_are_read_exactly(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    ["#REF!", "twelve", "1.2.3", "1,23", "12,345.6,7", "2026-01-01", "1e5", "--5", "(5-)", "-(5)"],
)
def test_what_is_no_numeral_is_refused(text: str) -> None:
    with pytest.raises(NotANumber):
        number(text)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=5, min_value=-(10**12), max_value=10**12
    )
)
def test_any_decimal_survives_being_written_and_read(value: Decimal) -> None:
    assert number(f"{value:,f}") == value
    assert number(f"({abs(value):,f})") == -abs(value)


@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_it_crash(content: bytes) -> None:
    try:
        read_estimate("any.csv", HEADER.encode() + content)
    except (FileUnreadable, LayoutUnknown):
        return


def test_amounts_rule_and_a_disagreement_is_shown_with_both_values() -> None:
    reading = read_estimate("a.csv", (HEADER + "1,x,2,EA,10,25\n").encode())
    assert reading.total == 25
    assert "20" in reading.warnings[0].message
    assert "25" in reading.warnings[0].message


def test_rows_are_counted_as_a_spreadsheet_shows_them() -> None:
    text = HEADER + '1,"two\nlines",1,EA,10,10\n2,x,one,EA,10,10\n'
    reading = read_estimate("a.csv", text.encode())
    assert [(p.row, p.column) for p in reading.errors] == [(3, "Quantity")]


@pytest.mark.skipif(not REAL, reason="the real estimates are not beside this clone")
def test_all_real_estimates_are_read_whole() -> None:
    readings = [read_estimate(path.name, path.read_bytes()) for path in REAL]
    assert len(readings) == 36
    assert sum(len(reading.lines) for reading in readings) == 5807
    assert sum((reading.total for reading in readings), Decimal(0)) == Decimal("467720998.477")
    assert [p for reading in readings for p in (*reading.errors, *reading.warnings)] == []
