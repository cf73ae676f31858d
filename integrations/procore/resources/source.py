"""SourceRecord, the base of every mirror table, and kept(): a column with its reason.

What arrives is untyped; `decode` turns it into exactly the kept columns, or says which one it could
not read. Amounts arrive as text or as JSON numbers and both become Decimal without a float between.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

import msgspec
from django.db import models

from integrations.procore.resources.spec import ResourceSpec
from partner_app.tenancy.models import TenantModel

Value = str | int | bool | Decimal | date | datetime | list[str] | None

FieldT = TypeVar("FieldT", bound="models.Field[Any, Any]")


@dataclass(frozen=True)
class Kept:
    """Why a column is kept and where its value stands in Procore's record."""

    purpose: str
    path: tuple[str, ...]
    personal: bool = False


def kept(field: FieldT, *, purpose: str, path: str = "", personal: bool = False) -> FieldT:
    """`path` is dotted; left out, it is the column's own name."""
    field.kept = Kept(purpose, tuple(path.split(".")) if path else (), personal)  # type: ignore[attr-defined]  # read back by kept_fields
    return field


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=20, decimal_places=4, null=True, **options)


class FieldUnreadable(ValueError):
    """A kept field that came in a shape we do not know."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


class SourceRecord(TenantModel):
    """A mirror of one Procore record. It has no write methods: only sync.writer writes."""

    spec: ClassVar[ResourceSpec]

    pk = models.CompositePrimaryKey("company_id", "remote_id")
    remote_id = models.BigIntegerField()
    project_id = models.BigIntegerField(null=True)
    remote_updated_at = models.DateTimeField(null=True)
    content_hash = models.BinaryField()
    synced_at = models.DateTimeField()

    class Meta:
        abstract = True

    @staticmethod
    def prepare(row: dict[str, Any]) -> dict[str, Any]:
        """A resource that keeps a figure derived from several fields computes it here."""
        return row

    def save(self, *_args: Any, **_options: Any) -> None:
        raise TypeError("Mirrors are written by sync.writer alone")


@dataclass(frozen=True)
class Decoded:
    """One record as it will be stored: `values` in the order of kept_fields."""

    remote_id: int
    updated_at: datetime | None
    values: tuple[Value, ...]
    content_hash: bytes


def kept_fields(model: type[SourceRecord]) -> list[tuple["models.Field[Any, Any]", Kept]]:
    return [(f, f.kept) for f in model._meta.concrete_fields if hasattr(f, "kept")]


def decode(model: type[SourceRecord], row: dict[str, Any], extra: dict[str, Any]) -> Decoded:
    """`extra` holds what the source itself adds (the kind of a contract).

    Raises FieldUnreadable.
    """
    merged = {**model.prepare(row), **extra}
    values = tuple(_value(field, why, merged) for field, why in kept_fields(model))
    try:
        remote_id = msgspec.convert(row.get("id"), int, strict=False)
        updated_at = msgspec.convert(row.get("updated_at"), datetime | None, strict=False)
    except msgspec.ValidationError:
        raise FieldUnreadable("id or updated_at") from None
    return Decoded(remote_id, updated_at, values, content_hash(values))


def content_hash(values: Sequence[Value]) -> bytes:
    """Equal for equal values, however an amount was written: 1.5 is 1.50."""
    canonical = [v.normalize() if isinstance(v, Decimal) and v else v for v in values]
    text = msgspec.json.encode([str(v) if isinstance(v, Decimal) else v for v in canonical])
    return hashlib.blake2b(text, digest_size=16).digest()


def _value(field: "models.Field[Any, Any]", why: Kept, row: dict[str, Any]) -> Value:
    value: Any = row
    for step in why.path or (field.name,):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None or value == "":
        return None if field.null else _empty(field)
    try:
        return msgspec.convert(value, _python_type(field), strict=False)  # type: ignore[no-any-return]  # one of Value
    except msgspec.ValidationError:
        raise FieldUnreadable(field.name) from None


def _python_type(field: "models.Field[Any, Any]") -> Any:
    for kind, python_type in (
        (models.DecimalField, Decimal),
        (models.BigIntegerField, int),
        (models.BooleanField, bool),
        (models.DateTimeField, datetime),
        (models.DateField, date),
        (models.TextField, str),
    ):
        if isinstance(field, kind):
            return python_type
    raise TypeError(f"{field.name}: no kept column has this type yet")


def _empty(field: "models.Field[Any, Any]") -> Value:
    if isinstance(field, models.TextField):
        return ""
    if isinstance(field, models.BooleanField):
        return False
    raise FieldUnreadable(field.name)
