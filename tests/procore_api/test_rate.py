"""The call budget against a model of Procore: never a call too many, never stuck, none lost."""

import math
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from integrations.procore.api.rate import (
    FORGOTTEN,
    UNHEARD,
    CallBudget,
    CallPlan,
    Held,
    Permits,
    RateHeaders,
    Step,
    Window,
    advised,
    retry_at,
    standing_from,
)

START = 1_000_000_000.0


@dataclass
class Server:
    """Counts the whole app's calls, in rolling or fixed windows, and rejects those beyond.

    A rejected call counts too. `limits`: calls by the length of a window in seconds.
    """

    limits: dict[int, int]
    rolling: bool
    arrived: list[float] = field(default_factory=list)
    refused: int = 0
    early: int = 0
    barred: tuple[float, float] = (0.0, 0.0)  # since, until

    def call(self, now: float) -> tuple[RateHeaders, float]:
        """The headers, and the time until which nobody may call."""
        since, until = self.barred
        self.early += until > now and now > since + 0.001
        self.arrived.append(now)
        standings = []
        for length, limit in self.limits.items():
            start = now - length if self.rolling else now - now % length
            inside = [at for at in self.arrived if at > start or (not self.rolling and at == start)]
            reset = inside[0] + length if self.rolling else start + length
            standings.append((limit - len(inside), limit, math.ceil(reset)))
        left, limit, reset = min(standings)
        if left < 0:
            self.refused += 1
            self.bar(now, reset - now)
        return RateHeaders(limit, max(0, left), reset), self.barred[1] if left < 0 else 0.0

    def bar(self, now: float, seconds: float) -> None:
        self.barred = (now, max(self.barred[1], now + seconds))


@dataclass
class Shared:
    """One budget for all holders, as in Redis."""

    plan: tuple[CallPlan, ...]
    clock: float = START
    budget: CallBudget = field(default_factory=CallBudget)
    bar: float = 0.0
    skew: float = 0.0

    def now(self) -> float:
        return self.clock

    def barred_until(self) -> float:
        return self.bar

    def change(self, step: Step, barred_until: float) -> tuple[int, Held]:
        self.budget, granted, held = step(self.budget, self.plan)
        self.bar = max(self.bar, barred_until)
        return granted, held


Call = tuple[Permits, RateHeaders | None, float]  # the caller, its answer, and its Retry-After


class Calls(RuleBasedStateMachine):
    """Many holders take permits and call; answers come late, in any order, or never."""

    plan: tuple[CallPlan, ...] = (CallPlan(8, 10.0), CallPlan(40, 3600.0))
    limits: tuple[tuple[int, int], ...] = ((10, 8), (3600, 40))
    rolling = True

    def __init__(self) -> None:
        super().__init__()
        self.shared = Shared(self.plan)
        self.server = Server(dict(self.limits), self.rolling)
        self.holders: list[Permits] = []
        self.under_way: list[Call] = []

    @initialize()
    def people_and_syncs(self) -> None:
        self.holders = [self._holder(batch) for batch in (1, 1, 8, 8)]

    def _holder(self, batch: int) -> Permits:
        return Permits(self.shared, reserve=0.0 if batch == 1 else 0.1, batch=batch)

    @rule(which=st.integers(0, 3), answered=st.sampled_from(["", "lost", "status"]))
    def call(self, which: int, answered: str) -> None:
        holder = self.holders[which]
        held = holder.take()
        if held:
            assert held.until > self.shared.clock
            return
        standing, barred = self.server.call(self.shared.clock)
        shown = None if answered == "lost" else standing
        self.under_way.append((holder, shown, 0.0 if answered == "lost" else barred))

    @rule(pick=st.integers(0, 100))
    def hear(self, pick: int) -> None:
        if self.under_way:
            holder, standing, barred = self.under_way.pop(pick % len(self.under_way))
            holder.heard(standing, barred)

    @rule(which=st.integers(0, 3))
    def kill(self, which: int) -> None:
        """Its answers are lost; a new holder replaces it."""
        dead = self.holders[which]
        self.under_way = [call for call in self.under_way if call[0] is not dead]
        self.holders[which] = self._holder(dead.batch)

    @rule(which=st.integers(0, 3))
    def end(self, which: int) -> None:
        self.holders[which].give_back()

    @rule(seconds=st.sampled_from([0.02, 0.3, 1.0, 4.0, 16.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.shared.clock += seconds

    def teardown(self) -> None:
        """All permits come back, and with them the whole window."""
        for holder, standing, barred in self.under_way:
            holder.heard(standing, barred)
        for holder in self.holders:
            holder.give_back()
        self.shared.clock = max(self.shared.clock, self.server.barred[1]) + FORGOTTEN + 3601.0
        learner = self._holder(1)
        assert learner.take() is None
        standing, barred = self.server.call(self.shared.clock)
        learner.heard(standing, barred)
        self.shared.clock += 3601.0
        full = min(limit for _, limit in self.server.limits.items())
        taken = 0
        while taken < full:
            self.shared.budget, granted, _ = self.shared.budget.take(
                "last", self.shared.clock, full, plan=self.plan, reserve=0.0
            )
            if not granted:
                break
            taken += granted
        assert taken == full


class PlannedCalls(Calls):
    """The plan equals Procore's real limits."""

    @invariant()
    def no_call_was_one_too_many(self) -> None:
        assert self.server.refused == 0
        assert self.server.early == 0


class FixedWindows(PlannedCalls):
    rolling = False


class CallsByHeaders(Calls):
    """No plan: only the headers show the limits."""

    plan = ()
    limits = ((10, 8),)

    @invariant()
    def no_call_was_one_too_many(self) -> None:
        assert self.server.refused == 0
        assert self.server.early == 0


class Refusals(Calls):
    """Procore asks to wait for its own reasons, and changes its limits at any time."""

    limits = ((10, 8), (3600, 400))
    plan = (CallPlan(25, 60.0), CallPlan(600, 3600.0))

    @rule(seconds=st.integers(1, 30))
    def asks_to_wait(self, seconds: int) -> None:
        holder = self.holders[0]
        if holder.take() is None:
            self.server.call(self.shared.clock)
            self.server.bar(self.shared.clock, seconds)
            holder.heard(None, self.server.barred[1])

    @rule(limit=st.integers(3, 20))
    def changes_its_limit(self, limit: int) -> None:
        self.server.limits[10] = limit

    @invariant()
    def nobody_comes_too_early(self) -> None:
        assert self.server.early <= self.unavoidable()

    def unavoidable(self) -> int:
        """Calls rejected because of a change whose answers have not arrived yet."""
        return self.server.refused * 8 + len(self.under_way)

    @invariant()
    def the_plan_is_kept_whatever_headers_say(self) -> None:
        recent = [at for at in self.server.arrived if at > self.shared.clock - 60]
        assert len(recent) <= 25


for machine in (PlannedCalls, FixedWindows, CallsByHeaders, Refusals):
    machine.TestCase.settings = settings(max_examples=150, stateful_step_count=80, deadline=None)
TestPlannedCalls = PlannedCalls.TestCase
TestFixedWindows = FixedWindows.TestCase
TestCallsByHeaders = CallsByHeaders.TestCase
TestRefusals = Refusals.TestCase


@dataclass
class Worker:
    """Calls whenever it may; each call takes half a second."""

    shared: Shared
    server: Server
    batch: int = 8

    def __post_init__(self) -> None:
        self.permits = Permits(self.shared, reserve=0.0, batch=self.batch)
        self.under_way: deque[tuple[float, RateHeaders, float]] = deque()

    def step(self) -> int:
        made, now = 0, self.shared.clock
        while self.under_way and self.under_way[0][0] <= now:
            _, standing, barred = self.under_way.popleft()
            self.permits.heard(standing, barred)
        while len(self.under_way) < 10 and self.permits.take() is None:
            standing, barred = self.server.call(now)
            self.under_way.append((now + 0.5, standing, barred))
            made += 1
        return made


def made_in(workers: list[Worker], shared: Shared, seconds: float) -> int:
    made, ends = 0, shared.clock + seconds
    while shared.clock < ends:
        made += sum(worker.step() for worker in workers)
        shared.clock += 0.1
    return made


@pytest.mark.parametrize("rolling", [True, False])
@pytest.mark.parametrize("plan", [(), (CallPlan(60, 10.0),)])
def test_throughput_is_back_within_a_window_after_refusals(
    *, rolling: bool, plan: tuple[CallPlan, ...]
) -> None:
    shared, server = Shared(plan), Server({10: 60, 3600: 100_000}, rolling)
    workers = [Worker(shared, server) for _ in range(3)]
    made_in(workers, shared, 20)
    rng = random.Random(3)
    for _ in range(12):
        made_in(workers, shared, rng.uniform(0.2, 3))
        server.bar(shared.clock, 1.0)
        workers[rng.randrange(3)].permits.heard(None, server.barred[1])
        workers[rng.randrange(3)] = Worker(shared, server)  # the one before was killed
    made_in(workers, shared, FORGOTTEN + 10)
    assert made_in(workers, shared, 40) >= 0.8 * 4 * 60
    assert server.refused == 0


@pytest.mark.parametrize("rolling", [True, False])
def test_a_limit_that_rises_or_falls_is_followed(*, rolling: bool) -> None:
    shared, server = Shared(()), Server({10: 60, 3600: 100_000}, rolling)
    workers = [Worker(shared, server) for _ in range(3)]
    made_in(workers, shared, 20)
    server.limits[10] = 20
    made_in(workers, shared, 30)  # a call already sent may be rejected
    server.refused = 0
    assert 0.7 * 80 <= made_in(workers, shared, 40) <= 80 + 20
    assert server.refused == 0
    server.limits[10] = 60
    made_in(workers, shared, 20)
    assert made_in(workers, shared, 40) >= 0.7 * 240
    assert server.refused == 0


def test_people_may_still_call_when_background_work_may_not() -> None:
    budget = CallBudget(told=(Window(100, 5, 2_000.0, 3600.0),))
    assert budget.take("sync", 1_000.0, 8, reserve=0.1)[1] == 0
    assert budget.take("person", 1_000.0, 1, reserve=0.0)[1] == 1


def test_the_hour_is_named_where_it_is_what_holds() -> None:
    plan = (CallPlan(25, 60.0), CallPlan(30, 3600.0))
    answers = [RateHeaders(25, 20, 1_060.0)]
    budget = CallBudget().settle("a", 1_000.0, answers * 25, under_way=0)
    _, granted, held = budget.take("a", 1_001.0, 1, plan=plan, reserve=0.0)
    assert (granted, held) == (0, Held(1_060.0, hourly=False))
    budget = budget.settle("a", 1_100.0, answers * 5, under_way=0)
    _, granted, held = budget.take("a", 1_130.0, 1, plan=plan, reserve=0.0)
    assert (granted, held.hourly) == (0, True)
    assert 4_600.0 <= held.until <= 4_620.0


def test_permits_of_a_process_that_died_count_as_used_and_come_back_with_their_window() -> None:
    plan = (CallPlan(4, 60.0),)
    budget, granted, _ = CallBudget().take("dead", 1_000.0, 4, plan=plan, reserve=0.0)
    assert granted == 1  # a tenth of the window at a time, at least one
    for _ in range(3):
        budget, _, _ = budget.take("dead", 1_000.0, 4, plan=plan, reserve=0.0)
    for after in (1.0, FORGOTTEN + 1, FORGOTTEN + 50):
        assert budget.take("other", 1_000.0 + after, 4, plan=plan, reserve=0.0)[1] == 0
        budget = budget.take("other", 1_000.0 + after, 4, plan=plan, reserve=0.0)[0]
    assert budget.take("other", 1_000.0 + FORGOTTEN + 63, 4, plan=plan, reserve=0.0)[1] == 1


def test_a_report_that_was_lost_is_made_good_by_the_next_one() -> None:
    budget, granted, _ = CallBudget().take("a", 1_000.0, 8, reserve=0.0)
    assert granted == UNHEARD
    assert budget.loans["a"].permits == UNHEARD
    # Four answers came and their report was lost with Redis; now one call is in progress.
    assert budget.settle("a", 1_001.0, [], under_way=1).loans["a"].permits == 1


NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "Tue, 01 Sep 2026 12:00:40 GMT"}, 40),
        # Procore's clock is an hour ahead of ours: only the difference counts.
        (
            {
                "Retry-After": "Tue, 01 Sep 2026 13:00:40 GMT",
                "Date": "Tue, 01 Sep 2026 13:00:00 GMT",
            },
            40,
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(
    headers: dict[str, str], seconds: int | None
) -> None:
    found = advised(headers, NOW)
    assert found == (NOW + timedelta(seconds=seconds) if seconds is not None else None)
    fallback = timedelta(seconds=60)
    assert retry_at(headers, NOW, fallback) == (found or NOW + fallback)


def test_a_reset_is_understood_whatever_procores_clock_says() -> None:
    headers = {
        "X-Rate-Limit-Limit": "25",
        "X-Rate-Limit-Remaining": "3",
        "X-Rate-Limit-Reset": str(int((NOW + timedelta(hours=1, seconds=20)).timestamp())),
        "Date": "Tue, 01 Sep 2026 13:00:00 GMT",
    }
    standing = standing_from(headers, NOW)
    assert standing
    assert standing.reset_at == (NOW + timedelta(seconds=20)).timestamp()
