"""Undocumented behaviour seen at Procore, as switches that are all off at the start.

A switch is one function with one sentence as its docstring, registered by a decorator:

- `@on_value`: takes a value of a record and returns it in another form, or `AS_IT_IS`;
- `@on_record`: changes one record of an answer in place;
- `@on_answer`: takes a whole JSON document and returns it in another envelope, or `AS_IT_IS`;
- `@elsewhere`: is checked where it matters, by `simulator.wild.on(function)`.

The seed, the operation, the record and the field decide which switch applies where, so a repeated
call gets the same deviations.
"""

import random
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

AS_IT_IS = object()
PROFILE = "wild"  # every switch


@dataclass(frozen=True)
class Spot:
    """The place of a possible deviation."""

    operation: str  # "GET /rest/v1.0/projects/{project_id}/rfis"
    record_id: str = ""
    field: str = ""  # dotted, with numbers within lists
    schema: Any = None  # of the record, where one was given

    @property
    def key(self) -> str:
        """The name of the field, or of the list that contains it."""
        names = [name for name in self.field.split(".") if not name.isdigit()]
        return names[-1] if names else ""

    @property
    def tool(self) -> str:
        """What a list of this operation may be called: the last word of its path."""
        words = [word for word in self.operation.split("/") if not word.startswith("{")]
        return words[-1]


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
    """Applies to this share of the records."""

    def add(function: OnRecord) -> OnRecord:
        RECORDS[_known(function)] = function, share
        return function

    return add


def on_value(share: float) -> Callable[[OnValue], OnValue]:
    """Applies to this share of the values that it can change."""

    def add(function: OnValue) -> OnValue:
        VALUES[_known(function)] = function, share
        return function

    return add


def elsewhere(function: Callable[[], None]) -> Callable[[], None]:
    _known(function)
    return function


@dataclass
class Wild:
    """The switches of one simulator."""

    switches: frozenset[str] = frozenset()
    seed: int = 1
    schemas: dict[str, Any] = field(default_factory=dict)  # of records, by operation
    struck: dict[str, set[str]] = field(default_factory=dict)  # ids of records, by switch

    def turn(
        self, wanted: str | Iterable[str], seed: int = 1, schemas: dict[str, Any] | None = None
    ) -> None:
        """Turns on the switches named, or the whole profile, and every other one off.

        `schemas`, by method and path, say which keys and types are possible besides those seen.
        """
        names = frozenset(SWITCHES) if wanted == PROFILE else frozenset(wanted)
        if unknown := names - SWITCHES.keys():
            raise LookupError(f"no such switch: {', '.join(sorted(unknown))}")
        self.switches, self.seed, self.struck = names, seed, {}
        self.schemas = {shape(name): schema for name, schema in (schemas or {}).items()}

    def on(self, switch: Callable[..., Any]) -> bool:
        return switch.__name__ in self.switches

    def chance(self, *place: object) -> random.Random:
        """The same random values at the same place under the same seed."""
        return random.Random(zlib.crc32(repr((self.seed, *place)).encode()))

    def answered(self, document: Any, operation: str) -> Any:
        """The JSON document as sent while these switches are on."""
        spot = Spot(operation, schema=self.schemas.get(shape(operation)))
        document = self._through(document, spot)
        envelopes = [name for name in ANSWERS if name in self.switches]
        # One that fits, or none; an operation always gets the same.
        fitting = [ANSWERS[name](document, spot) for name in envelopes]
        choices = [AS_IT_IS, *(found for found in fitting if found is not AS_IT_IS)]
        chosen = choices[self.chance("envelope", operation).randrange(len(choices))]
        return document if chosen is AS_IT_IS else chosen

    def _through(self, document: Any, spot: Spot) -> Any:
        """Applies switches to each record, inside any envelope."""
        if isinstance(document, list):
            return [self._through(inner, spot) for inner in document]
        if not isinstance(document, dict):
            return document
        if document and all(_is_held(key, inner) for key, inner in document.items()):
            return {key: self._through(inner, spot) for key, inner in document.items()}
        spot = replace(spot, record_id=str(document.get("id", "")))
        record = {key: self._value(inner, _below(spot, key)) for key, inner in document.items()}
        for name, (apply, share) in RECORDS.items():
            if name in self.switches:
                draw = self.chance(name, spot.operation, spot.record_id)
                if draw.random() < share:
                    apply(record, spot, draw)
                    self.struck.setdefault(name, set()).add(spot.record_id)
        return record

    def _value(self, value: Any, spot: Spot) -> Any:
        """Inner values first; each value deviates at most once."""
        if isinstance(value, dict):
            value = {key: self._value(inner, _below(spot, key)) for key, inner in value.items()}
        elif isinstance(value, list):
            value = [self._value(inner, _below(spot, str(n))) for n, inner in enumerate(value)]
        for name, (apply, share) in VALUES.items():
            if name in self.switches:
                draw = self.chance(name, spot.operation, spot.record_id, spot.field)
                if draw.random() < share:
                    found = apply(value, spot, draw)
                    if found is not AS_IT_IS:
                        self.struck.setdefault(name, set()).add(spot.record_id)
                        return found
        return value


def _is_held(key: str, value: Any) -> bool:
    """Whether this is an envelope's key: `data`, or a list of records under a name."""
    records = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    return records or (key == "data" and isinstance(value, dict))


def _below(spot: Spot, key: str) -> Spot:
    return replace(spot, field=f"{spot.field}.{key}" if spot.field else key)


def shape(operation: str) -> str:
    """The operation with all path ids under one name."""
    return re.sub(r"{[^}]*}", "{}", operation)
