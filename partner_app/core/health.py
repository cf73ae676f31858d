"""Alive and ready, for the platform. Nothing secret, nothing slow."""

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def alive(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


def ready(_request: HttpRequest) -> JsonResponse:
    parts = {"database": _database(), "broker": _broker(), "migrations": _migrations()}
    return JsonResponse(
        {"ready": all(parts.values()), **parts}, status=200 if all(parts.values()) else 503
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker() -> bool:
    try:
        cache.get("ready")
    except (RedisError, OSError):
        return False
    return bool(settings.CELERY_BROKER_URL)


def _migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False
