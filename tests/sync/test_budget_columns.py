"""Budget views by role, columns by name, and rows without a WBS code by code and type."""

import json
from typing import Any

import pytest

from integrations.procore.resources.budget_columns import (
    BudgetColumn,
    meaning_of,
    renamed,
    renaming,
)
from integrations.procore.resources.budget_ties import OldRow, cost_types_in, tie
from integrations.procore.resources.budget_views import ViewChoice, choose, is_fallback, views_in

OWN = {"id": 1, "name": "Executive Summary", "role": "custom"}
STANDARD = {"id": 2, "name": "Procore Standard Budget", "role": "budgeting"}
FORECAST = {"id": "3", "name": "Forecast", "role": None}
TYPES = cost_types_in([(901, "L", "Labor"), (902, "M", "Materials"), (903, "OC", "Owner Cost")])


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("Committed Costs", "committed_costs"), ("committed_cost", "committed_costs"),
        ("COMMITTED COSTS", "committed_costs"), ("Projected over Under", "projected_over_under"),
        ("Projected Over/Under", "projected_over_under"), ("Approved COs", "approved_cos"),
        ("Job to Date Costs", "job_to_date_costs"),
        ("Forecast To Complete", "forecast_to_complete"),
        ("Signed Contracts", ""), ("Committed Costs (unapproved)", ""), ("cost_code", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_standard_column_is_known_in_other_spelling_and_a_tenants_own_is_not(
    name: str, ours: str
) -> None:
    assert meaning_of(name) == ours


def test_a_tenants_column_counts_only_where_it_was_pinned() -> None:
    row = {"id": 5, "Signed Contracts": "10.00", "Direct Costs": "2.00", "7000009": "3.00"}
    assert "committed_costs" not in renamed(row)
    assert renamed(row)["direct_costs"] == "2.00"
    pinned = (
        BudgetColumn("committed_costs", "7000001", "Signed Contracts"),
        BudgetColumn("pending_cost_changes", "7000009", "Under Discussion"),
    )
    found = renamed(row, pinned)
    assert (found["committed_costs"], found["pending_cost_changes"]) == ("10.00", "3.00")
    assert found["direct_costs"] is None, "the view may use a standard name for something else"


def test_columns_beside_the_row_are_found_as_well() -> None:
    row = {"id": 5, "additional_properties": {"Committed Costs": "4.00"}}
    assert renamed(row)["committed_costs"] == "4.00"


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"data": rows}])
def test_rows_are_renamed_in_every_envelope_and_amounts_stay_exact(wrap: Any) -> None:
    body = json.dumps(wrap([{"id": 4300000001, "Committed Costs": 0.1}, None])).encode()
    seen = json.loads(renaming(lambda found: found, ())(body))
    rows = seen if isinstance(seen, list) else seen["data"]
    assert rows[0]["committed_costs"] == 0.1
    assert rows[0]["id"] == 4300000001
    assert rows[1] is None


@pytest.mark.parametrize("body", [b"<html>", b"", b"[[]", b"null", b"[1, [2]]", b"\xff\xfe"])
def test_what_is_no_list_is_left_to_the_decoder(body: bytes) -> None:
    seen = renaming(lambda found: found, ())(body)
    try:
        assert json.loads(seen) == json.loads(body)
    except ValueError:
        assert seen == body


@pytest.mark.parametrize(
    ("views", "pinned", "chosen", "fallback"),
    [
        ([OWN, STANDARD], None, 2, False),
        ([OWN, {**STANDARD, "role": "Budgeting"}], None, 2, False),
        ([OWN, {**STANDARD, "role": "primary"}], None, 2, True),
        ([OWN, FORECAST], None, 1, True),
        ([OWN, STANDARD, FORECAST], 3, 3, False),
        ([OWN, STANDARD], 3, 2, True),
        ([], 3, None, False),
        ([{"id": None, "name": "No id"}, {"id": "x"}], None, None, False),
    ],
)
def test_a_view_is_chosen_by_the_company_or_by_its_role(
    views: list[dict[str, Any]], pinned: int | None, chosen: int | None, *, fallback: bool
) -> None:
    choice = ViewChoice(pinned)
    view = choose(views_in(views), choice)
    assert (view.id if view else None) == chosen
    assert is_fallback(view, choice) is fallback


def row(cost_code: str, category: str, category_id: int | None = None, biller: str = "") -> OldRow:
    return OldRow(1, cost_code, category, category_id, biller)


@pytest.mark.parametrize(
    ("old", "codes", "found"),
    [
        (row("01-011 - Concrete", "Labor"), ["01-011.L"], "01-011.L"),
        (row("01-011", "", 902), ["01-011.L", "01-011.M"], "01-011.M"),
        (row("01-011 - Concrete", "Own words", 901), ["01-011.L"], "01-011.L"),
        (row("01-011 - Concrete", "owner costs"), ["01-011.OC"], "01-011.OC"),
        (row("03.30.00 - Concrete", "L"), ["03.30.00.L", "30.00.L"], "03.30.00.L"),
        (row("01-011 - Concrete", "Labor"), ["L.01-011"], "L.01-011"),
        (
            row("01-011 - Concrete", "Labor", biller="T2 - Tower 2"),
            ["T1.01-011.L", "T2.01-011.L", "01-011.L"], "T2.01-011.L",
        ),
        (
            row("01-011 - Concrete", "Labor", biller="River Street"),
            ["T1.01-011.L", "T2.01-011.L", "01-011.L"], "01-011.L",
        ),
        (row("01-011 - Concrete", "Labor"), ["T1.01-011.L", "T2.01-011.L"], None),
        (row("01-011 - Concrete", "Unknown"), ["01-011.L"], None),
        (row("01-01 - Concrete", "Labor"), ["01-011.L"], None),
        (row("", "Labor"), ["01-011.L"], None),
        (row("01-011 - Concrete", "Labor"), [], None),
    ],
)  # fmt: skip
def test_a_row_without_a_wbs_code_is_tied_by_code_and_type_or_not_at_all(
    old: OldRow, codes: list[str], found: str | None
) -> None:
    ids = dict(enumerate(codes, 100))
    tied = tie([old], ids.items(), TYPES)
    assert (ids[tied[1]] if tied else None) == found
