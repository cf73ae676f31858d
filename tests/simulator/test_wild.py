"""The switches of simulator/wild.py: off at the start, the same deviations for the same seed."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.procore.api.values import record_id
from simulator.noise import wrong_values
from simulator.wild import SWITCHES, Spot
from tests.procore import Procore
from tests.simulator.calls import READS, Api, as_person, as_service, filled
from tests.simulator.test_openapi import make_hook

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "simulator.md"
FORMS = (
    "lists_under_data", "lists_under_their_tool", "lists_bare", "records_under_data",
    "records_bare", "one_for_many", "many_for_one", "dates_as_moments",
    "amounts_with_separators", "numbers_as_text", "text_as_numbers",
)  # fmt: skip
NUMBER = re.compile(r"-?[\d,]+(\.\d+)?")


@pytest.fixture
def service(procore: Procore) -> Api:
    return as_service(procore)


def rfis_path(procore: Procore) -> str:
    return f"/rest/v1.0/projects/{procore.projects()[0]}/rfis"


def rfis(service: Api) -> Any:
    return service.call("GET", rfis_path(service.procore)).json()


def test_nothing_deviates_before_a_switch_is_turned_nor_after_a_reset(service: Api) -> None:
    before = rfis(service)
    service.procore.wild()
    assert rfis(service) != before
    service.procore.control("wild", switches=[])
    assert rfis(service) == before
    service.procore.wild()
    service.procore.reset()
    assert service.procore.control("wild")["on"] == []


def test_the_same_seed_deviates_in_the_same_way_and_another_one_in_another(service: Api) -> None:
    service.procore.wild(seed=3)
    first, again = rfis(service), rfis(service)
    assert first == again
    service.procore.wild(seed=4)
    assert rfis(service) != first


def test_a_switch_that_does_not_exist_is_refused(service: Api) -> None:
    with pytest.raises(requests.HTTPError):
        service.procore.wild("no_such_switch")


def test_every_switch_is_documented() -> None:
    text = DOCUMENT.read_text()
    assert [name for name in SWITCHES if f"| `{name}` |" not in text] == []


def plain(value: Any) -> Any:
    """The meaning of a value in any form: equal for equal meanings."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(next(iter(value.values())), list | dict):
            return plain(next(iter(value.values())))
        return {key: plain(inner) for key, inner in value.items()} or None
    if isinstance(value, list):
        rows = [plain(inner) for inner in value]
        return (rows[0] if len(rows) == 1 else rows) or None
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return float(value.replace(",", ""))
    if isinstance(value, str):
        return value.removesuffix("T00:00:00Z")
    return value if value is None or isinstance(value, bool) else float(value)


@pytest.mark.parametrize("switch", FORMS)
def test_a_value_in_another_form_keeps_its_meaning(procore: Procore, switch: str) -> None:
    api = as_person(procore, "admin")
    project = procore.projects()[0]
    hook = make_hook(api)
    addresses = [filled(api, path, project, hook) for _, path in READS]
    before = [api.call("GET", address).json() for address in addresses]
    procore.wild(switch, seed=2)
    after = [api.call("GET", address).json() for address in addresses]
    assert after != before
    for address, strict, wild in zip(addresses, before, after, strict=True):
        assert plain(wild) == plain(strict), address


def test_a_project_has_only_the_codes_in_use_until_more_are_made(procore: Procore) -> None:
    admin = as_person(procore, "admin")
    project = procore.projects()[0]
    base = f"/rest/v1.0/projects/{project}/work_breakdown_structure"
    every = {row["id"]: row for row in admin.call("GET", f"{base}/wbs_codes").json()}
    procore.wild("codes_absent_until_made")
    found = {row["id"] for row in admin.call("GET", f"{base}/wbs_codes").json()}
    used = {row["wbs_code_id"] for row in procore.records(project, "budget_line_items")}
    assert used <= found < every.keys()
    absent = next(row for key, row in every.items() if key not in found)
    line = {"wbs_code_id": absent["id"], "original_budget_amount": 5}
    body = {"project_id": project, "budget_line_item": line}
    refused = admin.call("POST", "/rest/v1.1/budget_line_items", json=body)
    assert (refused.status_code, "Budget Code was not found." in refused.text) == (422, True)
    parts = [
        {"segment_id": item["segment"]["id"], "segment_item_id": item["id"]}
        for item in absent["segment_items"]
    ]
    for part in parts:
        items = admin.call("GET", f"{base}/segments/{part['segment_id']}/segment_items").json()
        assert part["segment_item_id"] in [item["id"] for item in items]
    made = admin.call("POST", f"{base}/wbs_codes", json={"segment_items": parts})
    assert (made.status_code, made.json()["flat_code"]) == (201, absent["flat_code"])
    assert admin.call("POST", f"{base}/wbs_codes", json={"segment_items": parts}).status_code == 422
    assert admin.call("POST", "/rest/v1.1/budget_line_items", json=body).status_code == 201


@pytest.mark.parametrize(
    ("switch", "sentence"),
    [
        ("erp_holds_the_budget", "exported to ERP"),
        ("workflow_holds_the_budget", "cannot be changed because it is set via workflow."),
    ],
)
def test_a_budget_held_elsewhere_takes_no_change(service: Api, switch: str, sentence: str) -> None:
    procore = service.procore
    project = procore.projects()[0]
    before = procore.records(project, "budget_line_items")
    line = {"wbs_code_id": before[0]["wbs_code_id"], "original_budget_amount": 5}
    procore.wild(switch)
    body = {"project_id": project, "budget_line_items": [{"id": before[0]["id"], **line}]}
    answer = service.call("POST", "/rest/v1.0/budget_line_items/sync", json=body)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert procore.records(project, "budget_line_items") == before


def test_a_rolling_minute_counts_the_calls_of_everybody_at_a_company(service: Api) -> None:
    procore = service.procore
    admin, path = as_person(procore, "admin"), rfis_path(procore)
    procore.wild("rolling_minute")
    answers = [(service, admin)[n % 2].call("GET", path) for n in range(25)]
    assert [answer.status_code for answer in answers] == [200] * 25
    assert answers[-1].headers["X-Rate-Limit-Limit"] == "25"
    assert answers[-1].headers["X-Rate-Limit-Remaining"] == "0"
    refused = service.call("GET", path)
    assert refused.status_code == 429
    assert 50 < int(refused.headers["Retry-After"]) <= 61
    procore.control("clock", skew_seconds=61)
    assert service.call("GET", path).status_code == 200


def test_what_a_schema_does_not_hold_is_drawn_only_where_one_was_given(service: Api) -> None:
    before = rfis(service)
    service.procore.wild("wrong_values", "strangers_in_lists")
    assert rfis(service) == before
    schema = {"properties": {"id": {"type": "integer"}, "priority": {"enum": ["low", "high"]}}}
    schemas = {"GET /rest/v1.0/projects/{id}/rfis": schema}
    service.procore.wild("wrong_values", "strangers_in_lists", seed=5, schemas=schemas)
    after = [row for row in rfis(service) if isinstance(row, dict) and row]
    assert len(after) == len(before)
    struck = service.procore.struck("wrong_values")
    changed = {was["id"] for was, row in zip(before, after, strict=True) if row != was}
    assert changed
    assert changed <= struck


def test_wrong_values_never_name_another_record_nor_take_one_out_of_a_list() -> None:
    spot = Spot("GET /rest/v1.0/change_events", schema={"properties": {"unlisted": {}}})
    lengths, lost = set(), 0
    for seed in range(2000):
        record: dict[str, Any] = {
            "id": 5,
            "lines": [{"id": 6, "costs": [[1, 2], {"id": 7}]}, {"id": 8, "codes": ["a", "b"]}],
        }
        wrong_values(record, spot, random.Random(seed))
        lines = record.get("lines")
        lost += record.get("id") != 5
        if isinstance(lines, list) and any(isinstance(line, dict) and line for line in lines):
            lengths.add(len(lines))
            found = {record_id(line.get("id")) for line in lines if isinstance(line, dict)}
            assert found <= {6, 8, None}
        assert record_id(record.get("id")) in {5, None}
    assert lengths == {2}
    assert lost > 0


def test_a_copy_that_people_make_shares_no_line_with_its_original(procore: Procore) -> None:
    for seed in range(5):
        procore.control("mutations", changes=100, seed=seed, company_id=procore.company_id)
    lines = [
        (item["id"], item["event_id"] == event["id"])
        for project in procore.projects()
        for event in procore.records(project, "change_events")
        for item in event["change_items"]
    ]
    assert len({key for key, _ in lines}) == len(lines)
    assert all(own for _, own in lines)
