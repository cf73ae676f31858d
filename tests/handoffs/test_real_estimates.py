"""All real estimates beside this clone: written to the budget to the cent, once, and undone."""

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.handoffs.test_handoff import Road
from tests.procore import Procore

CONTRACTS = SHARED / "data" / "indot" / "contracts.csv"
pytestmark = pytest.mark.skipif(
    not CONTRACTS.exists(), reason="the real estimates are not beside this clone"
)


def test_each_equals_the_budget_a_second_push_writes_nothing_and_undo_restores_it(
    synced: int, procore: Procore, tmp_path: Path
) -> None:
    road = Road(synced, procore, tmp_path)
    before = road.budget()
    with CONTRACTS.open(newline="") as file:
        contracts = list(csv.DictReader(file))
    assert len(contracts) == 36
    for contract in contracts:
        path = CONTRACTS.parent / contract["file"]
        estimate = road.estimate(path)
        for step in ("plan", "approve"):
            road.step(step, estimate)
        assert road.step("push", estimate)["state"] == "done", contract["contract"]
        codes = {line.split(",")[1] for line in road.mapping(path).read_text().splitlines()[1:]}
        live = road.budget()
        assert sum((live[code] for code in codes), Decimal(0)) == Decimal(contract["total"])
        procore.control("clear", all=True)
        assert road.step("push", estimate)["state"] == "done"
        assert not [call for call in procore.ledger() if call["method"] != "GET"]
        assert road.step("undo", estimate)["state"] == "undone"
        assert road.budget() == before, contract["contract"]
    assert procore.violations() == []
