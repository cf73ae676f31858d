"""How many calls an app may make: per hour, per short window, and none during a `Retry-After`.

Windows are fixed and separate for each credential at a company, or rolling and shared by the
whole app at the company. A rolling minute is a switch of its own.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from simulator.wild import elsewhere

HOUR = 3600
SPIKE = 10
MINUTE, PER_MINUTE = 60, 25  # seen in September 2026
ON_ITS_WAY = 1.0  # seconds; a call may have been sent before the app received an answer

Place = tuple[str, int]  # credential (empty where all share) and company


@dataclass(frozen=True)
class Standing:
    """What the headers say, of the window that is nearer to its limit."""

    limit: int
    remaining: int
    reset: int
    refused: bool

    def headers(self, now: datetime) -> dict[str, str]:
        headers = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(self.remaining),
            "X-Rate-Limit-Reset": str(self.reset),
        }
        if self.refused:
            headers["Retry-After"] = str(self.wait(now))
        return headers

    def wait(self, now: datetime) -> int:
        return max(1, math.ceil(self.reset - now.timestamp()))


@elsewhere
def rolling_minute() -> None:
    """25 calls in any 60 seconds, shared by the whole app at a company."""


@dataclass
class Rates:
    per_hour: int = 3600
    per_spike: int = 100
    spike_seconds: int = SPIKE
    rolling: bool = False
    shared: bool = False  # by all credentials of the app at a company
    used: dict[tuple[str, int, int], deque[float]] = field(default_factory=dict)
    barred: dict[Place, tuple[float, float]] = field(default_factory=dict)  # since, until
    minutes: dict[int, deque[float]] = field(default_factory=dict)

    def place(self, credential: str, company_id: int) -> Place:
        return ("" if self.shared else credential, company_id)

    def bar(self, place: Place, seconds: float, now: datetime) -> None:
        """Blocks callers at `place` for `seconds`, which their answer said."""
        since, until = self.barred.get(place, (0.0, 0.0))
        moment = now.timestamp()
        goes_on = until > moment  # the first answer that said so counts
        self.barred[place] = (since if goes_on else moment, max(until, moment + seconds))

    def too_early(self, place: Place, now: datetime) -> bool:
        since, until = self.barred.get(place, (0.0, 0.0))
        moment = now.timestamp()
        return until > moment and moment - since > ON_ITS_WAY

    def count(self, place: Place, now: datetime, *, minute: bool = False) -> Standing:
        moment = now.timestamp()
        standings = []
        for length, limit in ((HOUR, self.per_hour), (self.spike_seconds, self.per_spike)):
            start = moment - length if self.rolling else moment - moment % length
            calls = self.used.setdefault((*place, length), deque())
            while calls and calls[0] < start:
                calls.popleft()
            calls.append(moment)
            reset = calls[0] + length if self.rolling else start + length
            standings.append((limit - len(calls), limit, math.ceil(reset)))
        if minute:
            standings.append(self._of_a_minute(place[1], moment))
        left, limit, reset = min(standings)
        standing = Standing(limit, max(0, left), reset, refused=left < 0)
        if standing.refused:
            self.bar(place, standing.wait(now), now)
        return standing

    def _of_a_minute(self, company_id: int, now: float) -> tuple[int, int, int]:
        calls = self.minutes.setdefault(company_id, deque())
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        left = PER_MINUTE - len(calls) - 1
        if left >= 0:
            calls.append(now)
        return left, PER_MINUTE, math.ceil(calls[0] + MINUTE)
