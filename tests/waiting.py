"""For what happens elsewhere: ask again until it is so, and say what was awaited when it is not."""

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
    """Past the moment in which the stand-in forgives a call that was on its way already."""
    time.sleep(ON_ITS_WAY + 0.1)
