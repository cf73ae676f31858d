"""Changes many rows with one statement."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

ModelT = TypeVar("ModelT", bound=models.Model)


def update_rows(model: type[ModelT], rows: Iterable[ModelT], names: Sequence[str]) -> None:
    """Writes these fields of existing rows; a row deleted meanwhile stays deleted.

    Django's bulk_update builds one CASE for each row and field, which costs more than the statement
    itself; arrays cost the same however many rows there are.
    """
    changed = list(rows)
    if not changed:
        return
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in ("id", *names)]
    columns = [sql.Identifier(str(field.column)) for field in fields]
    statement = sql.SQL(
        "UPDATE {table} AS old SET {changes} FROM unnest({arrays}) AS new ({columns}) "
        "WHERE old.id = new.id"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        changes=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(name) for name in columns[1:]),
        arrays=_arrays(fields),
        columns=sql.SQL(", ").join(columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [_values(field, changed) for field in fields])


def add_rows(model: type[ModelT], rows: Iterable[ModelT]) -> None:
    """Inserts rows that leave the same fields to the database; existing rows stay unchanged.

    Uses arrays too: where a column has a default in the database, Django's bulk_create makes a
    parameter of each value.
    """
    new = list(rows)
    if not new:
        return
    fields = [field for field in model._meta.concrete_fields if not _left(field, new[0])]
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        columns=sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
        arrays=_arrays(fields),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [_values(field, new) for field in fields])


def _arrays(fields: Sequence[Any]) -> sql.Composed:
    """A placeholder for each field, with the type of its column."""
    types = [sql.SQL(f"%s::{field.db_type(connection)}[]") for field in fields]
    return sql.SQL(", ").join(types)


def _left(field: Any, row: models.Model) -> bool:
    """Whether the database fills it in."""
    value = getattr(row, field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)


def _values(field: Any, rows: Sequence[models.Model]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
