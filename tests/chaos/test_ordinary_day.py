"""An ordinary day under narrow limits: Procore sees no violation.

Installs, first syncs, people on pages, webhooks, a limit that changes, a revoked token and mixed
faults, with two web processes and two workers of two processes each.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import requests

from tests.stack import Stack, running
from tests.visitor import Visitor
from tests.waiting import until

ROUNDS = int(os.environ.get("DAY_ROUNDS", "1"))
NARROW = {"per_hour": 100_000, "per_spike": 60, "spike_seconds": 10}
TROUBLE = (
    {"kind": "status", "status": 429, "retry_after": 2, "path": "/rest/*"},
    {"kind": "status", "status": 503, "retry_after": 2, "path": "/rest/*", "as_date": True},
    {"kind": "status", "status": 503, "retry_after": 1, "path": "/rest/*/webhooks/*"},
    {"kind": "status", "status": 502, "path": "/rest/*", "times": 3},
    {"kind": "reset_before", "method": "GET", "path": "/rest/*", "times": 2},
    {"kind": "reset_after", "method": "GET", "path": "/rest/*", "times": 2},
    {"kind": "delay", "path": "/rest/*", "seconds": 0.7, "times": 5},
)
LOGIN_TROUBLE = {"kind": "status", "status": 503, "method": "POST", "path": "/oauth/token"}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path / "demo") as found:
        *shell, worker = found.demo.commands["worker"]
        found.demo.commands["worker-2"] = [*shell, f"{worker} --hostname second@%h"]
        found.demo.spawn("worker-2")
        yield found


class Day:
    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack, self.procore, self.rng = stack, stack.procore, random.Random(seed)
        self.companies = (stack.procore.company_id, stack.procore.neighbour_id)
        self.people: list[Visitor] = []

    def install(self) -> None:
        for company_id in self.companies:
            self.procore.control("installs", company_id=company_id, permitted_projects="all")
        self.stack.manage("discover")
        until(lambda: self.number("procore_syncrun WHERE requests > 0 OR state = 'running'"))

    def number(self, rows: LiteralString) -> int:
        """Counts rows in the stack's database; a command would take seconds."""
        with psycopg.connect(self.stack.demo.environment["DATABASE_OWNER_URL"]) as connection:
            found = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
        return int(found[0]) if found else 0

    def is_over(self) -> bool:
        """Everything that was due has been read."""
        waiting = self.number("procore_dueread") + self.number(
            "procore_syncrun WHERE state = 'running'"
        )
        return not waiting and self.number("procore_syncrun WHERE mode = 'full'") >= 2

    def people_come(self) -> None:
        self.people = [Visitor(self.stack, self.companies[0]).sign_in("admin")]
        self.people.append(Visitor(self.stack, self.companies[0]).sign_in("engineer"))

    def an_hour(self, step: int) -> None:
        """Some seconds in which people work, Procore sends events, and faults occur."""
        for company_id in self.companies:
            seed = self.rng.randint(0, 9999)
            self.procore.control("mutations", changes=8, seed=seed, company_id=company_id)
        if step % 3 == 1:
            self.procore.control("rates", **NARROW, rolling=True, shared=bool(step % 2))
        if step % 3 == 2:
            self.procore.control("rates", per_spike=30)
        if step % 4 == 2:
            self.procore.control("faults", **LOGIN_TROUBLE, retry_after=1)
            self.procore.control("tokens", revoke_app=True)
        self.procore.control("faults", **{"times": 1, **self.rng.choice(TROUBLE)})
        for person in self.people:
            with suppress(requests.RequestException):
                person.open("/embedded/home/")
        time.sleep(1.5)  # noqa: TID251  # other processes keep working meanwhile


@pytest.mark.timeout(240 + 60 * ROUNDS)
def test_an_ordinary_day_leaves_nothing_to_observe(stack: Stack) -> None:
    day = Day(stack, seed=18)
    day.procore.control("rates", **NARROW, rolling=False, shared=False)
    day.procore.control("tokens", one_app_token=True)
    day.install()
    day.people_come()
    for step in range(6 * ROUNDS):
        day.an_hour(step)
    day.procore.control("clear-faults", all=True)
    day.procore.control("rates", per_hour=100_000, per_spike=10_000)
    until(day.is_over, within=120)
    assert day.procore.violations() == []
    made = [call for call in day.procore.ledger() if call["path"].startswith("/rest/")]
    assert len(made) > 100 + 50 * ROUNDS
