"""Handles a system clock that was set back, which would delay all planned work as long.

A scheduler that compares times of day would start nothing until the old time is reached again, and
the same holds for leases and due times. Monotonic time shows how far the clock moved. A step
forward needs no action: work that is due a little early, or one more sign-in, does no harm.
"""

import time
from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from partner_app.core import clock
from partner_app.core.logging import log

SMALL = timedelta(seconds=2)  # a time service corrects less


class SteadyScheduler(PersistentScheduler):
    """Celery's own scheduler, which also notices that the clock was set back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.ahead = _ahead()
        self.lost = timedelta(0)  # what was planned by the former clock and is not moved yet
        super().__init__(*args, **options)

    def setup_schedule(self) -> None:
        """Also checks whether the clock was set back while no scheduler ran."""
        super().setup_schedule()
        self._ring_again()

    def tick(self, *args: Any, **options: Any) -> float:
        now_ahead = _ahead()
        back = timedelta(seconds=self.ahead - now_ahead)
        self.ahead = now_ahead
        if back > SMALL:
            log.warning("clock.set_back", seconds=round(back.total_seconds()))
            self.lost += back
            self._ring_again()
        if self.lost and _moved(self.lost):
            self.lost = timedelta(0)
        return float(super().tick(*args, **options))

    def _ring_again(self) -> None:
        now = self.app.now()
        for entry in self.schedule.values():
            if entry.last_run_at and entry.last_run_at > now:
                entry.last_run_at = now
        self._heap = None  # rebuilt by the next tick


def move_back(by: timedelta) -> int:
    """Moves future times in the models' `by_our_clock` columns; returns the number of rows.

    Times that people chose, such as the hour of a digest, are not among them.
    """
    now, rows = clock.now(), 0
    with transaction.atomic():
        for model in apps.get_models():
            for column in getattr(model, "by_our_clock", ()):
                ahead = model._base_manager.filter(**{f"{column}__gt": now})
                rows += ahead.update(**{column: F(column) - by})
    return rows


def _moved(by: timedelta) -> bool:
    """False where the database is away; the next tick tries again."""
    try:
        log.info("clock.moved_back", rows=move_back(by))
    except DatabaseError:
        connection.close()
        return False
    return True


def _ahead() -> float:
    """By how many seconds the time of day is ahead of the monotonic clock."""
    return time.time() - time.monotonic()
