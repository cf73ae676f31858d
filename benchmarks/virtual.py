"""A clock that jumps: hours of waiting for Procore's limits pass at once, for app and simulator.

Everything else is real: the governor's windows and Redis, the simulator's own windows, the calls.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from partner_app.core import clock
from tests.procore import Procore

TOGETHER = 0.02  # seconds of grace, so that the simulator's clock is never behind the app's


class VirtualClock:
    """Real time plus the skipped time; the simulator's clock follows."""

    def __init__(self, procore: Procore) -> None:
        self.procore, self.ahead = procore, timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def wait_until(self, moment: datetime) -> None:
        missing = moment - self.now()
        if missing > timedelta():
            self.ahead += missing + timedelta(seconds=TOGETHER)
            self.procore.control("clock", skew_seconds=self.ahead.total_seconds())

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # a fraction of a second

    @contextmanager
    def ticking(self) -> Iterator["VirtualClock"]:
        """Replaces the app's clock, and restores it at the end."""
        names = ("now", "wait_until", "pause")
        before = {name: getattr(clock, name) for name in names}
        for name in names:
            setattr(clock, name, getattr(self, name))
        try:
            yield self
        finally:
            for name, function in before.items():
                setattr(clock, name, function)
            self.procore.control("clock", skew_seconds=0)
