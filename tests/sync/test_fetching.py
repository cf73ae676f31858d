"""How threads divide the lists: in turns, each job's pages in order."""

import threading
import time
from collections.abc import Iterator

import pytest

from integrations.procore.sync.fetching import Crew, Fetched
from integrations.procore.sync.reading import Piece, Position

PAGES = 6
CALL = 0.01  # seconds; long enough that a thread delayed by the machine does not look idle


class Pages:
    """A job of several pages that notes who reads it when."""

    def __init__(self, name: str, log: list[str], *, fails_after: int = PAGES) -> None:
        self.name, self.log, self.fails_after = name, log, fails_after
        self.held = threading.Lock()

    def pieces(self) -> Iterator[Piece]:
        for number in range(PAGES):
            assert self.held.acquire(blocking=False), "two threads read one job"
            self.log.append(self.name)
            time.sleep(CALL)  # noqa: TID251  # like a call to Procore
            self.held.release()
            if number == self.fails_after:
                raise ConnectionError(self.name)
            yield Piece([], [], then=Position(number=number))


def fetched(jobs: list[Pages], at_once: int) -> list[Fetched[Pages]]:
    with Crew[Pages](at_once) as crew:
        for job in jobs:
            crew.add(job)
        return list(crew.deliveries(idle=lambda: None))


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_each_jobs_pages_arrive_in_their_order_and_its_end_after_them(at_once: int) -> None:
    log: list[str] = []
    jobs = [Pages(str(number), log) for number in range(7)]
    found = fetched(jobs, at_once)
    for job in jobs:
        own = [each.piece.then.number if each.piece else None for each in found if each.job is job]
        assert own == [*range(PAGES), None]


def test_the_last_lists_begin_before_the_ones_ahead_of_them_have_ended() -> None:
    """Three lists for two threads: otherwise one thread would read the third alone."""
    log: list[str] = []
    fetched([Pages(name, log) for name in "abc"], at_once=2)
    last_to_end = max("abc", key=lambda name: max(i for i, each in enumerate(log) if each == name))
    others = [name for name in "abc" if name != last_to_end]
    alone = len(log) - 1 - max(i for i, each in enumerate(log) if each in others)
    assert alone <= 2
    assert log.index("c") < min(i for i, n in enumerate(log) if log[: i + 1].count(n) == PAGES)


def test_few_of_many_are_begun_at_once() -> None:
    log: list[str] = []
    jobs = [Pages(str(number), log) for number in range(20)]
    fetched(jobs, at_once=2)
    first_end = min(i for i, n in enumerate(log) if log[: i + 1].count(n) == PAGES)
    assert len(set(log[:first_end])) <= 5


def test_an_error_ends_its_own_job_alone() -> None:
    log: list[str] = []
    good, bad = Pages("good", log), Pages("bad", log, fails_after=2)
    found = fetched([good, bad], at_once=2)
    ends = {each.job.name: each.error for each in found if each.piece is None}
    assert ends["good"] is None
    assert isinstance(ends["bad"], ConnectionError)
    assert log.count("good") == PAGES


def test_when_it_is_called_off_what_is_under_way_still_arrives_and_nothing_is_begun() -> None:
    log: list[str] = []
    with Crew[Pages](2) as crew:
        for number in range(9):
            crew.add(Pages(str(number), log))
        first = next(crew.deliveries(idle=lambda: None))
        assert first.piece is not None
        rest = list(crew.last_deliveries())
        calls = len(log)
        assert len([each for each in (first, *rest) if each.piece]) == calls
    assert len(log) == calls < 9 * PAGES
