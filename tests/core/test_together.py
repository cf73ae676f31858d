"""Work that several threads want at the same time is done at once, and each gets its own answer."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

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


def asked_at_once(
    together: Together[int, int], work: Doubling, numbers: Sequence[int]
) -> dict[int, "Future[int]"]:
    """All come while the first, which asks for 0, is at work."""
    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(together, 0)
        until(lambda: work.rounds)
        others = {number: pool.submit(together, number) for number in numbers}
        until(lambda: len(together.waiting) == len(numbers))
        work.go.set()
    return {0: first, **others}


def test_those_who_come_while_one_works_are_done_in_one_round() -> None:
    work = Doubling()
    found = asked_at_once(Together(work), work, range(1, 9))
    assert [each.result(10) for each in found.values()] == [2 * number for number in range(9)]
    assert [sorted(items) for items in work.rounds] == [[0], list(range(1, 9))]


def test_an_error_belongs_to_its_item_alone() -> None:
    work = Doubling()
    together = Together(work)
    found = asked_at_once(together, work, (1, 13, 2))
    assert [found[number].result(10) for number in (0, 1, 2)] == [0, 2, 4]
    with pytest.raises(ValueError, match="13"):
        found[13].result(10)
    assert together(5) == 10


def test_many_threads_lose_nothing() -> None:
    work = Doubling()
    work.go.set()
    together = Together(work)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(together, range(100, 2100)))
    assert found == [2 * number for number in range(100, 2100)]
    assert sorted(item for items in work.rounds for item in items) == list(range(100, 2100))
