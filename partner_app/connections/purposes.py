"""What calls to Procore are for: their priority, what an hour was spent on, and what waits.

Counted in Redis beside the call budget, minute by minute. A count may be lost with Redis; nothing
depends on it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from redis.client import Pipeline
from redis.exceptions import RedisError

from integrations.procore.api.rate import Held
from partner_app.core import clock
from partner_app.core.broker import broker, reachable

KEPT = 3700  # seconds
MINUTES = 60


class CallPurpose(Enum):
    """Label, the share of each window kept for higher priorities, and permits taken at once."""

    PEOPLE = ("people", 0.0, 1)  # a person is waiting
    PUSH = ("push", 0.0, 1)
    HOOKS = ("hooks", 0.1, 1)
    DISCOVERY = ("discovery", 0.1, 1)
    OPENED = ("people", 0.05, 1)  # the records of a project that a person has open
    FIRST_READ = ("first_read", 0.1, 8)
    FRESHNESS = ("freshness", 0.5, 8)  # at most half of an hour's calls, however much changes
    PROOF = ("proof", 0.1, 8)  # the daily full reading, part of the syncs
    CHECK = ("proof", 0.6, 8)  # however often a comparison runs, syncs continue

    @property
    def label(self) -> str:
        return str(self.value[0])

    @property
    def reserve(self) -> float:
        return float(self.value[1])

    @property
    def batch(self) -> int:
        return int(self.value[2])


LABELS = {
    "people": "People using the app",
    "push": "Budget pushes",
    "hooks": "Webhook upkeep",
    "discovery": "Install discovery",
    "first_read": "First sync",
    "freshness": "Regular syncs",
    "proof": "Completeness checks",
}
SHOWN_FROM = timedelta(seconds=30)  # of waiting; anything shorter is over before it is read
READING = ("first_read", "freshness", "proof")


@dataclass(frozen=True)
class Waiting:
    """Work that waits for a call; `hourly`: because of the hourly limit."""

    purpose: str
    until: datetime
    hourly: bool

    @property
    def label(self) -> str:
        return LABELS.get(self.purpose, self.purpose)


@dataclass(frozen=True)
class Waits:
    """`barred_until`: nobody calls before then, because Procore requested it."""

    waiting: list[Waiting]
    barred_until: datetime | None = None

    @property
    def reading(self) -> Waiting | None:
        """What keeps the company's records from being read, where it lasts."""
        from_now = clock.now() + SHOWN_FROM
        if self.barred_until and self.barred_until > from_now:
            return Waiting("", self.barred_until, hourly=False)
        found = [each for each in self.waiting if each.purpose in READING]
        return next((each for each in found if each.until > from_now), None)


@dataclass(frozen=True)
class Spent:
    """Calls of the last 60 minutes for one company by purpose, and what waits now."""

    calls: dict[str, int]
    waits: Waits

    @property
    def total(self) -> int:
        return sum(self.calls.values())

    @property
    def rows(self) -> list[tuple[str, int]]:
        return [(LABELS.get(name, name), count) for name, count in self.calls.items()]


def spent(company_id: int) -> Spent:
    """Empty where Redis does not respond."""
    pipe = broker().pipeline(transaction=False)
    this = int(clock.now().timestamp()) // 60
    for minute in range(this - MINUTES + 1, this + 1):
        pipe.hgetall(_calls_key(company_id, minute))
    try:
        with reachable():
            minutes = pipe.execute()
    except (RedisError, OSError):
        return Spent({}, Waits([]))
    calls = dict.fromkeys(LABELS, 0)
    for row in minutes:
        for name, number in row.items():
            calls[name.decode()] = calls.get(name.decode(), 0) + int(number)
    return Spent(calls, waits(company_id))


def waits(company_id: int) -> Waits:
    pipe = broker().pipeline(transaction=False)
    pipe.hgetall(_waits_key(company_id))
    pipe.get(f"tieback:rate:{company_id}:bar")
    try:
        with reachable():
            rows, bar = pipe.execute()
    except (RedisError, OSError):
        return Waits([])
    until = datetime.fromtimestamp(float(bar or 0), UTC)
    return Waits(_still_waiting(rows), until if until > clock.now() else None)


def count(pipe: Pipeline, company_id: int, purpose: CallPurpose, calls: int) -> None:
    key = _calls_key(company_id, int(clock.now().timestamp()) // 60)
    pipe.hincrby(key, purpose.label, calls)
    pipe.expire(key, KEPT)


def note_waiting(pipe: Pipeline, company_id: int, purpose: CallPurpose, held: Held) -> None:
    key = _waits_key(company_id)
    # A field for each kind of limit, so that a moment's wait does not hide the hourly one.
    pipe.hset(key, f"{purpose.label}:{int(held.hourly)}", str(held.until))
    pipe.expire(key, KEPT)


def _still_waiting(rows: dict[bytes, bytes]) -> list[Waiting]:
    found = []
    for name, value in rows.items():
        purpose, _, hourly = name.decode().partition(":")
        moment = datetime.fromtimestamp(float(value), UTC)
        if moment > clock.now():
            found.append(Waiting(purpose, moment, hourly == "1"))
    return sorted(found, key=lambda each: each.until)


def _calls_key(company_id: int, minute: int) -> str:
    return f"tieback:calls:{company_id}:{minute}"


def _waits_key(company_id: int) -> str:
    return f"tieback:waits:{company_id}"
