"""Web and workers as on two hosts, on one Postgres behind PgBouncer, whose processes die."""

import os
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.chaos.test_kills import kill
from tests.stack import PooledDemo, Stack, running
from tests.visitor import Visitor
from tests.waiting import until


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path / "demo", kind=PooledDemo) as found:
        yield found


def without_drift(stack: Stack, company: int) -> bool:
    return bool(stack.manage("verify", company)["drift"] == 0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(int(os.environ.get("KILL_SEEDS", "1"))))
def test_leases_sessions_and_tokens_hold_on_two_hosts_behind_a_pooler(
    stack: Stack, seed: int
) -> None:
    rng = random.Random(seed)
    second = stack.add_host("second")
    procore = stack.procore
    companies = (procore.company_id, procore.neighbour_id)
    slow = {"kind": "delay", "path": "/rest/*/projects/*", "times": 40, "seconds": 0.3}
    procore.control("faults", **slow)
    for company in companies:
        procore.control("installs", company_id=company, permitted_projects="all")
    stack.manage("discover")
    person = Visitor(stack, companies[0]).sign_in("admin")
    there = Visitor(stack, companies[0], base_url=second)
    there.bearer = person.bearer
    until(lambda: there.opens("/embedded/home/"))
    for name in rng.sample(["worker", "worker-second", "web", "web-second", "pooler", "broker"], 4):
        if name == "pooler":
            stack.kill_pooler()
        else:
            kill(stack, name)
        for company in companies:
            drawn = rng.randint(0, 9999)
            procore.control("mutations", changes=10, seed=drawn, company_id=company)
    procore.control("clear-faults", all=True)
    for company in companies:
        until(partial(without_drift, stack, company), within=150)
    until(lambda: person.opens("/embedded/home/") and there.opens("/embedded/home/"))
    assert procore.violations() == []
