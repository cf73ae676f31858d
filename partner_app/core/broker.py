"""Redis, for what may be forgotten: call budgets, counts on their way, signs of life."""

from functools import cache

import redis
from django.conf import settings


@cache
def broker() -> redis.Redis:
    return redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2)
