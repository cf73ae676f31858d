"""Processes die in the middle of a first sync; it completes by itself, nothing lost or doubled."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack, running
from tests.waiting import until


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path / "demo") as found:
        yield found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_first_sync_survives_the_death_of_worker_and_web(stack: Stack, seed: int) -> None:
    rng = random.Random(seed)
    company = stack.procore.company_id
    slow = {"kind": "delay", "path": "/rest/*/projects/*", "times": 30, "seconds": 0.3}
    stack.procore.control("faults", **slow)
    stack.procore.control("installs", company_id=company, permitted_projects="all")
    stack.manage("discover")

    def state() -> dict[str, object]:
        found: dict[str, object] = stack.manage("status", company)["companies"][0]
        return found

    until(lambda: state()["last_sync"])
    for name in rng.sample(["worker", "web", "worker"], 3):
        before = stack.demo.processes[name].pid
        stack.kill(name)
        until(lambda name=name, before=before: stack.demo.processes[name].pid != before)  # type: ignore[misc]

    def done() -> bool:
        last = state()["last_sync"]
        return isinstance(last, dict) and last["state"] == "done"

    until(done, within=90)
    checked = stack.manage("verify", company)
    assert checked["drift"] == 0
    assert stack.procore.violations() == []
