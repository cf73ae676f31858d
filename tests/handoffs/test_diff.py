"""Estimate, last handoff and live budget: the result for each WBS code."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from partner_app.core.money import to_cents
from partner_app.handoffs.diff import Budget, LiveCode, LiveLine, plan_against

CODES = {code: LiveCode(place, active=True) for place, code in enumerate("abcdef", 1)}
amounts = st.decimals(
    min_value=-(10**7), max_value=10**7, places=5, allow_nan=False, allow_infinity=False
)
cents = st.decimals(
    min_value=-(10**7), max_value=10**7, places=2, allow_nan=False, allow_infinity=False
)


def live(**lines: str) -> dict[int, LiveLine]:
    return {
        CODES[code].wbs_code_id: LiveLine(
            100 + CODES[code].wbs_code_id, Decimal(amount), deletable=True
        )
        for code, amount in lines.items()
    }


def actions(exact: dict[str, str], lines: dict[int, LiveLine], **budget: object) -> dict[str, str]:
    sums = {code: Decimal(amount) for code, amount in exact.items()}
    rows = plan_against(sums, Budget(CODES, lines, **budget))  # type: ignore[arg-type]  # by name
    return {row.wbs_code: row.action for row in rows}


def test_a_code_without_a_line_is_created_another_changed_a_third_left_as_it_is() -> None:
    found = actions({"a": "1", "b": "2", "c": "3"}, live(b="1.00", c="3.00"))
    assert found == {"a": "create", "b": "update", "c": "unchanged"}


def test_a_code_with_two_rows_or_one_that_may_have_a_line_already_is_not_written() -> None:
    twice = {1: replace(live(a="5.00")[1], rows=2)}
    assert actions({"a": "1"}, twice) == {"a": "blocked"}
    assert actions({"a": "5"}, twice) == {"a": "unchanged"}
    assert actions({"a": "1", "b": "2"}, {}, doubtful={"a"}) == {"a": "blocked", "b": "create"}
    assert actions({"a": "1"}, live(a="3.00"), doubtful={"a"}) == {"a": "update"}


def test_a_code_that_is_missing_or_inactive_is_blocked() -> None:
    codes = {"a": LiveCode(1, active=False)}
    rows = plan_against({"a": Decimal(1), "z": Decimal(1)}, Budget(codes, {}))
    assert [row.action for row in rows] == ["blocked", "blocked"]
    assert "is inactive" in rows[0].reason
    assert "does not exist" in rows[1].reason


def test_a_line_that_people_changed_since_is_left_unless_chosen() -> None:
    last = {"a": Decimal("5.00")}
    assert actions({"a": "7"}, live(a="6.00"), last=last) == {"a": "left"}
    assert actions({"a": "7"}, live(a="6.00"), last=last, overrides={"a"}) == {"a": "update"}
    assert actions({"a": "7"}, live(a="5.00"), last=last) == {"a": "update"}
    assert actions({"a": "7"}, live(a="7.00"), last=last) == {"a": "unchanged"}
    assert actions({"a": "7"}, {}, last=last) == {"a": "left"}


def test_a_code_that_the_revision_dropped_goes_to_zero_and_one_that_is_gone_stays_gone() -> None:
    last = {"a": Decimal("5.00"), "b": Decimal("2.00")}
    assert actions({"c": "1"}, live(a="5.00"), last=last) == {"a": "update", "c": "create"}


def test_budget_changes_that_would_end_below_zero_block() -> None:
    lines = {1: LiveLine(101, Decimal("100.00"), deletable=True, changes=Decimal("-50.00"))}
    assert actions({"a": "20"}, lines) == {"a": "blocked"}
    assert actions({"a": "60"}, lines) == {"a": "update"}


@given(st.dictionaries(st.sampled_from("abcdef"), amounts, min_size=1), st.data())
def test_the_rows_always_add_up_to_the_estimate_to_the_cent(
    exact: dict[str, Decimal], data: st.DataObject
) -> None:
    have = data.draw(st.dictionaries(st.sampled_from("abcdef"), cents))
    have_lines = live(**{code: str(amount) for code, amount in have.items()})
    rows = plan_against(exact, Budget(CODES, have_lines))
    assert sum(row.after for row in rows) == to_cents(sum(exact.values(), Decimal(0)))
    assert all(abs(row.after - exact[row.wbs_code]) < Decimal("0.02") for row in rows)
    assert sum(row.moved for row in rows) == sum(
        row.after - to_cents(exact[row.wbs_code]) for row in rows
    )
    for row in rows:
        assert (row.action == "unchanged") == (have.get(row.wbs_code) == row.after)
