"""Now, in UTC."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(moment: datetime) -> None:
    """Only for commands in the foreground; a worker releases its work instead of waiting."""
    time.sleep(max(0.0, (moment - now()).total_seconds()))  # the one allowed place


def pause(seconds: float) -> None:
    """Before a short fault is retried: a fraction of a second."""
    time.sleep(seconds)
