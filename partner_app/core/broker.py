"""Redis, for what may be forgotten: call budgets, counts on their way, signs of life.

A Redis that does not answer must not hold up a person: nobody waits for it longer than a second,
and after a failure nobody asks it again for some seconds.
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

AWAY = 5.0  # seconds during which a Redis that failed is not asked again
NO_RETRY = Retry(NoBackoff(), 0)


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, **settings.REDIS_WAITS, retry=NO_RETRY)


class _Standing:
    """When this process may ask again."""

    def __init__(self) -> None:
        self.lock, self.until = Lock(), 0.0


_standing = _Standing()


@contextmanager
def reachable() -> Iterator[None]:
    """Around what asks Redis. Raises redis.ConnectionError at once while it is away."""
    if time.monotonic() < _standing.until:
        raise redis.ConnectionError("Redis did not answer a moment ago")
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        with _standing.lock:
            _standing.until = time.monotonic() + AWAY
        raise


def ask_again() -> None:
    """Forgets that Redis was away."""
    _standing.until = 0.0
