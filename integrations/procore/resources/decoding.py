"""Decodes a page of Procore's JSON to exactly the kept columns, each record once.

Amounts arrive as text or as JSON numbers; both become Decimal without passing through a float.
Where a page does not fit the type, its records are read one by one: a field that cannot be read
becomes empty where its column allows that; otherwise its record is set aside. Either is noted with
the field and the shape of what came, never the value, and no record affects another.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import msgspec

from integrations.procore.api.envelopes import list_of, list_part, parsed, shape_of
from integrations.procore.api.values import record_id
from integrations.procore.resources.columns import MOMENT, Column, columns_of, row_type
from integrations.procore.resources.lenient import Value, WrongShape, absent, in_range, read
from integrations.procore.resources.quick import Row, Unfit, ids_of, reader_of, stamp
from integrations.procore.resources.source import SourceRecord

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Decoded:
    """One record as it will be stored: `values` in the order of kept_fields."""

    remote_id: int
    updated_at: datetime | None
    values: tuple[Value, ...]
    content_hash: bytes

    def with_value(self, column: int, value: Value) -> "Decoded":
        if self.values[column] == value:
            return self
        values = (*self.values[:column], value, *self.values[column + 1 :])
        return replace(self, values=values, content_hash=content_hash(values))

    def newer_than(self, other: "Decoded") -> bool:
        return (self.updated_at or LONG_AGO) > (other.updated_at or LONG_AGO)


@dataclass(frozen=True)
class Fault:
    """What could not be read, without its value. `set_aside`: the record itself is not stored."""

    remote_id: int | None
    field: str
    shape: str
    set_aside: bool


@dataclass(frozen=True)
class Batch:
    """One page: live records, ids that Procore shows as deleted, and faults."""

    records: list[Decoded]
    deleted: list[int]
    faults: list[Fault] = field(default_factory=list)
    last_id: int | None = None  # the last id of the page, even where its record was not stored

    @property
    def ids(self) -> Iterator[int]:
        """Ids of all records on the page, stored or set aside."""
        yield from (record.remote_id for record in self.records)
        yield from self.deleted
        yield from (fault.remote_id for fault in self.faults if fault.remote_id)

    def with_value(self, column: int, value: Value) -> "Batch":
        """Sets this column to this value in every record."""
        records = [record.with_value(column, value) for record in self.records]
        return replace(self, records=records)

    @property
    def nameless(self) -> int:
        """Records on the page that have no usable id."""
        return sum(fault.remote_id is None for fault in self.faults)


@dataclass(frozen=True)
class _Read:
    """One record of a page. Nothing is stored where `record` is None, unless it was deleted."""

    remote_id: int | None
    updated_at: datetime | None = None
    record: Decoded | None = None
    gone: bool = False
    faults: tuple[Fault, ...] = ()


class PageDecoder:
    """Decodes one source of one resource; `extra` holds what the source itself adds."""

    def __init__(self, model: type[SourceRecord], extra: Mapping[str, str]) -> None:
        self.columns = columns_of(model, extra)
        self.row_type = row_type(model, self.columns)
        self.page = msgspec.json.Decoder(list[self.row_type], strict=False)  # type: ignore[name-defined]  # made at run time
        self.readers = [reader_of(column) for column in self.columns]

    def __call__(self, body: bytes) -> Batch:
        """Raises msgspec.DecodeError where it is not JSON, NotTheShape where it is not a list."""
        if b"\\u0000" not in body:
            try:
                return self._quickly(self.page.decode(list_part(body)))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Unfit):
                pass
        return _batch([self._one(row) for row in list_of(parsed(body))])

    def _quickly(self, rows: Sequence[Row]) -> Batch:
        """Raises Unfit."""
        if len({row.id for row in rows}) != len(rows):
            raise Unfit
        records = [self._decoded(row) for row in rows if row.deleted_at is None]
        deleted = [row.id for row in rows if stamp(row.deleted_at)]
        return Batch(records, deleted, last_id=rows[-1].id if rows else None)

    def _decoded(self, row: Row) -> Decoded:
        """Raises Unfit."""
        values = tuple([reader(row) for reader in self.readers])
        return Decoded(row.id, stamp(row.updated_at), values, content_hash(values))

    def _one(self, row: object) -> _Read:
        """One record of a page that did not fit as a whole; most of its records still fit."""
        if not isinstance(row, dict):
            return _Read(None, faults=(Fault(None, "record", shape_of(row), set_aside=True),))
        try:
            if not _has_nul(row):
                fit: Row = msgspec.convert(row, self.row_type, strict=False)
                if stamp(fit.deleted_at):
                    return _Read(fit.id, fit.updated_at, gone=True)
                return _Read(fit.id, fit.updated_at, self._decoded(fit))
        except (ValueError, OverflowError, ArithmeticError, RecursionError):
            pass
        return self._leniently(row)

    def _leniently(self, row: Mapping[str, object]) -> _Read:
        key = record_id(row.get("id"))
        if key is None:
            shape = "nothing" if absent(row.get("id")) else "no usable id"
            return _Read(None, faults=(Fault(None, "id", shape, set_aside=True),))
        faults: list[Fault] = []
        updated_at = self._stamp(key, "updated_at", row, faults)
        if self._stamp(key, "deleted_at", row, faults):
            return _Read(key, updated_at, gone=True)
        values: list[Value] = []
        for column in self.columns:
            try:
                values.append(_value(column, row))
            except WrongShape as error:
                faults.append(Fault(key, column.name, error.shape, set_aside=column.required))
                values.append(column.empty)
        if any(fault.set_aside for fault in faults):
            return _Read(key, updated_at, faults=tuple(faults))
        record = Decoded(key, updated_at, tuple(values), content_hash(values))
        return _Read(key, updated_at, record, faults=tuple(faults))

    def _stamp(
        self, key: int, name: str, row: Mapping[str, object], faults: list[Fault]
    ) -> datetime | None:
        """An invalid stamp changes nothing: a record is deleted only where it says since when."""
        try:
            found = read(datetime, MOMENT, row.get(name))
            return stamp(found) if isinstance(found, datetime) else None
        except WrongShape as error:
            shape = error.shape
        except Unfit:
            shape = "a date and time out of range"
        faults.append(Fault(key, name, shape, set_aside=False))
        return None


@cache
def decoder_of(model: type[SourceRecord], extra: tuple[tuple[str, str], ...]) -> PageDecoder:
    return PageDecoder(model, dict(extra))


def content_hash(values: Sequence[Value]) -> bytes:
    """Equal for equal values, however an amount is written: 1.5 equals 1.50."""
    canonical = [str(v.normalize()) if isinstance(v, Decimal) and v else v for v in values]
    text = msgspec.json.encode(["0" if isinstance(v, Decimal) else v for v in canonical])
    return hashlib.blake2b(text, digest_size=16).digest()


def _batch(found: list[_Read]) -> Batch:
    """Of a record that came twice, the one changed later counts; else the last."""
    last_id = found[-1].remote_id if found else None
    faults = [fault for each in found for fault in each.faults if each.remote_id is None]
    named = [each for each in found if each.remote_id is not None]
    kept = {each.remote_id: each for each in named}
    if len(kept) != len(named):
        for each in named:
            if (each.updated_at or LONG_AGO) > (kept[each.remote_id].updated_at or LONG_AGO):
                kept[each.remote_id] = each
    return Batch(
        [each.record for each in kept.values() if each.record],
        [each.remote_id for each in kept.values() if each.gone and each.remote_id],
        faults + [fault for each in kept.values() for fault in each.faults],
        last_id,
    )


def _value(column: Column, row: Mapping[str, object]) -> Value:
    """A value of a record that does not fit the type. Raises WrongShape."""
    if column.constant is not None:
        return column.constant
    if column.why.summed:
        return _sum(column, row)
    if column.why.gathered:
        return ids_of(_gathered(column, row))
    trouble: WrongShape | None = None
    for path in column.paths:
        try:
            value = read(
                column.kind, column.exact, _dug(column, row, path), join=column.why.personal
            )
        except WrongShape as error:
            trouble = trouble or error
            continue
        if value is not None and value != "":
            return value
    if trouble:
        raise trouble
    return column.empty


def _gathered(column: Column, row: Mapping[str, object]) -> Iterator[object]:
    """Ids that can be read: a person who is not found is not named and so sees no more."""
    for path in column.paths:
        try:
            nodes = _dug(column, row, path)
        except WrongShape:
            continue
        for node in nodes if isinstance(nodes, list) else [nodes]:
            with suppress(WrongShape):
                yield read(int, column.exact, node)


def _sum(column: Column, row: Mapping[str, object]) -> Value:
    """A sum that lacks a part would be wrong, so there is none. Raises WrongShape."""
    path = column.paths[0]
    items = row.get(path[0])
    if absent(items):
        return None
    parts = []
    for item in items if isinstance(items, list) else [items]:
        found = read(Decimal, Decimal, _down(column, item, path[1:]))
        if isinstance(found, Decimal):
            parts.append(found)
    total = sum(parts, Decimal(0))
    if not in_range(total):
        raise WrongShape("an amount out of range")
    return total if parts else None


def _dug(column: Column, row: Mapping[str, object], path: tuple[str, ...]) -> object:
    """The value at the path; a list where the path goes through one."""
    return _down(column, row.get(path[0]), path[1:])


def _down(column: Column, node: object, path: tuple[str, ...]) -> object:
    """Raises WrongShape. A value in place of the object that should hold it counts as the value."""
    for number, step in enumerate(path):
        if absent(node):
            return None
        if isinstance(node, list):
            inner = [item for item in node if not isinstance(item, list)]
            return [_down(column, item, path[number:]) for item in inner]
        if not isinstance(node, dict):
            if column.kind is str and not isinstance(node, str):
                raise WrongShape(f"{shape_of(node)} where an object was expected")
            return node
        node = node.get(step)
    return node


def _has_nul(value: object) -> bool:
    """NUL: msgspec accepts it, Postgres text cannot hold it."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(map(_has_nul, value.values()))
    return isinstance(value, list) and any(map(_has_nul, value))
