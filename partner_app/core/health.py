"""Liveness and readiness, for the platform. Nothing secret, nothing slow."""

import threading
from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from partner_app.core.version import VERSION

BOUND = 2.0  # seconds that all checks together may take


@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    parts = within_bound()
    return JsonResponse(
        {"ready": all(parts.values()), **parts, "version": VERSION},
        status=200 if all(parts.values()) else 503,
    )


class _Look:
    """Runs the checks in a thread of their own: a database that hangs blocks no request."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, bound: float = BOUND) -> dict[str, bool]:
        """False for a check without a timely answer. While one check hangs, no other is started."""
        found = dict.fromkeys(CHECKS, False)
        if self.lock.acquire(timeout=bound):
            done = threading.Event()
            threading.Thread(target=self._look, args=(found, done), daemon=True).start()
            done.wait(bound)
        return dict(found)

    def _look(self, found: dict[str, bool], done: threading.Event) -> None:
        try:
            for name, check in CHECKS.items():
                found[name] = check()
        finally:
            connection.close()
            self.lock.release()
            done.set()


def _broker() -> bool:
    try:
        cache.get("ready")
    except (RedisError, OSError):
        return False
    return True


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrations() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


CHECKS: dict[str, Callable[[], bool]] = {
    "broker": _broker,
    "database": _database,
    "migrations": _migrations,
}
within_bound = _Look()
