"""Small facts that every process should know within a moment: in Redis.

Read so rarely that a call to Procore costs nothing more.
"""

import time

from redis.client import Pipeline
from redis.exceptions import RedisError

from partner_app.core.broker import broker, reachable

FRESH = 0.05  # seconds for which a process trusts what it has read
MOST_KNOWN = 10_000

_known: dict[str, tuple[float, str]] = {}  # when it was read, and its value


def flag(key: str) -> str:
    """Empty where there is none. Without Redis: the last known value."""
    now = time.monotonic()
    seen_at, value = _known.get(key, (-1.0, ""))
    if 0 <= now - seen_at < FRESH:
        return value
    try:
        with reachable():
            raw = broker().get(key)
    except (RedisError, OSError):
        return value
    found = raw.decode() if isinstance(raw, bytes) else ""
    _know(key, found)
    return found


def raise_flag(key: str, value: str, *, seconds: int, pipe: Pipeline | None = None) -> None:
    """For all processes, for this long. With `pipe`: as a part of its commands."""
    _know(key, value)
    if pipe is not None:
        pipe.set(key, value, ex=seconds)
        return
    try:
        with reachable():
            broker().set(key, value, ex=seconds)
    except (RedisError, OSError):
        return


def _know(key: str, value: str) -> None:
    if len(_known) > MOST_KNOWN:
        _known.clear()
    _known[key] = (time.monotonic(), value)
