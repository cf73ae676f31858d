"""Many rows changed by one statement."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from psycopg import sql

ModelT = TypeVar("ModelT", bound=models.Model)


def update_rows(model: type[ModelT], rows: Iterable[ModelT], names: Sequence[str]) -> None:
    """Writes these fields of rows that exist; a row that is gone meanwhile stays gone.

    Django's bulk_update builds one CASE for each row and field, which costs more than the statement
    itself; arrays cost the same however many rows there are.
    """
    changed = list(rows)
    if not changed:
        return
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in ("id", *names)]
    columns = [sql.Identifier(str(field.column)) for field in fields]
    arrays = [sql.SQL(f"%s::{field.db_type(connection)}[]") for field in fields]
    statement = sql.SQL(
        "UPDATE {table} AS old SET {changes} FROM unnest({arrays}) AS new ({columns}) "
        "WHERE old.id = new.id"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        changes=sql.SQL(", ").join(sql.SQL("{0} = new.{0}").format(name) for name in columns[1:]),
        arrays=sql.SQL(", ").join(arrays),
        columns=sql.SQL(", ").join(columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [_values(field, changed) for field in fields])


def _values(field: Any, rows: Sequence[models.Model]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
