"""Processes die in the middle of a first sync; it still completes, without loss or duplicates."""

import os
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


def kill(stack: Stack, name: str) -> None:
    """Kills it and waits until it is back."""
    if name == "broker":
        stack.kill_broker()
    elif name == "database":
        stack.kill_database()
    else:
        before = stack.demo.processes[name].pid
        stack.kill(name)
        until(lambda: stack.demo.processes[name].pid != before)


@pytest.mark.parametrize("seed", range(int(os.environ.get("KILL_SEEDS", "2"))))
def test_a_first_sync_survives_the_death_of_any_process(stack: Stack, seed: int) -> None:
    rng = random.Random(seed)
    company = stack.procore.company_id
    slow = {"kind": "delay", "path": "/rest/*/projects/*", "times": 60, "seconds": 0.3}
    stack.procore.control("faults", **slow)
    stack.procore.control("webhooks", duplicate=0.3, reorder=True)
    stack.procore.control("installs", company_id=company, permitted_projects="all")
    stack.manage("discover")

    def state() -> dict[str, object]:
        found: dict[str, object] = stack.manage("status", company)["companies"][0]
        return found

    until(lambda: state()["last_sync"])
    for name in rng.sample(["worker", "worker", "web", "beat", "broker", "database"], 6):
        kill(stack, name)
        stack.procore.control(
            "mutations", changes=15, seed=rng.randint(0, 9999), company_id=company
        )

    def done() -> bool:
        last = state()["last_sync"]
        return isinstance(last, dict) and last["state"] == "done"

    until(done, within=90)
    stack.procore.control("clear-faults", all=True)
    until(lambda: stack.manage("verify", company)["drift"] == 0, within=120)
    assert stack.procore.violations() == []
