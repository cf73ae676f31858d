"""The app's call budget for a company, shared by all processes through Redis.

The app's service account and every viewer's token share it: Procore counts the app and the company
together. Without Redis each process uses a part of the plan and counts for itself: it sees the same
headers, so it slows down as well.
"""

import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import redis
from django.conf import settings
from redis.client import Pipeline

from integrations.procore.api.rate import CallBudget, CallPlan, Held, Permits, RateHeaders, Step
from partner_app.connections.purposes import CallPurpose, count, note_waiting
from partner_app.connections.usage import COUNTED, field_of
from partner_app.core import clock
from partner_app.core.broker import broker, reachable
from partner_app.core.flags import flag, raise_flag
from partner_app.core.logging import log

KEPT = 2 * 3600  # seconds; longer than the longest of Procore's windows
ALONE = 4  # processes that may count for themselves at the same time
COMPARED_EVERY = 60.0  # seconds between comparisons with the clock of Redis
LARGEST_SKEW = 0.5  # seconds that need no correction

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(CallBudget).decode
_alone: dict[str, CallBudget] = {}  # what this process knows while Redis does not respond
_alone_lock = threading.Lock()
_compared = [float("-inf"), 0.0]  # when the clocks were compared, and by how much Redis is ahead


class SharedRate:
    """The permits of one piece of work.

    The purpose and outcome of calls are counted for the company in the same exchange with Redis.
    `who` names the credential where there is no company.
    """

    def __init__(self, company_id: int | None, purpose: CallPurpose, who: str = "") -> None:
        self.company_id, self.purpose = company_id, purpose
        self.key = f"tieback:rate:{who if company_id is None else company_id}"
        self.plan = planned() if company_id is not None else ()
        self.permits = Permits(self, reserve=purpose.reserve, batch=purpose.batch)
        self.lock = threading.Lock()
        self.counts = Counter[str]()

    def take(self) -> datetime | None:
        held = self.permits.take()
        if held is None:
            return None
        return datetime.fromtimestamp(held.until - _redis_ahead(), UTC)

    def heard(
        self, standing: RateHeaders | None, barred_until: datetime | None = None, *, status: int = 0
    ) -> None:
        with self.lock:
            self.counts[field_of(self.company_id, status)] += 1
        until = barred_until.timestamp() + _redis_ahead() if barred_until else 0.0
        self.permits.heard(standing, until)

    def give_back(self) -> None:
        """Returns unused permits when the work ends."""
        self.permits.give_back()

    def now(self) -> float:
        return clock.now().timestamp() + _redis_ahead()

    def barred_until(self) -> float:
        return float(flag(f"{self.key}:bar") or 0)

    def change(self, step: Step, barred_until: float) -> tuple[int, Held]:
        """Reads, changes and writes the budget atomically among all processes."""
        with self.lock:
            counts, self.counts = self.counts, Counter()
        answer = 0, Held(0.0)

        def exchange(pipe: Pipeline) -> None:
            nonlocal answer
            raw = pipe.get(self.key)
            budget, granted, held = step(_decode(raw) if raw else CallBudget(), self.plan)
            answer = granted, held
            pipe.multi()
            pipe.set(self.key, _encode(budget), ex=KEPT)
            self._note(pipe, counts, held, barred_until)

        try:
            with reachable():
                broker().transaction(exchange, self.key)
        except (redis.RedisError, OSError):
            log.warning("rate.counted_alone", key=self.key)
            with self.lock:
                self.counts += counts
            return self._alone(step)
        return answer

    def _note(self, pipe: Pipeline, counts: Counter[str], held: Held, barred_until: float) -> None:
        for name, number in counts.items():
            pipe.hincrby(COUNTED, name, number)
        if barred_until:
            seconds = max(1, round(barred_until - self.now()) + 1)
            raise_flag(f"{self.key}:bar", str(barred_until), seconds=seconds, pipe=pipe)
        if self.company_id is not None:
            if counts:
                count(pipe, self.company_id, self.purpose, counts.total())
            if held.until > self.now():
                note_waiting(pipe, self.company_id, self.purpose, held)

    def _alone(self, step: Step) -> tuple[int, Held]:
        part = tuple(replace(each, calls=max(1, each.calls // ALONE)) for each in self.plan)
        with _alone_lock:
            _alone[self.key], granted, held = step(_alone.get(self.key, CallBudget()), part)
        return granted, held


def planned() -> tuple[CallPlan, ...]:
    """The plan in the settings; empty where they leave it to the headers."""
    wanted = ((settings.PROCORE.calls_per_minute, 60.0), (settings.PROCORE.calls_per_hour, 3600.0))
    return tuple(CallPlan(calls, seconds) for calls, seconds in wanted if calls)


def calls_left(company_id: int) -> int | None:
    """Calls left in the window closest to its limit; None when nothing is known."""
    found: int | None = None
    try:
        with reachable():
            raw = broker().get(f"tieback:rate:{company_id}")
    except (redis.RedisError, OSError):
        return found
    now = clock.now().timestamp() + _redis_ahead()
    budget = _decode(raw) if isinstance(raw, bytes) else CallBudget()
    return budget.left(now, planned())


def _redis_ahead() -> float:
    """Seconds: the app's hosts may disagree about the time, and share this one clock."""
    if time.monotonic() - _compared[0] > COMPARED_EVERY:
        _compared[0] = time.monotonic()
        try:
            with reachable():
                seconds, micros = broker().time()
        except (redis.RedisError, OSError):
            return _compared[1]
        ahead = seconds + micros / 1e6 - time.time()
        _compared[1] = ahead if abs(ahead) > LARGEST_SKEW else 0.0
    return _compared[1]
