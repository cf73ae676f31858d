"""How many calls may go out: learned from Procore's headers, kept for one credential and company.

Procore advertises two windows, an hour and ten seconds, and each answer tells of whichever is
nearer. Calls under way are not in that number yet, so every permit given out is counted against it
until its answer is heard. Pure: who stores a Budget, and for how many processes, is not known here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

UNHEARD = 4  # permits out at once while nothing was heard yet
REFILLED = 1.0  # seconds for which a window that has begun anew is taken to be full
FORGOTTEN = 15.0  # seconds after which a permit without an answer counts no more


class Governor(Protocol):
    """Asked before each call and told after it."""

    def take(self) -> datetime | None:
        """None: go on. Otherwise the moment before which no call may be made."""

    def heard(
        self, standing: "Standing | None", barred_until: datetime | None = None, *, status: int = 0
    ) -> None:
        """`status` of the answer; 0 where none came."""

    def give_back(self) -> None:
        """At the end of the work: what was taken and not used."""


@dataclass(frozen=True)
class Standing:
    """What was left after an answer, of which window, and when that ends (unix seconds)."""

    limit: int
    remaining: int
    reset_at: float


@dataclass(frozen=True)
class Budget:
    windows: tuple[Standing, ...] = ()
    lent: int = 0
    lent_at: float = 0.0
    barred_until: float = 0.0

    def take(self, now: float, wanted: int, *, reserve: float) -> tuple["Budget", int, float]:
        """The budget after it, permits granted (0: none), and until when they or the bar hold.

        `reserve` is the share of each window that is left for people who wait.
        """
        if self.barred_until > now:
            return self, 0, self.barred_until
        lent = self.lent if now - self.lent_at < FORGOTTEN else 0
        # A window that has ended is full again; when the next one ends is heard with its answers.
        windows = tuple(
            w if w.reset_at > now else Standing(w.limit, w.limit, now + REFILLED)
            for w in self.windows
        )
        # While others ask for the first time, what they hear is known in a moment.
        free, until = (UNHEARD - lent, now + 1.0)
        if windows:
            free, until = min(
                (w.remaining - lent - math.ceil(w.limit * reserve), w.reset_at) for w in windows
            )
            wanted = min(wanted, max(1, min(w.limit for w in windows) // 10))
        granted = max(0, min(wanted, free))
        changed = Budget(windows, lent + granted, now if granted else self.lent_at)
        return changed, granted, until

    def settle(self, used: int, heard: Standing | None, barred_until: float = 0.0) -> "Budget":
        """After `used` answers, the last of which said `heard`."""
        windows = {w.limit: replace(w, remaining=w.remaining - used) for w in self.windows}
        if heard:
            known = windows.get(heard.limit)
            same = known is not None and abs(known.reset_at - heard.reset_at) < 1
            if known is not None and same:
                # Answers may be heard out of order: the lower number is the later one.
                windows[heard.limit] = min(known, heard, key=lambda w: w.remaining)
            elif known is None or heard.reset_at > known.reset_at:
                windows[heard.limit] = heard
        return Budget(
            tuple(windows.values()),
            max(0, self.lent - used),
            self.lent_at,
            max(self.barred_until, barred_until),
        )

    def left(self, now: float) -> int | None:
        """Calls left in the nearer window; None when nothing is known."""
        return min((w.remaining for w in self.windows if w.reset_at > now), default=None)


def standing_from(headers: Mapping[str, str]) -> Standing | None:
    names = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
    try:
        limit, remaining, reset = (int(headers.get(name, "")) for name in names)
    except ValueError:
        return None
    return Standing(limit, remaining, reset)


def retry_at(headers: Mapping[str, str], now: datetime, fallback: timedelta) -> datetime:
    """Retry-After, else Reset, else `fallback` from now."""
    raw, standing = headers.get("Retry-After", ""), standing_from(headers)
    if raw.isdigit():
        moment = now + timedelta(seconds=int(raw))
    elif standing:
        moment = datetime.fromtimestamp(standing.reset_at, UTC)
    else:
        moment = now + fallback
    # Whole seconds, rounded up: a hair too early is too early.
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)
