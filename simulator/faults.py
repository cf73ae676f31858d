"""Faults on demand: statuses, delays, cut bodies and lost answers for any path."""

import fnmatch
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal, get_args

Kind = Literal[
    "status", "delay", "truncate", "html", "reset_before", "reset_after", "bad_link", "body"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass
class Fault:
    """Applies to the next `times` calls whose method and path match (`*` matches anything)."""

    kind: Kind
    method: str = "*"
    path: str = "*"
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    retry_after: int | None = None
    as_date: bool = False  # Retry-After as a date
    body: str = ""  # of kind `body`: sent unchanged, under `status` and with `headers`
    headers: dict[str, str] = field(default_factory=dict)

    def advice(self, now: datetime) -> str:
        """Retry-After in one of its two forms; a date is rounded up to a whole second."""
        if not self.as_date:
            return str(self.retry_after)
        moment = now + timedelta(seconds=(self.retry_after or 0) + 1)
        return format_datetime(moment, usegmt=True)


class Faults:
    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The first fault that matches, with one use taken."""
        for fault in self.waiting:
            if fault.method in {"*", method} and fnmatch.fnmatch(path, fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
