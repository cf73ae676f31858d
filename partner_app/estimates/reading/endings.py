"""How the process that reads a file reports a failure. Pure."""

from enum import IntEnum


class Ending(IntEnum):
    """Its exit status; 0 means an answer, even where the answer is a refusal."""

    BROKE = 70
    MEMORY = 71
    RESULT = 72
