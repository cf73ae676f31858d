"""The definition of each kept column: where its value is, its kind, and what means "no value".

A msgspec type is built from these that knows no other field, so what is not kept is never made into
an object.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.procore.api.values import LARGEST_ID
from integrations.procore.resources.lenient import Value
from integrations.procore.resources.source import Kept, SourceRecord, kept_fields

TYPES: tuple[tuple[type, type], ...] = (
    (models.DecimalField, Decimal),
    (models.BigIntegerField, int),
    (models.BooleanField, bool),
    (models.DateTimeField, datetime),
    (models.DateField, date),
    (models.TextField, str),
    (ArrayField, list),
)
LIST = "[]"  # after a step of a path: a list of values
LONGEST = 20_000  # characters of a text
LONGEST_INDEXED = 500  # Postgres indexes entries of 2,700 bytes at most
IDENTIFIER = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_ID)]
WHOLE = Annotated[int, msgspec.Meta(ge=-LARGEST_ID, le=LARGEST_ID)]
MOMENT = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True)
class Column:
    """`exact` is the type that the quick reading takes; `empty` is what means "no value"."""

    name: str
    why: Kept
    kind: type
    exact: Any
    empty: Value
    constant: str | None = None  # the same for every record of the source

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where its value is found; later paths are used only where earlier ones give nothing.

        Of a gathered column all paths count.
        """
        if self.why.gathered:
            return tuple((path[0].removesuffix(LIST), *path[1:]) for path in self.why.gathered)
        first = self.why.path or (self.name,)
        return (first, self.why.otherwise) if self.why.otherwise else (first,)

    @property
    def required(self) -> bool:
        """A value that cannot be read sets the record aside: the column cannot be empty."""
        return self.empty is False


def columns_of(model: type[SourceRecord], extra: Mapping[str, str]) -> list[Column]:
    indexed = {name for index in model._meta.indexes for name in index.fields}
    return [_column(field, why, extra, indexed) for field, why in kept_fields(model)]


def row_type(model: type[SourceRecord], columns: list[Column]) -> type[msgspec.Struct]:
    """Every field but the id may be absent or null."""
    tree: dict[str, Any] = {}
    lists: set[str] = set()
    for column in columns:
        if column.constant is not None:
            continue
        for path in column.paths:
            node = tree
            for step in path[:-1]:
                node = node.setdefault(step, {})
            node[path[-1]] = column.exact
        if column.why.many:
            lists.add(column.paths[0][0])
        lists |= {
            path[0].removesuffix(LIST) for path in column.why.gathered if path[0].endswith(LIST)
        }
    tree |= {"updated_at": MOMENT, "deleted_at": MOMENT}
    return _struct(model.__name__, tree, lists, [("id", IDENTIFIER)])


def _column(
    field: "models.Field[Any, Any]", why: Kept, extra: Mapping[str, str], indexed: set[str]
) -> Column:
    kind = next((python for django, python in TYPES if isinstance(field, django)), None)
    if kind is None:
        raise TypeError(f"{field.name}: no kept column has this type yet")
    longest = LONGEST_INDEXED if field.name in indexed else LONGEST
    exact = {
        str: Annotated[str, msgspec.Meta(max_length=longest)],
        int: WHOLE,
        list: WHOLE,  # of each of them
        datetime: MOMENT,
    }.get(kind, kind)
    empties: dict[type, Value] = {str: "", bool: False, list: []}
    empty = None if field.null else empties[kind]
    return Column(field.name, why, kind, exact, empty, extra.get(field.name))


def _struct(
    name: str, tree: Mapping[str, Any], lists: set[str], required: list[tuple[str, Any]]
) -> type[msgspec.Struct]:
    fields: list[Any] = list(required)
    for key, inner in tree.items():
        if isinstance(inner, dict):
            inner = _struct(f"{name}_{key}", inner, set(), [])
            inner = list[inner] if key in lists else inner  # type: ignore[valid-type]  # made at run time
        if key != "id" or not required:
            fields.append((key, inner | None, None))
    return msgspec.defstruct(name, fields, gc=False)
