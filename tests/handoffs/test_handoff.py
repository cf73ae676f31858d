import csv
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrations.procore.api.errors import ProcoreError
from partner_app.estimates.services import import_estimate
from partner_app.handoffs.cli import (
    approve_handoff,
    plan_handoff,
    push_handoff,
    undo_handoff,
)
from partner_app.handoffs.errors import (
    BudgetLocked,
    NotApproved,
    PlanIsBlocked,
    PlanIsStale,
    WriteNotProved,
)
from tests.conftest import SHARED
from tests.natures import both_natures
from tests.procore import Procore

SMALL = Path(__file__).parents[1] / "estimates" / "files" / "small.csv"
REAL = SHARED / "data" / "indot" / "estimates"


class Road:
    """The road job: its WBS codes are the sections of the pay items."""

    def __init__(self, company_id: int, procore: Procore, folder: Path) -> None:
        self.company_id, self.procore, self.folder = company_id, procore, folder
        self.project_id = procore.projects()[1]

    def mapping(self, file: Path) -> Path:
        with file.open(newline="") as lines:
            sections = sorted({row["Pay Item"][:3] for row in csv.DictReader(lines)})
        path = self.folder / "mapping.csv"
        rows = [f"{section}*,{section}-000.S," for section in sections]
        path.write_text("item_code,wbs_code,percent\n" + "\n".join(rows) + "\n")
        return path

    def estimate(self, file: Path = SMALL, *, mapped: bool = True) -> str:
        answer = import_estimate(
            file=file,
            company_id=self.company_id,
            project_id=self.project_id,
            mapping=self.mapping(file) if mapped else None,
            dry_run=False,
        )
        return str(answer["estimate_id"])

    def step(self, name: str, estimate_id: str) -> dict[str, Any]:
        services: dict[str, Any] = {
            "plan": plan_handoff,
            "approve": approve_handoff,
            "push": push_handoff,
            "undo": undo_handoff,
        }
        answer: dict[str, Any] = services[name](company_id=self.company_id, estimate_id=estimate_id)
        return answer

    def budget(self) -> dict[str, Decimal]:
        codes = {
            c["id"]: c["flat_code"] for c in self.procore.records(self.project_id, "wbs_codes")
        }
        lines = self.procore.records(self.project_id, "budget_line_items")
        return {
            codes[line["wbs_code_id"]]: Decimal(str(line["original_budget_amount"]))
            for line in lines
        }


@pytest.fixture
def road(synced: int, procore: Procore, tmp_path: Path) -> Road:
    return Road(synced, procore, tmp_path)


def pushed(road: Road, file: Path = SMALL) -> str:
    estimate_id = road.estimate(file)
    for step in ("plan", "approve"):
        road.step(step, estimate_id)
    assert road.step("push", estimate_id)["state"] == "done"
    return estimate_id


@both_natures
def test_the_budget_equals_the_estimate_to_the_cent_and_a_second_push_writes_nothing(
    road: Road,
) -> None:
    before = road.budget()
    estimate_id = pushed(road)
    budget = road.budget()
    wanted = {"105-000.S": "12500.00", "202-000.S": "1404.33", "304-000.S": "-180.00"}
    assert {code: budget[code] for code in wanted} == {c: Decimal(v) for c, v in wanted.items()}
    untouched = before.keys() - wanted.keys()
    assert all(budget[code] == before[code] for code in untouched)
    road.procore.control("clear", all=True)
    assert road.step("push", estimate_id)["state"] == "done"
    assert [call["method"] for call in road.procore.ledger() if call["method"] != "GET"] == []
    assert road.budget() == budget
    road.step("undo", estimate_id)
    assert road.budget() == before


def test_rows_that_name_no_wbs_code_are_planned_written_and_read_back_like_all_others(
    road: Road,
) -> None:
    estimate_id = pushed(road)
    first = road.budget()
    road.procore.wild("budget_rows_without_wbs_code")
    again = road.step("plan", road.estimate())
    assert (again["create"], again["update"], again["blocked"]) == (0, 0, 0)
    assert road.step("undo", estimate_id)["state"] == "undone"
    assert pushed(road)
    assert road.budget() == first


def test_a_row_that_may_be_any_of_several_codes_is_not_written_over(
    road: Road, procore: Procore
) -> None:
    """A row without its cost type may have the same code: Procore might overwrite it."""
    pushed(road)
    before = road.budget()
    codes = {c["flat_code"]: c for c in procore.records(road.project_id, "wbs_codes")}
    kind = codes["105-000.S"]["segment_items"]
    kind[1]["name"], kind[1]["code"] = "Nobody's type", "?"
    procore.control(
        f"projects/{road.project_id}/wbs_codes/{codes['105-000.S']['id']}",
        set={"segment_items": kind},
    )
    estimate_id = road.estimate()
    plans = []
    for seed in range(20):  # until the row of this code has no WBS code
        procore.wild("budget_rows_without_wbs_code", seed=seed)
        plans.append(road.step("plan", estimate_id))
    blocked = [plan for plan in plans if plan["blocked"]]
    assert blocked
    for plan in plans:
        assert plan["create"] == 0
    for plan in blocked:
        assert "a budget row without a WBS code may already hold 105-000.S" in plan["reasons"]
    assert road.budget() == before


@both_natures
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "truncate"])
def test_a_push_whose_answer_is_lost_writes_each_line_once(road: Road, kind: str) -> None:
    before = road.budget()
    road.procore.control(
        "faults", kind=kind, method="POST", path="/rest/v1.0/budget_line_items/sync"
    )
    estimate_id = pushed(road)
    assert len(road.budget()) == len(before.keys() | {"105-000.S", "202-000.S", "304-000.S"})
    road.step("undo", estimate_id)
    assert road.budget() == before


@pytest.mark.parametrize("seed", range(int(os.environ.get("CHAOS_SEEDS", "12"))))
def test_lost_answers_and_crashes_neither_double_nor_lose_a_line(road: Road, seed: int) -> None:
    rng = random.Random(seed)
    before = road.budget()
    estimate_id = road.estimate()
    road.step("plan", estimate_id)
    road.step("approve", estimate_id)
    for step in ("push", "undo"):
        for _ in range(rng.randint(1, 3)):
            kind = rng.choice(["reset_before", "reset_after", "truncate", "html"])
            where = {"method": rng.choice(["POST", "DELETE"]), "path": "*budget_line_items*"}
            road.procore.control("faults", kind=kind, times=rng.randint(1, 4), **where)
        for _ in range(16):
            try:
                answer = road.step(step, estimate_id)
            except ProcoreError:
                continue
            if answer["state"] in {"done", "undone"}:
                break
        road.procore.control("clear-faults", all=True)
        codes = [
            line["wbs_code_id"]
            for line in road.procore.records(road.project_id, "budget_line_items")
        ]
        assert len(codes) == len(set(codes))
        if step == "push":
            assert road.budget()["202-000.S"] == Decimal("1404.33")
    assert road.budget() == before
    assert road.procore.violations() == []


@both_natures
def test_a_row_that_procore_refuses_spares_the_others_and_is_named(road: Road) -> None:
    """Somebody makes a code inactive between plan and push."""
    estimate_id = road.estimate()
    road.step("plan", estimate_id)
    road.step("approve", estimate_id)
    codes = road.procore.records(road.project_id, "wbs_codes")
    retired = next(code["id"] for code in codes if code["flat_code"] == "304-000.S")
    road.procore.control(
        f"projects/{road.project_id}/wbs_codes/{retired}", set={"status": "inactive"}
    )
    answer = road.step("push", estimate_id)
    assert answer["state"] == "partial"
    assert any("304-000.S" in reason for reason in answer["reasons"])
    assert road.budget()["202-000.S"] == Decimal("1404.33")
    road.procore.control(
        f"projects/{road.project_id}/wbs_codes/{retired}", set={"status": "active"}
    )
    assert road.step("push", estimate_id)["state"] == "done"
    assert road.budget()["304-000.S"] == Decimal("-180.00")


@pytest.mark.parametrize(
    "rights",
    [
        {"manifest": {"granular": []}},
        {"manifest": {"granular": [], "project": {"budget": "standard"}}},
        {"answers": False},
    ],
)
def test_a_right_that_is_not_proved_refuses_the_approval_and_loses_nothing(
    road: Road, rights: dict[str, Any]
) -> None:
    """The approval is denied, not the push, when people already count on it."""
    estimate_id = road.estimate()
    road.procore.control("service-account", company_id=road.company_id, **rights)
    plan = road.step("plan", estimate_id)
    assert plan["write_permission"]["proved"] is False
    assert "does not confirm that the service account may edit" in plan["reasons"][-1]
    with pytest.raises(WriteNotProved) as refused:
        road.step("approve", estimate_id)
    assert "Budget: Admin" in refused.value.advice
    restored = {"granular": ["create_and_edit_original_budget_amount"]}
    road.procore.control(
        "service-account", company_id=road.company_id, manifest=restored, answers=True
    )
    answer = road.step("approve", estimate_id)
    assert (answer["state"], answer["handoff_id"]) == ("approved", plan["handoff_id"])
    assert answer["write_permission"] == {
        "proved": True,
        "budget_level": plan["write_permission"]["budget_level"] or "Read-Only",
        "granular": {"Create and Edit Original Budget Amount": True},
    }
    assert road.step("push", estimate_id)["state"] == "done"


def test_administration_of_the_budget_tool_is_as_good_as_the_granular_permission(
    road: Road,
) -> None:
    rights = {"granular": [], "project": {"budget": "admin"}}
    road.procore.control(
        "service-account", company_id=road.company_id, manifest=rights, template=rights,
        rejoin=road.procore.projects(),
    )  # fmt: skip
    estimate_id = road.estimate()
    road.step("plan", estimate_id)
    assert road.step("approve", estimate_id)["write_permission"] == {
        "proved": True,
        "budget_level": "Admin",
        "granular": {"Create and Edit Original Budget Amount": False},
    }
    assert road.step("push", estimate_id)["state"] == "done"


def test_lines_without_a_code_block_the_plan_and_say_so(road: Road) -> None:
    estimate_id = road.estimate(mapped=False)
    assert "4 lines" in road.step("plan", estimate_id)["reasons"][0]
    with pytest.raises(PlanIsBlocked):
        road.step("approve", estimate_id)
    with pytest.raises(NotApproved):
        road.step("push", estimate_id)


@both_natures
def test_a_plan_made_before_somebody_edited_the_budget_is_stale(road: Road) -> None:
    estimate_id = pushed(road)
    road.step("plan", estimate_id)
    road.step("approve", estimate_id)
    codes = {c["flat_code"]: c["id"] for c in road.procore.records(road.project_id, "wbs_codes")}
    line = next(
        line
        for line in road.procore.records(road.project_id, "budget_line_items")
        if line["wbs_code_id"] == codes["105-000.S"]
    )
    path = f"projects/{road.project_id}/budget_line_items/{line['id']}"
    road.procore.control(path, set={"original_budget_amount": "1.00"})
    with pytest.raises(PlanIsStale):
        road.step("push", estimate_id)
    road.procore.control(path, set={"original_budget_amount": "12500.00"})
    for step in ("plan", "approve", "push"):
        road.step(step, estimate_id)


@both_natures
def test_a_locked_budget_is_never_unlocked(road: Road) -> None:
    estimate_id = road.estimate()
    road.step("plan", estimate_id)
    road.step("approve", estimate_id)
    road.procore.control(f"projects/{road.project_id}/lock", locked=True)
    before = road.budget()
    with pytest.raises(BudgetLocked):
        road.step("push", estimate_id)
    assert road.budget() == before


@pytest.mark.skipif(not REAL.exists(), reason="the real estimates are not beside this clone")
def test_a_real_estimate_of_243_lines_ties_out_to_the_cent(road: Road) -> None:
    before = road.budget()
    file = REAL / "R-43798-A.csv"
    estimate_id = pushed(road, file)
    sections = {line.split(",")[1] for line in road.mapping(file).read_text().splitlines()[1:]}
    total = sum((amount for code, amount in road.budget().items() if code in sections), Decimal(0))
    assert total == Decimal("25236841.72")
    assert road.procore.violations() == []
    road.step("undo", estimate_id)
    assert road.budget() == before


def test_what_was_approved_is_remembered_for_the_next_estimate(road: Road) -> None:
    first = road.estimate()
    road.step("plan", first)
    assert mapped_without_a_file(road) == 0  # a plan alone decides nothing
    road.step("approve", first)
    assert mapped_without_a_file(road) == 4  # all lines of the file
    second = road.estimate(mapped=False)
    assert road.step("plan", second)["reasons"] == []
    assert road.step("plan", second)["total"] == road.step("plan", first)["total"]


def test_a_description_and_unit_are_remembered_under_another_code(road: Road) -> None:
    road.step("plan", estimate := road.estimate())
    road.step("approve", estimate)
    renamed = road.folder / "renamed.csv"
    with SMALL.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["Pay Item"] = f"X-{number}"
        row["Description"] = row["Description"].lower() + "  "
    with renamed.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    answer = import_estimate(
        file=renamed,
        company_id=road.company_id,
        project_id=road.project_id,
        mapping=None,
        dry_run=True,
    )
    assert answer["mapped"] == answer["lines"]


def mapped_without_a_file(road: Road) -> object:
    return import_estimate(
        file=SMALL,
        company_id=road.company_id,
        project_id=road.project_id,
        mapping=None,
        dry_run=True,
    )["mapped"]
