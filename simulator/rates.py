"""Two rate windows for each credential and company: an hour and ten seconds.

A third one, of sixty seconds that roll, is shared by all who call for a company; it is a switch.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from simulator.wild import elsewhere

HOUR = 3600
SPIKE = 10
MINUTE, PER_MINUTE = 60, 25  # seen in September 2026
ON_ITS_WAY = 1.0  # seconds in which a call may arrive that was made before an answer was heard


@dataclass(frozen=True)
class Standing:
    """What the headers say: of the two windows, the one nearer to its limit."""

    limit: int
    remaining: int
    reset: int
    refused: bool
    too_early: bool

    def headers(self, now: datetime) -> dict[str, str]:
        headers = {
            "X-Rate-Limit-Limit": str(self.limit),
            "X-Rate-Limit-Remaining": str(self.remaining),
            "X-Rate-Limit-Reset": str(self.reset),
        }
        if self.refused:
            headers["Retry-After"] = str(max(1, math.ceil(self.reset - now.timestamp())))
        return headers


@elsewhere
def rolling_minute() -> None:
    """25 calls in any 60 seconds, shared by the whole app at a company."""


@dataclass
class Rates:
    per_hour: int = 3600
    per_spike: int = 100
    used: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)
    barred: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)  # since, until

    rolling: dict[int, deque[float]] = field(default_factory=dict)

    def count(
        self, credential: str, company_id: int, now: datetime, *, rolling: bool = False
    ) -> Standing:
        key = (credential, company_id)
        second = int(now.timestamp())
        since, until = self.barred.get(key, (0.0, 0))
        too_early = until > second and now.timestamp() - since > ON_ITS_WAY
        standings = []
        for length, limit in ((HOUR, self.per_hour), (SPIKE, self.per_spike)):
            start = second - second % length
            began, used = self.used.get((*key, length), (start, 0))
            used = used + 1 if began == start else 1
            self.used[(*key, length)] = (start, used)
            standings.append((limit - used, limit, start + length))
        if rolling:
            standings.append(self._of_a_minute(company_id, now.timestamp()))
        left, limit, reset = min(standings)
        refused = left < 0
        if refused:
            self.barred[key] = (since if until == reset else now.timestamp(), reset)
        return Standing(limit, max(0, left), reset, refused, too_early)

    def _of_a_minute(self, company_id: int, now: float) -> tuple[int, int, int]:
        calls = self.rolling.setdefault(company_id, deque())
        while calls and calls[0] <= now - MINUTE:
            calls.popleft()
        left = PER_MINUTE - len(calls) - 1
        if left >= 0:
            calls.append(now)
        return left, PER_MINUTE, math.ceil(calls[0] + MINUTE)
