"""SourceRecord, the base of every mirror table, and kept(): a column with its reason."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from integrations.procore.resources.spec import ResourceSpec
from partner_app.tenancy.models import TenantModel

FieldT = TypeVar("FieldT", bound="models.Field[Any, Any]")


@dataclass(frozen=True)
class Kept:
    """Why a column is kept and where its value is in Procore's record."""

    purpose: str
    path: tuple[str, ...]
    personal: bool = False
    summed: bool = False
    joined: bool = False
    otherwise: tuple[str, ...] = ()
    gathered: tuple[tuple[str, ...], ...] = ()

    @property
    def many(self) -> bool:
        return self.summed or self.joined


def kept(
    field: FieldT,
    *,
    purpose: str,
    path: str = "",
    personal: bool = False,
    summed: bool = False,
    joined: bool = False,
    otherwise: str = "",
    gathered: tuple[str, ...] = (),
) -> FieldT:
    """`path` is dotted; its default is the column's name. `otherwise`: used where it gives nothing.

    The path's first step is a list where the column is `summed` (holds the sum over it) or `joined`
    (holds the names in it). A column of ids is `gathered` from several paths, of which the first
    step of each may be a list, which `[]` marks.
    """
    steps, second = (tuple(text.split(".")) if text else () for text in (path, otherwise))
    places = tuple(tuple(text.split(".")) for text in gathered)
    why = Kept(purpose, steps, personal, summed, joined, second, places)
    field.kept = why  # type: ignore[attr-defined]  # read back by kept_fields
    return field


def money(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=20, decimal_places=4, null=True, **options)


def privacy(path: str = "") -> "models.BooleanField[Any, Any]":
    """Null where Procore does not say: the record is then treated as private."""
    field: models.BooleanField[Any, Any] = models.BooleanField(null=True)
    return kept(field, purpose="limits a private record to the people who may see it", path=path)


def named_people(*paths: str) -> "ArrayField[Any, Any]":
    """Ids of the people who may see the record where it is private or a draft."""
    field: ArrayField[Any, Any] = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    purpose = "shows who may see it when it is private or a draft"
    return kept(field, purpose=purpose, personal=True, gathered=paths)


class SourceRecord(TenantModel):
    """The mirror of one Procore record. It has no write methods: only sync.writer writes."""

    spec: ClassVar[ResourceSpec]

    pk = models.CompositePrimaryKey("company_id", "remote_id")
    remote_id = models.BigIntegerField()
    project_id = models.BigIntegerField(null=True)
    remote_updated_at = models.DateTimeField(null=True)
    content_hash = models.BinaryField()
    synced_at = models.DateTimeField()

    class Meta:
        abstract = True

    @property
    def web_path(self) -> str:
        """The path of the record's page under Procore's web address."""
        return self.spec.web.format(project_id=self.project_id, remote_id=self.remote_id)

    def save(self, *_args: Any, **_options: Any) -> None:
        raise TypeError("Mirrors are written by sync.writer alone")


def kept_fields(model: type[SourceRecord]) -> list[tuple["models.Field[Any, Any]", Kept]]:
    return [(f, f.kept) for f in model._meta.concrete_fields if hasattr(f, "kept")]
