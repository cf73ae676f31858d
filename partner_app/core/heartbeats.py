"""Heartbeats of workers and scheduler, and their queue lengths: in Redis, valid for seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.exceptions import RedisError

from partner_app.core import clock
from partner_app.core.broker import broker, reachable

PULSES = "tieback:pulses"
SCHEDULER = "scheduler"  # all other names are workers'
LIVES = timedelta(seconds=45)  # after its last heartbeat
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True)
class Process:
    name: str
    seen_at: datetime

    @property
    def alive(self) -> bool:
        return clock.now() - self.seen_at < LIVES


def beat(name: str) -> None:
    """Without Redis it is lost; readiness reports that."""
    try:
        with reachable():
            broker().hset(PULSES, name, str(clock.now().timestamp()))
    except (RedisError, OSError):
        return


def processes() -> list[Process]:
    """Those seen in the last hour, by name."""
    try:
        with reachable():
            found: dict[bytes, bytes] = broker().hgetall(PULSES)  # type: ignore[assignment]  # not awaited
    except (RedisError, OSError):
        return []
    rows = [
        Process(name.decode(), datetime.fromtimestamp(float(at), UTC)) for name, at in found.items()
    ]
    old = [row.name for row in rows if clock.now() - row.seen_at > FORGOTTEN]
    if old:
        broker().hdel(PULSES, *old)
    return sorted((row for row in rows if row.name not in old), key=lambda row: row.name)


@dataclass(frozen=True)
class Signs:
    """Which processes gave a heartbeat lately."""

    workers: int
    scheduler: bool


def signs() -> Signs:
    alive = [each.name for each in processes() if each.alive]
    scheduler = SCHEDULER in alive
    return Signs(len(alive) - scheduler, scheduler)


def waiting(queues: tuple[str, ...]) -> dict[str, int | None]:
    """Messages in each queue; None where the broker does not respond."""
    try:
        with reachable():
            return {name: int(broker().llen(name)) for name in queues}
    except (RedisError, OSError):
        return dict.fromkeys(queues)
