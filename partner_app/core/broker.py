"""Redis, for data that may be lost: call budgets, counts being collected, heartbeats.

A Redis that does not respond must not hold up a person: nobody waits for it longer than a second,
and after a failure it is not called for some seconds.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

AWAY = 5.0  # seconds during which a failed Redis is not called
NO_RETRY = Retry(NoBackoff(), 0)


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, **settings.REDIS_WAITS, retry=NO_RETRY)


class _Standing:
    """When this process may try again."""

    def __init__(self) -> None:
        self.lock, self.until = Lock(), 0.0


_standing = _Standing()


@contextmanager
def reachable() -> Iterator[None]:
    """Wraps calls to Redis. Raises redis.ConnectionError at once while it is away."""
    if time.monotonic() < _standing.until:
        raise redis.ConnectionError("Redis did not answer a moment ago")
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        with _standing.lock:
            _standing.until = time.monotonic() + AWAY
        raise


def ask_again() -> None:
    """Allows calls to Redis again at once."""
    _standing.until = 0.0
