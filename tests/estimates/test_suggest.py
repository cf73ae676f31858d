"""Suggestions: the likeliest code first, with its reason and a realistic confidence."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from partner_app.estimates.mapping.suggest import (
    OFFERED,
    PRESELECTED,
    Known,
    Suggester,
    calibrated,
    division,
    known_names,
)

NAMES = known_names(
    {
        "03-300.S": "Cast-in-place concrete",
        "05-120.S": "Structural steel framing",
        "09-910.S": "Painting",
        "09-290.S": "Gypsum board",
        "32-900.S": "Planting",
    }
)


def remembered(text: str, unit: str, code: str) -> Known:
    return Known(text, unit, code, remembered=True)


def test_what_was_chosen_for_nearly_the_same_words_comes_first_and_says_so() -> None:
    known = [*NAMES, remembered("concrete footings 4000 psi", "cy", "03-300.S")]
    [first, *_] = Suggester(known).suggest("Concrete footing, 4000 PSI", "cy")
    assert first.wbs_code == "03-300.S"
    assert first.confidence >= PRESELECTED
    assert "was mapped here before" in first.reason


def test_a_codes_own_name_is_a_weaker_reason_than_memory() -> None:
    [by_name] = Suggester(NAMES).suggest("Structural steel framing", "tons")
    assert by_name.wbs_code == "05-120.S"
    assert "the code has a similar name" in by_name.reason
    known = [*NAMES, remembered("structural steel framing", "tons", "05-120.S")]
    assert Suggester(known).suggest("Structural steel framing", "tons")[0].confidence > (
        by_name.confidence
    )


def test_neighbours_that_disagree_make_it_unsure() -> None:
    agreed = [remembered(f"paint wall {n}", "sf", "09-910.S") for n in range(4)]
    split = [
        remembered(f"paint wall {n}", "sf", "09-910.S" if n % 2 else "09-290.S") for n in range(4)
    ]
    sure = Suggester(agreed).suggest("paint wall 9", "sf")[0].confidence
    unsure = Suggester(split).suggest("paint wall 9", "sf")
    assert not unsure or unsure[0].confidence < sure


def test_another_unit_makes_it_less_sure() -> None:
    known = [remembered("planting bed mulch", "cy", "32-900.S")]
    same = Suggester(known).suggest("planting bed mulching", "cy")[0].confidence
    other = Suggester(known).suggest("planting bed mulching", "ea")[0].confidence
    assert other < same


def test_the_only_code_of_a_division_is_offered_and_never_preselected() -> None:
    found = Suggester(NAMES).suggest("Something of a kind nobody knows", "ea", "05-777")
    assert [(each.wbs_code, OFFERED <= each.confidence < PRESELECTED) for each in found] == [
        ("05-120.S", True)
    ]
    assert Suggester(NAMES).suggest("Something of a kind nobody knows", "ea", "09-777") == []


def test_nothing_alike_is_no_suggestion() -> None:
    assert Suggester(NAMES).suggest("Liquidated damages", "$") == []
    assert Suggester([]).suggest("Anything", "ea", "03-300") == []


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_stronger_vote_is_never_less_sure(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= calibrated(low) <= calibrated(high) <= 1


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=12))
def test_any_text_gets_confidences_in_order_between_offered_and_one(
    description: str, unit: str, item: str
) -> None:
    known = [*NAMES, remembered("concrete footings", "cy", "03-300.S")]
    found = [each.confidence for each in Suggester(known).suggest(description, unit, item)]
    assert found == sorted(found, reverse=True)
    assert all(OFFERED <= confidence <= Decimal(1) for confidence in found)


def test_a_division_is_what_stands_before_the_first_mark() -> None:
    assert [division(code) for code in ("03-310.S", "105-06845", " 9.1", "")] == [
        "03",
        "105",
        "9",
        "",
    ]
