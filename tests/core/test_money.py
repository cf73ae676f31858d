from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_app.core.money import Money, tie_out, to_cents

AMOUNTS = st.dictionaries(
    st.text(min_size=1, max_size=6),
    st.decimals(min_value=-(10**9), max_value=10**9, places=6),
    max_size=30,
)


@given(AMOUNTS)
def test_parts_always_add_up_to_the_rounded_whole(amounts: dict[str, Decimal]) -> None:
    parts = tie_out(amounts)
    assert sum(parts.values(), Decimal(0)) == to_cents(sum(amounts.values(), Decimal(0)))
    assert all(abs(parts[key] - amounts[key]) < Decimal("0.01") for key in amounts)


def test_the_spare_cent_goes_to_the_largest_remainder_then_to_the_lowest_code() -> None:
    amounts = {"b": Decimal("1.005"), "a": Decimal("1.005"), "c": Decimal("1.009")}
    assert tie_out(amounts) == {
        "a": Decimal("1.01"),
        "b": Decimal("1.00"),
        "c": Decimal("1.01"),
    }


def test_currencies_never_mix_and_floats_are_refused() -> None:
    with pytest.raises(TypeError):
        Money(Decimal(1), "USD") + Money(Decimal(1), "CAD")
    with pytest.raises(TypeError):
        Money(1.5, "USD")  # type: ignore[arg-type]  # the point of the test
