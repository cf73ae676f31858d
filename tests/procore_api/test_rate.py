"""The call budget against a model of Procore's windows: never a call too many, never stuck."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from integrations.procore.api.rate import Budget, Standing

LIMITS = ((3600, 40), (10, 8))  # seconds and calls of each window


@dataclass
class Server:
    """Counts in fixed windows, and tells of the nearer one, as Procore does."""

    used: dict[tuple[int, int], int] = field(default_factory=dict)
    refused: int = 0

    def call(self, now: float) -> Standing:
        standings = []
        for length, limit in LIMITS:
            start = int(now) - int(now) % length
            count = self.used[length, start] = self.used.get((length, start), 0) + 1
            standings.append((limit - count, limit, start + length))
        left, limit, reset = min(standings)
        self.refused += left < 0
        return Standing(limit, max(0, left), reset)


class CallsOfManyWorkers(RuleBasedStateMachine):
    """Workers take permits, call when they like, and their answers arrive in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000_000.0
        self.server, self.budget = Server(), Budget()
        self.permits: list[float] = []
        self.answers: list[Standing] = []

    @rule(wanted=st.integers(1, 8), reserve=st.sampled_from([0.0, 0.05]))
    def take(self, wanted: int, reserve: float) -> None:
        self.budget, granted, until = self.budget.take(self.now, wanted, reserve=reserve)
        assert until > self.now
        self.permits += [until] * granted

    @rule()
    def call(self) -> None:
        """A permit whose time has passed is not used, as in SharedRate."""
        if self.permits and self.permits.pop(0) > self.now:
            self.answers.append(self.server.call(self.now))

    @rule(pick=st.integers(0, 100))
    def hear(self, pick: int) -> None:
        if self.answers:
            answer = self.answers.pop(pick % len(self.answers))
            self.budget = self.budget.settle(1, answer)

    @rule(seconds=st.floats(0.01, 2))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def no_call_was_one_too_many(self) -> None:
        assert self.server.refused == 0


TestCallsOfManyWorkers = CallsOfManyWorkers.TestCase
TestCallsOfManyWorkers.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)


def test_people_may_still_call_when_background_work_may_not() -> None:
    budget = Budget((Standing(100, 5, 2_000.0),))
    assert budget.take(1_000.0, 8, reserve=0.05)[1] == 0
    assert budget.take(1_000.0, 1, reserve=0)[1] == 1


def test_a_bar_holds_for_everybody_until_it_has_passed() -> None:
    barred = Budget().settle(1, None, 1_010.0)
    assert barred.take(1_009.0, 1, reserve=0)[1:] == (0, 1_010.0)
    assert barred.take(1_011.0, 1, reserve=0)[1] == 1


def test_permits_of_a_process_that_died_are_given_out_again_in_time() -> None:
    budget, granted, _ = Budget().take(1_000.0, 8, reserve=0)
    assert granted == 4
    assert budget.take(1_001.0, 8, reserve=0)[1] == 0
    assert budget.take(1_020.0, 8, reserve=0)[1] == 4
