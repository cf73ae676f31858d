"""How many calls the app may make for one company: the plan, and what response headers show. Pure.

A call counts from the time its permit is granted until one window's length after its response
arrived. Procore counts it somewhere in between, so whether Procore's window is rolling or fixed, it
never holds more calls than ours. Procore advertises an hourly and a shorter window; each response
shows the one closer to its limit. This module does not know who stores a CallBudget, nor for how
many processes.
"""

import math
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Protocol

UNHEARD = 4  # permits out at once while none of Procore's limits is known
LIFE = 5.0  # seconds for which a permit may be used
FORGOTTEN = 15.0  # seconds after a holder's last report, when its permits count as used
SOON = 1.0  # seconds until responses to calls under way have probably arrived
LONGEST = 3600.0  # seconds of Procore's longest window
# How exactly our own calls are counted: in steps of so many seconds, up to an age of so many.
FINE, FINE_FOR = 0.25, 15.0
PLAIN, PLAIN_FOR = 1.0, 120.0
COARSE = 60.0
HOURLY = 1800.0  # seconds; a window at least this long is called hourly
WINDOWS_KEPT = 4
SAME_RESET = 1.5  # seconds
LARGEST_SKEW = 5.0  # seconds between Procore's clock and ours that need no correction


class Governor(Protocol):
    """Called before each call and after it."""

    def take(self) -> datetime | None:
        """None: go on. Otherwise the time before which no call may be made."""

    def heard(
        self,
        standing: "RateHeaders | None",
        barred_until: datetime | None = None,
        *,
        status: int = 0,
    ) -> None:
        """`status` of the response; 0 where none came."""

    def give_back(self) -> None:
        """Returns unused permits when the work ends."""


@dataclass(frozen=True)
class CallPlan:
    """At most so many calls in any period of so many seconds."""

    calls: int
    seconds: float


@dataclass(frozen=True)
class RateHeaders:
    """Calls left after a response, in which window, and when it ends (Unix seconds, our clock)."""

    limit: int
    remaining: int
    reset_at: float


@dataclass(frozen=True)
class Window:
    """A window seen in headers. `seconds`: its length, as far as it was observed."""

    limit: int
    remaining: int
    reset_at: float
    seconds: float


@dataclass(frozen=True)
class Loan:
    """One holder's permits that may still become calls, and when they count as used."""

    permits: int
    until: float


@dataclass(frozen=True)
class Held:
    """The time until which a call must wait; `hourly`: because the hour's calls are used up."""

    until: float
    hourly: bool = False


@dataclass(frozen=True)
class CallBudget:
    """`recent`: calls by the short step (later by the minute) in which their responses arrived."""

    told: tuple[Window, ...] = ()
    recent: tuple[tuple[float, int], ...] = ()
    loans: dict[str, Loan] = field(default_factory=dict)
    barred_until: float = 0.0

    def settle(
        self,
        holder: str,
        now: float,
        answers: Sequence[RateHeaders | None],
        *,
        under_way: int,
        barred_until: float = 0.0,
    ) -> "CallBudget":
        """Records the calls that the holder has under way after these responses, without permits.

        The holder's state is set, not changed by a difference, so the next report corrects a lost
        one.
        """
        known = self._without_forgotten(now)
        loans = {name: loan for name, loan in known.loans.items() if name != holder}
        if under_way > 0:
            loans[holder] = Loan(under_way, now + FORGOTTEN)
        counted = CallBudget(
            known.told,
            _counted(known.recent, now, [(now, len(answers))]),
            loans,
            max(self.barred_until, barred_until),
        )
        for answer in answers:
            counted = replace(counted, told=counted._after_answer(answer, now))
        return counted

    def take(
        self, holder: str, now: float, wanted: int, *, plan: Iterable[CallPlan] = (), reserve: float
    ) -> tuple["CallBudget", int, Held]:
        """The new budget, the permits granted, and what holds calls back where none are.

        `reserve` is the share of each window that is kept for waiting people.
        """
        if self.barred_until > now:
            return self, 0, Held(self.barred_until)
        known = self._without_forgotten(now)
        out = sum(loan.permits for loan in known.loans.values())
        # Before the first response no limit is known; the first responses show one within a moment.
        free, held = (wanted, Held(now)) if known.told else (UNHEARD - out, Held(now + SOON))
        handful = wanted
        for limit, seconds, remaining, reset_at in known._windows(plan):
            kept = min(math.ceil(limit * reserve), limit - 1)
            own = limit - known._used(now, seconds)
            if own - out - kept < free:
                free = own - out - kept
                missing = kept + min(handful, limit - kept) - own
                held = Held(known._frees_at(now, seconds, missing), seconds >= HOURLY)
            if reset_at > now and remaining - out - kept < free:
                free = remaining - out - kept
                used_up = remaining <= kept
                held = Held(reset_at if used_up else now + SOON, seconds >= HOURLY)
            wanted = min(wanted, max(1, limit // 10))
        granted = max(0, min(wanted, free))
        if granted:
            before = known.loans.get(holder, Loan(0, 0.0)).permits
            loan = Loan(before + granted, now + FORGOTTEN)
            known = replace(known, loans={**known.loans, holder: loan})
        return known, granted, Held(now) if granted else held

    def left(self, now: float, plan: Iterable[CallPlan] = ()) -> int | None:
        """Calls left in the window closest to its limit; None when nothing is known."""
        known = self._without_forgotten(now)
        out = sum(loan.permits for loan in known.loans.values())
        found = [
            min(limit - known._used(now, seconds), remaining if reset_at > now else limit) - out
            for limit, seconds, remaining, reset_at in known._windows(plan)
        ]
        return max(0, min(found)) if found else None

    def _windows(self, plan: Iterable[CallPlan]) -> list[tuple[int, float, int, float]]:
        planned = [(each.calls, each.seconds, each.calls, 0.0) for each in plan]
        return [*planned, *((w.limit, w.seconds, w.remaining, w.reset_at) for w in self.told)]

    def _used(self, now: float, seconds: float) -> int:
        return sum(count for end, count in self.recent if end + seconds > now)

    def _frees_at(self, now: float, seconds: float, missing: int) -> float:
        """When so many calls drop out of a window.

        Work that takes several permits at once does not wait for each of them.
        """
        moment = now + SOON
        for end, count in self.recent:
            if end + seconds > now and missing > 0:
                moment, missing = end + seconds, missing - count
        return moment

    def _without_forgotten(self, now: float) -> "CallBudget":
        """The permits of a holder that was killed may have been used, so they count as calls."""
        silent = [loan for loan in self.loans.values() if loan.until <= now]
        if not silent:
            return self
        calls = sum(loan.permits for loan in silent)
        return CallBudget(
            tuple(replace(w, remaining=max(0, w.remaining - calls)) for w in self.told),
            _counted(self.recent, now, [(loan.until, loan.permits) for loan in silent]),
            {name: loan for name, loan in self.loans.items() if loan.until > now},
            self.barred_until,
        )

    def _after_answer(self, answer: RateHeaders | None, now: float) -> tuple[Window, ...]:
        """A window that a response does not show loses one call; one that it disproves is dropped.

        Responses may arrive out of order: for the same window, the lower number is the later one.
        """
        others = [w for w in self.told if answer is None or w.limit != answer.limit]
        fewer = [replace(w, remaining=max(0, w.remaining - 1)) for w in others]
        if answer is None:
            return tuple(fewer)
        seconds = max(1.0, min(LONGEST, math.ceil(answer.reset_at - now)))
        shown = Window(answer.limit, answer.remaining, answer.reset_at, seconds)
        known = next((w for w in self.told if w.limit == answer.limit), None)
        if known:
            shown = _later(known, shown)
        return (*(w for w in fewer if self._possible(w, answer, now)), shown)[-WINDOWS_KEPT:]

    def _possible(self, window: Window, answer: RateHeaders, now: float) -> bool:
        """Whether a window that was not shown can still be the one further from its limit."""
        left = window.limit - self._used(now, window.seconds)
        if window.reset_at > now:
            left = min(left, window.remaining)
        return left >= answer.remaining


def _later(known: Window, shown: Window) -> Window:
    seconds = max(known.seconds, shown.seconds)
    if abs(known.reset_at - shown.reset_at) < SAME_RESET:
        newer = min(known, shown, key=lambda w: w.remaining)
    else:
        newer = max(known, shown, key=lambda w: w.reset_at)
    return replace(newer, seconds=seconds)


def _counted(
    recent: Iterable[tuple[float, int]], now: float, calls: Iterable[tuple[float, int]]
) -> tuple[tuple[float, int], ...]:
    """With these calls added, and without those that are older than every window."""
    counts: dict[float, int] = {}
    for at, count in (*recent, *calls):
        age = now - at
        span = FINE if age < FINE_FOR else PLAIN if age < PLAIN_FOR else COARSE
        end = math.ceil(at / span) * span
        if count and end + LONGEST > now:
            counts[end] = counts.get(end, 0) + count
    return tuple(sorted(counts.items()))


Step = Callable[[CallBudget, Sequence[CallPlan]], tuple[CallBudget, int, Held]]


class Store(Protocol):
    """Where processes share a budget."""

    def now(self) -> float:
        """Unix seconds by the clock that all holders share."""

    def barred_until(self) -> float:
        """Read before each call, so it is cheap; 0 where calls are not paused."""

    def change(self, step: Step, barred_until: float) -> tuple[int, Held]:
        """One atomic step among all holders, by the plan; `step` may run more than once."""


class Permits:
    """The permits of one piece of work, shared by its threads."""

    def __init__(self, store: Store, *, reserve: float, batch: int) -> None:
        self.store, self.reserve, self.batch = store, reserve, batch
        self.name = uuid.uuid4().hex[:12]
        self.lock = threading.Lock()
        self.unused, self.good_until = 0, 0.0
        self.under_way = 0
        self.answers: list[RateHeaders | None] = []

    def take(self) -> Held | None:
        with self.lock:
            now, barred_until = self.store.now(), self.store.barred_until()
            if barred_until > now:
                return Held(barred_until)
            if not self.unused or now >= self.good_until:
                granted, held = self._exchange(now, self.batch, 0.0)
                if not granted:
                    return held
                self.unused, self.good_until = granted, now + LIFE
            self.unused -= 1
            self.under_way += 1
            return None

    def heard(self, standing: RateHeaders | None, barred_until: float = 0.0) -> None:
        """Kept until the next permits are taken, unless other holders should know at once."""
        with self.lock:
            self.under_way = max(0, self.under_way - 1)
            self.answers.append(standing)
            if barred_until or self.batch == 1:
                self._exchange(self.store.now(), 0, barred_until)

    def give_back(self) -> None:
        with self.lock:
            self._exchange(self.store.now(), 0, 0.0)

    def _exchange(self, now: float, wanted: int, barred_until: float) -> tuple[int, Held]:
        answers, under_way = self.answers, self.under_way
        self.answers, self.unused = [], 0

        def step(budget: CallBudget, plan: Sequence[CallPlan]) -> tuple[CallBudget, int, Held]:
            settled = budget.settle(
                self.name, now, answers, under_way=under_way, barred_until=barred_until
            )
            if not wanted:
                return settled, 0, Held(now)
            return settled.take(self.name, now, wanted, plan=plan, reserve=self.reserve)

        return self.store.change(step, barred_until)


def standing_from(headers: Mapping[str, str], now: datetime) -> RateHeaders | None:
    """Converted to our own clock, whichever of the two is wrong."""
    names = ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")
    try:
        limit, remaining, reset = (int(headers.get(name, "")) for name in names)
    except ValueError:
        return None
    return RateHeaders(limit, remaining, reset - _ahead(headers, now)) if limit > 0 else None


def retry_at(headers: Mapping[str, str], now: datetime, fallback: timedelta) -> datetime:
    """Retry-After, in seconds or as a date, else Reset, else `fallback` from now."""
    moment = advised(headers, now)
    standing = standing_from(headers, now)
    if moment is None and standing:
        moment = datetime.fromtimestamp(standing.reset_at, UTC)
    # Whole seconds, rounded up: even slightly too early is too early.
    return datetime.fromtimestamp(math.ceil((moment or now + fallback).timestamp()), UTC)


def advised(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The time in Retry-After [RFC 9110, 10.2.3]; None where it cannot be read."""
    raw = headers.get("Retry-After", "").strip()
    if raw.isascii() and raw.isdigit():
        return now + timedelta(seconds=min(int(raw), LONGEST * 24))
    moment = _date(raw)
    return moment - timedelta(seconds=_ahead(headers, now)) if moment else None


def _ahead(headers: Mapping[str, str], now: datetime) -> int:
    """Seconds by which Procore's clock is ahead of ours; 0 where they nearly agree."""
    date = _date(headers.get("Date", ""))
    seconds = round((date - now).total_seconds()) if date else 0
    return seconds if abs(seconds) > LARGEST_SKEW else 0


def _date(raw: str) -> datetime | None:
    try:
        return parsedate_to_datetime(raw).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
