"""How far a part had come when its run had to pause, kept with its step: ids and times, no content.

Procore's rate limits end a reading in the middle of a list as a matter of course. Begun anew each
time, a part that needs more calls than are left in a window would never come to its end.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from integrations.procore.sync.reading import Position


class ResumePoint(msgspec.Struct, frozen=True):
    """`parents` are those whose lists are read, in the order of the resource's kinds of parents."""

    began: datetime
    whole: bool
    newest: datetime | None = None
    position: Position = Position()
    parents: Sequence[Sequence[int]] = ()
    seen: Sequence[int] = ()
    blind: bool = False


def packed(progress: ResumePoint) -> dict[str, object]:
    """As JSON can hold it."""
    found: dict[str, object] = msgspec.to_builtins(progress)
    return found


def unpacked(stored: object) -> ResumePoint | None:
    return msgspec.convert(stored, ResumePoint) if stored else None
