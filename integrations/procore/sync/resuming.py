"""How far a part had come when its run paused, kept with its step: ids and times, no content.

Procore's rate limits often end a reading in the middle of a list. If it started again from the
beginning each time, a part that needs more calls than a window has left would never finish.
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
    """In a form that JSON can hold."""
    found: dict[str, object] = msgspec.to_builtins(progress)
    return found


def unpacked(stored: object) -> ResumePoint | None:
    return msgspec.convert(stored, ResumePoint) if stored else None
