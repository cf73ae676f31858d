"""The Marketplace kit is complete, and rejected without any one part."""

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from integrations.procore.api import operations
from integrations.procore.api.asked import Tab, asked
from integrations.procore.api.client import ProcoreClient
from integrations.procore.api.manifest import Level
from integrations.procore.api.operations import OPERATIONS, As, OperationUnlisted, operation_of
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.webhooks.hooks import reconcile
from partner_app.connections.access import app_client
from partner_app.handoffs.models import HandoffState
from partner_app.marketplace import kit
from partner_app.marketplace.configuration import CACHE
from tests.conftest import SHARED
from tests.frame import Frame
from tests.handoffs.people import EXAMPLE, Desk, carry_on
from tests.procore import Procore


def test_it_is_whole_and_writes_every_part(database: None, tmp_path: Path) -> None:
    answer = kit.write_kit(tmp_path / "kit")
    assert answer["missing"] == []
    assert answer["ok"]
    for name in answer["files"]:
        assert (tmp_path / "kit" / name).read_text().strip(), name


def test_no_tool_is_asked_for_with_more_than_it_needs() -> None:
    levels = {(each.tab, each.tool): each.level for each in asked()}
    assert {*levels.values()} == {Level.READ, Level.STANDARD}
    assert [key for key, level in levels.items() if level is Level.STANDARD] == [
        (Tab.COMPANY, "Webhooks API"),
        (Tab.PROJECT, "Webhooks API"),
    ]
    (budget,) = [each for each in asked() if each.tool == "Budget"]
    assert {each.label for each in budget.granular} == {
        "Create and Edit Original Budget Amount",
        "Delete Budget Line Items",
    }


def test_the_checklist_follows_the_form_by_tab_and_label(database: None, tmp_path: Path) -> None:
    answer = kit.write_kit(tmp_path / "kit")
    places = list(dict.fromkeys(entry["where"] for entry in answer["checklist"]))
    assert places == [
        "My Apps",
        "Configuration Builder, Components",
        "Data Connector",
        "Permission Builder, Company tab",
        "Permission Builder, Project tab",
        "Post-installation",
        "Version for the sandbox",
        "Credentials",
        "Promote",
        "Listing",
    ]
    set_to = {(entry["where"], entry["label"]): entry["value"] for entry in answer["checklist"]}
    for label in ("User Level Authentication", "Service Account"):
        assert set_to["Data Connector", label] == "on"
    for tab in ("Company", "Project"):
        assert set_to[f"Permission Builder, {tab} tab", "Webhooks API"] == "Standard"
    assert set_to["Permission Builder, Project tab", "Budget"] == "Read-Only"
    text = (tmp_path / "kit" / "configuration.md").read_text()
    assert CACHE in text
    assert "- [ ] Budget, granular: Create and Edit Original Budget Amount:" in text
    assert "Budget: Admin" in text
    assert not (tmp_path / "kit" / "manifest.json").exists()


@pytest.mark.parametrize("gone", sorted(kit.SCREENSHOTS))
def test_a_missing_screenshot_is_named(
    database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    images = tmp_path / "images"
    shutil.copytree(kit.IMAGES, images)
    (images / gone).unlink()
    monkeypatch.setattr(kit, "IMAGES", images)
    refused(tmp_path, gone)


@pytest.mark.parametrize("part", kit.LISTING_PARTS)
def test_a_missing_part_of_the_listing_is_named(
    database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    content = tmp_path / "content"
    shutil.copytree(kit.CONTENT, content)
    listing = content / "listing.md"
    listing.write_text(listing.read_text().replace(f"## {part}\n", "\n"))
    monkeypatch.setattr(kit, "CONTENT", content)
    refused(tmp_path, f"{part} is missing")


@pytest.mark.parametrize("slug", kit.GUIDES)
def test_a_missing_guide_is_named(
    database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    whole = kit._guide

    def without(name: str) -> Path:
        return kit.ROOT / "docs" / "users" / "gone.md" if name == slug else whole(name)

    monkeypatch.setattr(kit, "_guide", without)
    refused(tmp_path, "gone.md is missing")


def test_a_test_that_an_answer_names_has_to_exist(
    database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit, "missing_tests", lambda: ["tests/trust/test_x.py::test_gone"])
    refused(tmp_path, "test_gone does not exist")


def test_an_operation_that_a_resource_reads_has_to_be_listed(
    database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "GET /rest/v1.0/projects/{}/rfis"
    monkeypatch.delitem(operations._KNOWN, key)
    operation_of.cache_clear()
    refused(tmp_path, "rfis")
    operation_of.cache_clear()


def refused(tmp_path: Path, words: str) -> None:
    answer = kit.write_kit(tmp_path / "kit")
    assert not answer["ok"]
    assert any(words in each for each in answer["missing"]), answer["missing"]


def test_a_call_that_is_not_listed_never_leaves(company: int, procore: Procore) -> None:
    client: ProcoreClient = app_client(company)
    before = len(procore.ledger())
    with pytest.raises(OperationUnlisted):
        client.get("/rest/v1.0/companies/1/programs")
    with pytest.raises(OperationUnlisted):
        client.write("DELETE", "/rest/v1.0/projects/1/rfis/2", None)
    assert len(procore.ledger()) == before


def test_every_operation_is_documented_and_neither_deprecated_nor_superseded() -> None:
    if not SHARED.exists():
        pytest.skip("the reference is not beside this clone")
    with (SHARED / "procore" / "endpoints.tsv").open(newline="") as lines:
        known = {
            f"{row['method']} {re.sub(r'{[^}]+}', '{}', row['path'])}": row["deprecated"]
            for row in csv.DictReader(lines, delimiter="\t")
        }
    assert {each.key: known.get(each.key, "absent") for each in OPERATIONS} == {
        each.key: "" for each in OPERATIONS
    }


def test_what_is_asked_for_is_what_is_called(admin: Frame, procore: Procore) -> None:
    """Runs all that the app does and compares the simulator's ledger with the list, both ways."""
    company = admin.company_id
    admin.get("/embedded/settings/")
    admin.post("/embedded/settings/permissions/")
    admin.get("/embedded/settings/budget-view/")
    reconcile(company_id=company)  # registers
    reconcile(company_id=company)  # reads the log
    desk = Desk(procore, company, "admin")
    desk.drop(EXAMPLE.read_bytes())
    walk_through(desk)
    called = {_key(call) for call in procore.ledger() if call["path"].startswith("/rest/")}
    listed = {each.key for each in OPERATIONS}
    assert called - listed == set()
    rare = {
        "GET /rest/v1.1/budget_line_items/{}",  # before a line is changed: tests/handoffs
        "GET /rest/v1.0/budget_views/{}/budget_detail_columns",  # a choice of view: preferences
        "PATCH /rest/v2.0/companies/{}/webhooks/hooks/{}",  # a month later: tests/webhooks
        "DELETE /rest/v2.0/companies/{}/webhooks/hooks/{}",  # when doubled: tests/webhooks
    }
    assert listed - called <= rare | proofs()
    assert all(each.caller in As for each in OPERATIONS)


def proofs() -> set[str]:
    """The calls made when a list is in doubt: tests/sync/test_absence.py."""
    paths = [
        re.sub(r"{\w+}", "{}", path)
        for model in RESOURCES.values()
        for source in model.spec.sources
        for path in (source.show, source.bin)
        if path
    ]
    return {f"GET {path}" for path in paths}


def test_no_record_is_asked_for_by_its_id_that_no_list_may_need(database: None) -> None:
    listed = {each.key for each in OPERATIONS}
    asked = {each.key for each in OPERATIONS if each.why.startswith("Whether a record is gone")}
    assert proofs() <= listed
    assert asked <= proofs()


def walk_through(desk: Desk) -> None:
    """From a file to the budget and back, by one person."""
    desk.frame.post("/embedded/settings/duties/", apart="")
    desk.plan()
    desk.act("submit")
    desk.act("approve")
    carry_on()
    desk.act("undo/now")
    carry_on()
    assert desk.handoff.state == HandoffState.UNDONE
    desk.frame.post("/embedded/settings/digest/", often="daily")


def _key(call: dict[str, Any]) -> str:
    path = re.sub(r"(?<=/)\d+(?=/|$)", "{}", call["path"])
    return f"{call['method']} {path}"
