"""Input and output of the process that reads a file, as JSON. Pure.

Its output is trusted as little as the file itself: it must have these types, or is refused.
"""

from decimal import Decimal
from typing import BinaryIO

import msgspec

from partner_app.estimates.errors import ChoosePart, LayoutAmbiguous, LayoutUnknown
from partner_app.estimates.reading.estimate import Answers
from partner_app.estimates.reading.lines import Reading
from partner_app.tabular.errors import FileTakesLong, FileUnreadable, ReadingError

HEAD = 8  # bytes that give the question's length


class Question(msgspec.Struct):
    """Followed by the file's bytes."""

    name: str
    answers: Answers


class Read(msgspec.Struct, tag="read"):
    reading: Reading


class UnreadableMessage(msgspec.Struct, tag="unreadable"):
    reason: str


class TakesLong(msgspec.Struct, tag="takes_long"):
    seconds: int


class NoHeader(msgspec.Struct, tag="no_header"):
    missing: str


class Place(msgspec.Struct):
    place: int
    name: str


class TwoColumns(msgspec.Struct, tag="two_columns"):
    choices: str
    column: str
    places: list[Place]


class TwoSheets(msgspec.Struct, tag="two_sheets"):
    choices: str
    sheets: list[str]


class PartMessage(msgspec.Struct):
    name: str
    lines: int
    total: Decimal


class Parts(msgspec.Struct, tag="parts"):
    parts: list[PartMessage]


Said = Read | UnreadableMessage | TakesLong | NoHeader | TwoColumns | TwoSheets | Parts


def put_question(file: BinaryIO, name: str, answers: Answers, content: bytes) -> None:
    head = msgspec.json.encode(Question(name, answers))
    file.write(len(head).to_bytes(HEAD, "big") + head)
    file.write(content)


def get_question(file: BinaryIO) -> tuple[Question, bytes]:
    """The question, and the file's content."""
    size = int.from_bytes(file.read(HEAD), "big")
    return msgspec.json.decode(file.read(size), type=Question), file.read()


def said_of(found: Reading | ReadingError) -> Said:
    if isinstance(found, Reading):
        return Read(found)
    facts, details = found.facts, found.details
    if isinstance(found, FileTakesLong):
        return TakesLong(msgspec.convert(facts["seconds"], int))
    if isinstance(found, LayoutUnknown):
        return NoHeader(str(facts["missing"]))
    if isinstance(found, LayoutAmbiguous) and "column" in details:
        places = msgspec.convert(details["places"], list[Place])
        return TwoColumns(str(facts["choices"]), str(details["column"]), places)
    if isinstance(found, LayoutAmbiguous):
        return TwoSheets(str(facts["choices"]), msgspec.convert(details["sheets"], list[str]))
    if isinstance(found, ChoosePart):
        return Parts(msgspec.convert(details["parts"], list[PartMessage]))
    return UnreadableMessage(str(facts["reason"]))


def encode(said: Said) -> bytes:
    return msgspec.json.encode(said)


def found_in(name: str, raw: bytes) -> Reading | ReadingError:
    """Raises msgspec.ValidationError or DecodeError where it has another form."""
    said: Said = msgspec.json.decode(raw, type=Said)
    match said:
        case Read(reading):
            return reading
        case TakesLong(seconds):
            return FileTakesLong(file=name, seconds=seconds)
        case NoHeader(missing):
            return LayoutUnknown(missing=missing)
        case TwoColumns(choices, column, places):
            rivals = [msgspec.structs.asdict(place) for place in places]
            return LayoutAmbiguous(choices, column=column, places=rivals)
        case TwoSheets(choices, sheets):
            return LayoutAmbiguous(choices, sheets=sheets)
        case Parts(parts):
            return ChoosePart([msgspec.structs.asdict(part) for part in parts])
        case UnreadableMessage(reason):
            return FileUnreadable(file=name, reason=reason)
