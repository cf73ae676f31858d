"""Fetches many parts in parallel, in threads that use no database, and hands over their pages.

The buffer between is limited by records: memory stays bounded, and Procore is called no faster than
we write. Limited by pages, it would fill at once where lists are short, and all threads would wait
for as long as a write takes.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from integrations.procore.api.errors import ServerTrouble, Unreachable
from integrations.procore.sync.reading import Piece

MOST_AT_ONCE = 10
MOST_WAITING = 16_000  # records that are fetched and not taken yet
STEP_UP = 16  # pages without a fault before one more fetch runs in parallel
POLL = 0.2  # seconds between checks whether the work was cancelled


class Fetchable(Protocol):
    def pieces(self) -> Iterator[Piece]: ...


Job = TypeVar("Job", bound=Fetchable)
Item = TypeVar("Item")


@dataclass(frozen=True)
class Fetched(Generic[Job]):
    """A page of a job; or its end, with or without an error."""

    job: Job
    piece: Piece | None = None
    error: Exception | None = None


class Width:
    """How many calls run in parallel: halved by a fault, raised by one while all goes well."""

    def __init__(self, most: int) -> None:
        self.most = self.limit = most
        self.active = self.good = 0
        self.changed = threading.Condition()

    def __enter__(self) -> None:
        with self.changed:
            while self.active >= self.limit:
                self.changed.wait()
            self.active += 1

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        with self.changed:
            self.active -= 1
            self.good += 1
            if isinstance(error, ServerTrouble | Unreachable):
                self.limit, self.good = max(1, self.limit // 2), 0
            elif self.good >= STEP_UP and self.limit < self.most:
                self.limit, self.good = self.limit + 1, 0
            self.changed.notify_all()


class Buffer(Generic[Item]):
    """Passes items from threads to one taker, up to a weight of `most`; one item may weigh more."""

    def __init__(self, most: int) -> None:
        self.most, self.weight = most, 0
        self.items: deque[tuple[Item, int]] = deque()
        self.changed = threading.Condition()

    def __len__(self) -> int:
        return len(self.items)

    def put(self, item: Item, weight: int, *, timeout: float) -> bool:
        """False where there was no room in time."""
        with self.changed:
            fits = self.changed.wait_for(
                lambda: not self.items or self.weight + weight <= self.most, timeout
            )
            if fits:
                self.items.append((item, weight))
                self.weight += weight
                self.changed.notify_all()
            return fits

    def get(self, *, timeout: float) -> Item | None:
        """None where nothing came in time."""
        with self.changed:
            if not self.changed.wait_for(lambda: bool(self.items), timeout):
                return None
            item, weight = self.items.popleft()
            self.weight -= weight
            self.changed.notify_all()
            return item


class CalledOff(Exception):
    """Inside a fetching thread: nobody waits for its pages any more."""


class Crew(Generic[Job]):
    """A context manager: its threads start inside it and have ended after it.

    Threads take turns page by page, not job by job: otherwise one thread would read a list of a
    hundred pages that comes last, while the others are idle.
    """

    def __init__(self, at_once: int = MOST_AT_ONCE) -> None:
        self.at_once = at_once
        self.waiting: deque[Job] = deque()
        self.begun: deque[tuple[Job, Iterator[Piece]]] = deque()  # and not held by a thread now
        self.changed = threading.Condition()  # guards the three above and `closing`
        self.ready = Buffer[Fetched[Job]](MOST_WAITING)
        self.width = Width(at_once)
        self.closing, self.over = False, threading.Event()
        self.open = 0
        self.threads = [threading.Thread(target=self._work, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> "Crew[Job]":
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.over.set()
        self._close()
        for each in self.threads:
            each.join()

    def add(self, job: Job) -> None:
        self.open += 1
        with self.changed:
            self.waiting.append(job)
            self.changed.notify()

    def deliveries(self, idle: Callable[[], None]) -> Iterator[Fetched[Job]]:
        """Until no job is open; `idle` is called when nothing has arrived for a moment."""
        while self.open:
            delivery = self.ready.get(timeout=POLL)
            if delivery is None:
                idle()
                continue
            if delivery.piece is None:
                self.open -= 1
            yield delivery

    def last_deliveries(self) -> Iterator[Fetched[Job]]:
        """Fetches nothing more; calls under way still deliver, because they are spent."""
        self._close()
        while any(each.is_alive() for each in self.threads) or len(self.ready):
            if delivery := self.ready.get(timeout=POLL):
                yield delivery

    def _close(self) -> None:
        with self.changed:
            self.closing = True
            self.changed.notify_all()

    def _work(self) -> None:
        try:
            while (turn := self._take()) is not None:
                self._fetch(*turn)
        except CalledOff:
            return

    def _take(self) -> tuple[Job, Iterator[Piece]] | None:
        """The job whose turn it is; None where nothing more is to be fetched.

        Only a few are begun at the same time, so that the first are complete early and a pause
        loses little; but the last few begin together with those before them, or they would occupy
        fewer threads than we have.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.closing or self.begun or self.waiting)
            if self.closing:
                return None
            last = len(self.waiting) <= self.at_once
            if self.begun and ((len(self.begun) >= self.at_once and not last) or not self.waiting):
                return self.begun.popleft()
            job = self.waiting.popleft()
        return job, job.pieces()

    def _fetch(self, job: Job, pieces: Iterator[Piece]) -> None:
        """One page, or the job's end. Raises CalledOff."""
        try:
            with self.width:
                piece = next(pieces, None)
        except Exception as error:  # noqa: BLE001  # handed to the engine, which knows them all
            self._hand_over(Fetched(job, error=error))
            return
        self._hand_over(Fetched(job, piece))
        if piece is not None:
            with self.changed:
                self.begun.append((job, pieces))
                self.changed.notify()

    def _hand_over(self, delivery: Fetched[Job]) -> None:
        weight = len(delivery.piece.records) if delivery.piece else 0
        while not self.over.is_set():
            if self.ready.put(delivery, weight, timeout=POLL):
                return
        raise CalledOff
