"""A page of Procore's JSON to exactly the kept columns, each record decoded once.

From the kept columns a msgspec type is built that knows nothing else, so what is not kept is never
made into an object. Amounts arrive as text or as JSON numbers; both become Decimal without a float
between. Where a page does not fit the type, its records are mended one by one (empty text is
"absent"), or the column that cannot be read is named.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from django.db import models

from integrations.procore.resources.source import Kept, SourceRecord, kept_fields

_plain = msgspec.json.Decoder(float_hook=Decimal).decode
Value = str | int | bool | Decimal | date | datetime | None
Row = Any  # of the type that `_row_type` builds; `Any` ends in `_values`

TYPES: tuple[tuple[type, type], ...] = (
    (models.DecimalField, Decimal),
    (models.BigIntegerField, int),
    (models.BooleanField, bool),
    (models.DateTimeField, datetime),
    (models.DateField, date),
    (models.TextField, str),
)


class FieldUnreadable(ValueError):
    """A kept field that came in a shape we do not know."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


@dataclass(frozen=True)
class Decoded:
    """One record as it will be stored: `values` in the order of kept_fields."""

    remote_id: int
    updated_at: datetime | None
    values: tuple[Value, ...]
    content_hash: bytes


@dataclass(frozen=True)
class Batch:
    """One page: records that live, and ids of those that Procore shows as deleted."""

    records: list[Decoded]
    deleted: list[int]

    @property
    def ids(self) -> list[int]:
        """All of the page, in its order of living and deleted."""
        return [record.remote_id for record in self.records] + self.deleted


class PageDecoder:
    """Of one source of one resource; `extra` holds what the source itself adds."""

    def __init__(self, model: type[SourceRecord], extra: Mapping[str, str]) -> None:
        self.row_type = _row_type(model)
        self.page = msgspec.json.Decoder(list[self.row_type], strict=False)  # type: ignore[name-defined]  # made at run time
        self.readers = [_reader(field, why, extra) for field, why in kept_fields(model)]
        self.names = {
            ".".join(why.path) or field.name: field.name for field, why in kept_fields(model)
        }

    def __call__(self, body: bytes) -> Batch:
        """Raises FieldUnreadable; msgspec.DecodeError or TypeError where it is no list at all."""
        rows: Sequence[Row]
        try:
            rows = self.page.decode(body)
        except msgspec.ValidationError:
            rows = self._one_by_one(_plain(body))
        records = [self._decoded(row) for row in rows if not row.deleted_at]
        return Batch(records, [row.id for row in rows if row.deleted_at])

    def _decoded(self, row: Row) -> Decoded:
        values = tuple(read(row) for read in self.readers)
        return Decoded(row.id, row.updated_at, values, content_hash(values))

    def _one_by_one(self, rows: object) -> list[Row]:
        if not isinstance(rows, list):
            raise TypeError("not a list of records")
        return [self._convert(_without_empty(row)) for row in rows]

    def _convert(self, row: object) -> Row:
        try:
            return msgspec.convert(row, self.row_type, strict=False)
        except msgspec.ValidationError as error:
            _, _, path = str(error).rpartition("$.")
            path = path.strip("`").replace("[...]", "")
            raise FieldUnreadable(self.names.get(path, path or "record")) from None


@cache
def decoder_of(model: type[SourceRecord], extra: tuple[tuple[str, str], ...]) -> PageDecoder:
    return PageDecoder(model, dict(extra))


def content_hash(values: Sequence[Value]) -> bytes:
    """Equal for equal values, however an amount was written: 1.5 is 1.50."""
    canonical = [str(v.normalize()) if isinstance(v, Decimal) and v else v for v in values]
    text = msgspec.json.encode(["0" if isinstance(v, Decimal) else v for v in canonical])
    return hashlib.blake2b(text, digest_size=16).digest()


def _row_type(model: type[SourceRecord]) -> type[msgspec.Struct]:
    tree: dict[str, Any] = {"deleted_at": str}
    for field, why in kept_fields(model):
        node, path = tree, why.path or (field.name,)
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = _python_type(field)
    tree |= {"updated_at": datetime}
    lists = {why.path[0] for _, why in kept_fields(model) if why.summed}
    return _struct(model.__name__, tree, lists, [("id", int)])


def _struct(
    name: str, tree: Mapping[str, Any], lists: set[str], required: list[tuple[str, type]]
) -> type[msgspec.Struct]:
    """Every field but the required ones may be absent or null."""
    fields: list[Any] = list(required)
    for key, inner in tree.items():
        if isinstance(inner, dict):
            inner = _struct(f"{name}_{key}", inner, set(), [])
            inner = list[inner] if key in lists else inner  # type: ignore[valid-type]  # made at run time
        if key != "id" or not required:
            fields.append((key, inner | None, None))
    return msgspec.defstruct(name, fields, gc=False)


def _reader(
    field: "models.Field[Any, Any]", why: Kept, extra: Mapping[str, str]
) -> Callable[[Row], Value]:
    """How one column is got out of a record. What is absent is null, or empty, or an error."""
    if field.name in extra:
        constant = extra[field.name]
        return lambda _row: constant
    path = why.path or (field.name,)
    if why.summed:
        return _sum_reader(path)
    empty = None if field.null else _empty(field)
    required = not field.null and empty is None

    def read(row: Row) -> Value:
        value: Any = row
        for step in path:
            value = getattr(value, step)
            if value is None:
                if required:
                    raise FieldUnreadable(field.name)
                return empty
        return value  # type: ignore[no-any-return]  # one of Value, by the row's type

    return read


def _sum_reader(path: tuple[str, ...]) -> Callable[[Row], Value]:
    def read(row: Row) -> Value:
        found = []
        for item in getattr(row, path[0]) or ():
            value = item
            for step in path[1:]:
                value = None if value is None else getattr(value, step)
            if value is not None:
                found.append(value)
        return sum(found, Decimal(0)) if found else None

    return read


def _without_empty(value: object) -> object:
    """Procore's empty text stands for "absent" wherever something else is expected."""
    if isinstance(value, dict):
        return {key: _without_empty(inner) for key, inner in value.items() if inner != ""}
    if isinstance(value, list):
        return [_without_empty(inner) for inner in value]
    return value


def _python_type(field: "models.Field[Any, Any]") -> type:
    for kind, python_type in TYPES:
        if isinstance(field, kind):
            return python_type
    raise TypeError(f"{field.name}: no kept column has this type yet")


def _empty(field: "models.Field[Any, Any]") -> Value:
    empties: dict[type, Value] = {models.TextField: "", models.BooleanField: False}
    return empties.get(type(field))
