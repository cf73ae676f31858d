"""The call budget of a credential at a company, shared by all processes through Redis.

Without Redis each process counts for itself: it hears the same headers, so it slows down as well.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import TypeVar

import msgspec
import redis
from redis.client import Pipeline

from integrations.procore.api.rate import Budget, Standing
from partner_app.connections.usage import COUNTED, field_of
from partner_app.core.broker import broker, reachable
from partner_app.core.logging import log

HOUR = 3600  # seconds; the longest of Procore's windows
Answer = TypeVar("Answer")

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Budget).decode
_alone: dict[str, Budget] = {}  # what this process knows while Redis does not answer
_alone_lock = threading.Lock()


class Priority(Enum):
    """Who goes first: the share of each window left to those above, and permits in one go."""

    PEOPLE = (0.0, 1)  # in front of a screen
    SYNC = (0.05, 8)
    CHECK = (0.3, 8)  # however often somebody compares, syncs go on


class SharedRate:
    """The permits of one piece of work.

    How calls were answered is counted for the company, in the same exchange with Redis.
    """

    def __init__(
        self, key: str, company_id: int | None, priority: Priority = Priority.PEOPLE
    ) -> None:
        self.key, self.company_id = key, company_id
        self.reserve, self.wanted = priority.value
        self.answers = Counter[str]()
        self.lock = threading.Lock()
        self.permits, self.until, self.used = 0, 0.0, 0
        self.standing: Standing | None = None

    def take(self) -> datetime | None:
        with self.lock:
            now = time.time()
            if self.permits and now < self.until:
                self.permits -= 1
                return None
            granted, until = self._ask(now)
            if not granted:
                return datetime.fromtimestamp(until, UTC)
            self.permits, self.until = granted - 1, until
            return None

    def heard(
        self, standing: Standing | None, barred_until: datetime | None = None, *, status: int = 0
    ) -> None:
        """Kept until the next handful is taken, unless others should know at once."""
        with self.lock:
            self.used += 1
            self.answers[field_of(self.company_id, status)] += 1
            self.standing = standing or self.standing
            if barred_until or self.wanted == 1:
                self._settle(barred_until.timestamp() if barred_until else 0.0)

    def give_back(self) -> None:
        """At the end of the work: what was taken and not used."""
        with self.lock:
            self.used += self.permits
            self._settle(0.0)

    def left(self) -> int | None:
        return _change(self.key, lambda budget: (budget, budget.left(time.time())))

    def _ask(self, now: float) -> tuple[int, float]:
        used, standing = self.used + self.permits, self.standing

        def change(budget: Budget) -> tuple[Budget, tuple[int, float]]:
            settled = budget.settle(used, standing)
            after, granted, until = settled.take(now, self.wanted, reserve=self.reserve)
            return after, (granted, until)

        self.used, self.permits, self.standing = 0, 0, None
        return _change(self.key, change, self.answers)

    def _settle(self, barred_until: float) -> None:
        used, standing = self.used, self.standing
        self.used, self.permits, self.standing = 0, 0, None
        _change(
            self.key,
            lambda budget: (budget.settle(used, standing, barred_until), None),
            self.answers,
        )


def _change(
    key: str, change: Callable[[Budget], tuple[Budget, Answer]], answers: Counter[str] | None = None
) -> Answer:
    """Reads, changes and writes the budget as one step among all processes.

    `answers` are counted with it, and emptied; without Redis they wait for the next time.
    """
    answer: Answer

    def step(pipe: Pipeline) -> None:
        nonlocal answer
        raw = pipe.get(key)
        after, answer = change(_decode(raw) if raw else Budget())
        pipe.multi()
        pipe.set(key, _encode(after), ex=HOUR)
        for name, count in (answers or {}).items():
            pipe.hincrby(COUNTED, name, count)

    try:
        with reachable():
            broker().transaction(step, key)
        if answers:
            answers.clear()
    except (redis.RedisError, OSError):
        log.warning("rate.counted_alone", key=key)
        with _alone_lock:
            _alone[key], answer = change(_alone.get(key, Budget()))
    return answer
