"""Limits for a process that works on untrusted content."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The system enforces them, whatever the file contains.

    `seconds` of work, `memory` bytes of address space, `result` bytes that it may write, and `wait`
    seconds of wall time, for a process that does not work at all.
    """

    seconds: int = 20
    memory: int = 1024**3
    result: int = 64 * 1024**2
    wait: int = 60
