"""Waits for conditions in other processes, and names the one that was not met."""

import time
from collections.abc import Callable

from simulator.rates import ON_ITS_WAY

PATIENCE = 30.0  # seconds


def until(condition: Callable[[], object], *, within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} was not met within {within} s")
        time.sleep(0.05)


def answer_has_arrived() -> None:
    """Waits past the moment in which the simulator forgives a call already sent."""
    time.sleep(ON_ITS_WAY + 0.1)
