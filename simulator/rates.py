"""Two rate windows for each credential and company: an hour and ten seconds."""

import math
from dataclasses import dataclass, field
from datetime import datetime

HOUR = 3600
SPIKE = 10
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


@dataclass
class Rates:
    per_hour: int = 3600
    per_spike: int = 100
    used: dict[tuple[str, int, int], tuple[int, int]] = field(default_factory=dict)
    barred: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)  # since, until

    def count(self, credential: str, company_id: int, now: datetime) -> Standing:
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
        left, limit, reset = min(standings)
        refused = left < 0
        if refused:
            self.barred[key] = (since if until == reset else now.timestamp(), reset)
        return Standing(limit, max(0, left), reset, refused, too_early)
