"""What Procore was seen to do and does not document: switches, all of them off at the start.

A switch is one function with one sentence as its docstring, made known by a decorator:

- `@on_value`: takes a value of a record and gives it in another form, or `AS_IT_IS`;
- `@on_record`: changes one record of an answer in place;
- `@on_answer`: takes a whole JSON document and gives it in another envelope, or `AS_IT_IS`;
- `@elsewhere`: is read where it matters, by `simulator.wild.on(function)`.

Which switch strikes where is drawn from the seed, the operation, the record and the field, so an
answer that is asked for again deviates in the same way.
"""

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

AS_IT_IS = object()
PROFILE = "wild"  # every switch


@dataclass(frozen=True)
class Spot:
    """Where a deviation is being considered."""

    operation: str  # "GET /rest/v1.0/projects/{project_id}/rfis"
    record_id: str = ""
    field: str = ""  # dotted

    @property
    def tool(self) -> str:
        """What a list of this operation may be called: the last word of its path."""
        words = [word for word in self.operation.split("/") if not word.startswith("{")]
        return words[-1]

    @property
    def version_2(self) -> bool:
        return "/rest/v2" in self.operation


OnAnswer = Callable[[Any, Spot], Any]
OnRecord = Callable[[dict[str, Any], Spot, random.Random], None]
OnValue = Callable[[Any, Spot, random.Random], Any]

ANSWERS: dict[str, OnAnswer] = {}
RECORDS: dict[str, tuple[OnRecord, float]] = {}
VALUES: dict[str, tuple[OnValue, float]] = {}
SWITCHES: dict[str, str] = {}  # name to sentence


def _known(function: Callable[..., Any]) -> str:
    name = function.__name__
    if name in SWITCHES or not function.__doc__:
        raise ValueError(f"{name}: a switch has a name of its own and a sentence")
    SWITCHES[name] = function.__doc__
    return name


def on_answer(function: OnAnswer) -> OnAnswer:
    ANSWERS[_known(function)] = function
    return function


def on_record(share: float) -> Callable[[OnRecord], OnRecord]:
    """Strikes this share of the records."""

    def add(function: OnRecord) -> OnRecord:
        RECORDS[_known(function)] = function, share
        return function

    return add


def on_value(share: float) -> Callable[[OnValue], OnValue]:
    """Strikes this share of the values that it can change."""

    def add(function: OnValue) -> OnValue:
        VALUES[_known(function)] = function, share
        return function

    return add


def elsewhere(function: Callable[[], None]) -> Callable[[], None]:
    _known(function)
    return function


@dataclass
class Wild:
    """The switches of one stand-in."""

    switches: frozenset[str] = frozenset()
    seed: int = 1
    operations: set[str] = field(default_factory=set)  # empty: all

    def turn(self, wanted: str | Iterable[str], seed: int = 1) -> None:
        """On: the switches named, or the whole profile; every other one off."""
        names = frozenset(SWITCHES) if wanted == PROFILE else frozenset(wanted)
        if unknown := names - SWITCHES.keys():
            raise LookupError(f"no such switch: {', '.join(sorted(unknown))}")
        self.switches, self.seed = names, seed

    def on(self, switch: Callable[..., Any]) -> bool:
        return switch.__name__ in self.switches

    def chance(self, *place: object) -> random.Random:
        """The same draws at the same place under the same seed."""
        return random.Random(zlib.crc32(repr((self.seed, *place)).encode()))

    def answered(self, document: Any, operation: str) -> Any:
        """A JSON answer as it is sent while these switches are on."""
        spot = Spot(operation)
        document = self._through(document, spot)
        envelopes = [name for name in ANSWERS if name in self.switches]
        if envelopes:
            # One of them, or none: an answer has one envelope, and each operation keeps to its own.
            number = self.chance("envelope", operation).randrange(len(envelopes) + 1)
            if number < len(envelopes):
                found = ANSWERS[envelopes[number]](document, spot)
                return document if found is AS_IT_IS else found
        return document

    def _through(self, document: Any, spot: Spot) -> Any:
        """Record by record, whatever holds them."""
        if isinstance(document, list):
            return [self._through(inner, spot) for inner in document]
        if not isinstance(document, dict):
            return document
        if "id" not in document:
            return {key: self._through(inner, spot) for key, inner in document.items()}
        spot = Spot(spot.operation, str(document["id"]))
        record = self._values(document, spot)
        for name, (apply, share) in RECORDS.items():
            if name in self.switches:
                draw = self.chance(name, spot.operation, spot.record_id)
                if draw.random() < share:
                    apply(record, spot, draw)
        return record

    def _values(self, value: Any, spot: Spot) -> Any:
        """Each value of a record, the innermost first; every value deviates once at most."""
        if isinstance(value, dict):
            value = {key: self._values(inner, _below(spot, key)) for key, inner in value.items()}
        elif isinstance(value, list):
            value = [self._values(inner, spot) for inner in value]
        if not spot.field:
            return value
        for name, (apply, share) in VALUES.items():
            if name in self.switches:
                draw = self.chance(name, spot.operation, spot.record_id, spot.field)
                if draw.random() < share:
                    found = apply(value, spot, draw)
                    if found is not AS_IT_IS:
                        return found
        return value


def _below(spot: Spot, key: str) -> Spot:
    return Spot(spot.operation, spot.record_id, f"{spot.field}.{key}" if spot.field else key)
