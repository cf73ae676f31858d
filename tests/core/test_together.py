"""Work that several threads want at the same time is done at once, and each gets its own answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from partner_app.core.together import Together
from tests.waiting import until


class Doubling:
    """Work that waits in its first round, so that others come meanwhile."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        if len(self.rounds) == 1:
            self.go.wait(10)
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


def test_those_who_come_while_one_works_are_done_in_one_round() -> None:
    work = Doubling()
    together = Together(work)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(together, 0)
        until(lambda: work.rounds)
        others = [pool.submit(together, number) for number in range(1, 9)]
        until(lambda: len(together.waiting) == 8)
        work.go.set()
        assert first.result(10) == 0
        assert [each.result(10) for each in others] == [2 * number for number in range(1, 9)]
    assert [sorted(items) for items in work.rounds] == [[0], list(range(1, 9))]


def test_an_error_belongs_to_its_item_alone() -> None:
    work = Doubling()
    together = Together(work)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together, 0)
        until(lambda: work.rounds)
        others = {number: pool.submit(together, number) for number in (1, 13, 2)}
        until(lambda: len(together.waiting) == 3)
        work.go.set()
        assert first.result(10) == 0
        assert (others[1].result(10), others[2].result(10)) == (2, 4)
        with pytest.raises(ValueError, match="13"):
            others[13].result(10)
    assert together(5) == 10


def test_many_threads_lose_nothing() -> None:
    work = Doubling()
    work.go.set()
    together = Together(work)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(together, range(100, 2100)))
    assert found == [2 * number for number in range(100, 2100)]
    assert sorted(item for items in work.rounds for item in items) == list(range(100, 2100))
