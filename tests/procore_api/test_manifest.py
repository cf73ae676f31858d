"""The permission manifest: any spelling of a right counts, and an unproved right does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.api.manifest import Level, Manifest, read_manifest


def tool(name: str, level: object, *actions: object, **more: object) -> dict[str, Any]:
    return {"name": name, "user_access_level": level, "permitted_actions": list(actions), **more}


def of(*tools: object) -> Manifest:
    return read_manifest({"tools": list(tools)})


@pytest.mark.parametrize(
    ("stated", "level"),
    [
        ({"id": 4, "name": "admin"}, Level.ADMIN),
        ({"id": "4", "name": "Admin"}, Level.ADMIN),
        ({"name": "Read Only"}, Level.READ),
        ({"name": "read_only"}, Level.READ),
        ("READ-ONLY", Level.READ),
        ("readonly", Level.READ),
        ({"id": 3, "name": " standard "}, Level.STANDARD),
        ("None", Level.NONE),
        ({"name": "none"}, Level.NONE),
    ],
)
def test_a_level_is_known_in_any_spelling(stated: object, level: Level) -> None:
    found = of(tool("budget", stated))
    assert found.level("Budget") is level
    assert not found.unclear


@pytest.mark.parametrize(
    "stated",
    [{"name": "superuser", "id": 4}, {"name": "admins"}, {"id": 4}, None, 4, True, [], {}, "", 1.5],
)
def test_a_level_that_is_not_known_is_no_access_and_is_said(stated: object) -> None:
    found = of(tool("budget", stated), tool("rfis", "standard"))
    assert found.level("budget") is Level.NONE
    assert not found.understood("budget")
    assert found.level("rfis") is Level.STANDARD
    assert found.understood("rfis")


def test_an_id_counts_where_the_manifest_itself_says_what_it_means() -> None:
    found = of(tool("rfis", {"id": 7, "name": "Standard"}), tool("budget", {"id": "7"}))
    assert found.level("budget") is Level.STANDARD
    doubtful = of(
        tool("rfis", {"id": 7, "name": "Standard"}),
        tool("submittals", {"id": 7, "name": "none"}),
        tool("budget", {"id": 7}),
    )
    assert doubtful.level("budget") is Level.NONE


@pytest.mark.parametrize("name", ["punch_list", "Punch List", "punchList", "PUNCH-LIST", "punch"])
def test_a_tool_is_known_in_any_spelling(name: str) -> None:
    assert of(tool(name, "standard")).level("punch_list") is Level.STANDARD


def test_other_envelopes_are_read() -> None:
    inner = [tool("budget", "admin")]
    for body in (
        {"data": {"tools": inner}},
        inner,
        {"data": inner},
        {"tools": {"budget": inner[0]}},
    ):
        assert read_manifest(body).level("budget") is Level.ADMIN
    assert read_manifest({"tools": {"Budget": "Admin"}}).level("budget") is Level.ADMIN


@pytest.mark.parametrize(
    "action",
    [
        {"action_name": "create_and_edit_original_budget_amount"},
        {"action_name": "modify_original_budget_amount"},
        {"action_name": "ModifyOriginalBudgetAmount"},
        {"action_name": "x17", "label": "Modify original budget amount"},
        "Create and Edit Original Budget Amount",
    ],
)
def test_both_names_of_the_budget_permission_allow_to_edit(action: object) -> None:
    assert of(tool("budget", "read_only", action)).edits_budget
    assert of(tool("budget", "admin")).edits_budget
    assert not of(tool("budget", "none", action)).edits_budget
    assert not of(tool("budget", "standard")).edits_budget
    assert not of(
        tool("budget", "standard", {"action_name": "delete_budget_line_items"})
    ).edits_budget
    assert not of(tool("rfis", "admin", action), tool("budget", "standard")).edits_budget


def test_a_tool_that_is_not_available_is_denied_whatever_its_level() -> None:
    found = of(tool("budget", "admin", available_for_user=False))
    assert found.level("budget") is Level.NONE
    assert not found.edits_budget


def test_of_two_rights_on_one_tool_only_what_both_give_counts() -> None:
    found = of(tool("budget", "admin"), tool("Budget", "read_only"))
    assert found.level("budget") is Level.READ
    assert not found.understood("budget")


def test_one_out_of_many_and_many_out_of_one_are_understood() -> None:
    action = {"action_name": "create_and_edit_original_budget_amount"}
    found = of(
        {"name": "budget", "user_access_level": [{"name": "standard"}], "permitted_actions": action}
    )
    assert found.level("budget") is Level.STANDARD
    assert found.edits_budget
    several = [{"name": "read_only"}, {"name": "admin"}]
    assert of({"name": "budget", "user_access_level": several}).level("budget") is Level.NONE


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
levels = json | st.fixed_dictionaries({}, optional={"id": json, "name": json})
entries = json | st.fixed_dictionaries(
    {},
    optional={
        "name": json | st.just("budget"),
        "friendly_name": json,
        "user_access_level": levels,
        "permitted_actions": json,
        "available_for_user": json,
    },
)


@given(json | st.fixed_dictionaries({"tools": st.lists(entries) | json}))
def test_no_answer_raises_and_none_gives_a_right_that_it_does_not_name(body: object) -> None:
    found = read_manifest(body)
    text = "".join(repr(body).casefold().split())
    for right in found.tools.values():
        if right.level:
            assert any(name in text for name in ("read", "standard", "admin"))
    assert not found.edits_budget or "admin" in text or "budget" in text
