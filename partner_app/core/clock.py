"""Now, in UTC."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(moment: datetime) -> None:
    """For commands in the foreground only; a worker gives its work back instead of waiting."""
    time.sleep(max(0.0, (moment - now()).total_seconds()))  # the one allowed place


def pause(seconds: float) -> None:
    """Before a quick fault is tried again: a fraction of a second."""
    time.sleep(seconds)
