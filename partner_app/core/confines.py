"""What a process may take that works on what a stranger has made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The system holds a process to them, whatever a file makes of it.

    `seconds` of work, `memory` bytes of address space, `result` bytes that it may write, and `wait`
    seconds by the clock, for one that does not work at all.
    """

    seconds: int = 20
    memory: int = 1024**3
    result: int = 64 * 1024**2
    wait: int = 60
