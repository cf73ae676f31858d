"""Rate limits as Procore's headers tell them: of its two windows, whichever is nearer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


@dataclass(frozen=True)
class Standing:
    """What was left after the last answer, and when the window ends."""

    remaining: int
    reset_at: datetime

    def wait_until(self, now: datetime) -> datetime | None:
        return self.reset_at if self.remaining <= 0 and now < self.reset_at else None


class RateMemory(Protocol):
    """Shared by all processes that use one credential at one company."""

    def read(self) -> Standing | None: ...

    def write(self, standing: Standing) -> None: ...


def standing_from(headers: Mapping[str, str]) -> Standing | None:
    remaining, reset = headers.get("X-Rate-Limit-Remaining"), headers.get("X-Rate-Limit-Reset")
    try:
        return Standing(int(remaining or ""), datetime.fromtimestamp(int(reset or ""), UTC))
    except ValueError:
        return None


def retry_at(headers: Mapping[str, str], now: datetime, fallback: timedelta) -> datetime:
    """The later of Retry-After and Reset; without either, `fallback` from now."""
    moments = []
    raw = headers.get("Retry-After", "")
    if raw.isdigit():
        moments.append(now + timedelta(seconds=int(raw)))
    standing = standing_from(headers)
    if standing and not moments:
        moments.append(standing.reset_at)
    latest = max(moments, default=now + fallback)
    # Whole seconds, rounded up: a hair too early is too early.
    return datetime.fromtimestamp(math.ceil(latest.timestamp()), UTC)
