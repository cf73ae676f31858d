"""The operator's mapping file: the longest match wins, shares add up, errors have a location."""

from decimal import Decimal

import pytest

from partner_app.estimates.errors import MappingUnreadable
from partner_app.estimates.mapping.file import read_rules

HEADER = "item_code,wbs_code,percent\n"


def codes(text: str, item: str) -> list[str]:
    return [share.wbs_code for share in read_rules((HEADER + text).encode()).for_code(item)[0]]


def test_an_exact_code_beats_a_prefix_and_a_long_prefix_beats_a_short_one() -> None:
    text = "1*,short,\n105*,long,\n105-7,exact,\n*,rest,\n"
    assert codes(text, "105-7") == ["exact"]
    assert codes(text, "105-8") == ["long"]
    assert codes(text, "19") == ["short"]
    assert codes(text, "999") == ["rest"]


def test_one_code_may_be_shared_out_over_several() -> None:
    shares, pattern = read_rules((HEADER + "7*,a,33.5\n7*,b,66.5%\n").encode()).for_code("71")
    assert [(share.wbs_code, share.percent) for share in shares] == [
        ("a", Decimal("33.5")),
        ("b", Decimal("66.5")),
    ]
    assert pattern == "7*"


@pytest.mark.parametrize(
    ("text", "row", "words"),
    [
        ("7*,a,50\n", 2, "add up to 50 percent"),
        ("7*,,\n", 2, "must both be given"),
        ("7*,a,half\n", 2, "percent is not a number"),
        ("7*,a,\n8*,b,60\n8*,c,60\n", 4, "add up to 120 percent"),
    ],
)
def test_a_mistake_is_shown_at_its_row(text: str, row: int, words: str) -> None:
    with pytest.raises(MappingUnreadable, match=words) as caught:
        read_rules((HEADER + text).encode())
    assert f"row {row}:" in caught.value.message


def test_a_file_without_the_columns_is_refused() -> None:
    with pytest.raises(MappingUnreadable, match="header"):
        read_rules(b"code;target\n1;2\n")
