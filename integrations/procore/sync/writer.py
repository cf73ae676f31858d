"""Writes a batch of records into its mirror: COPY to a staging table, one statement to merge."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from integrations.procore.resources.source import Decoded, SourceRecord, kept_fields
from partner_app.core import clock

FIXED = ("company_id", "remote_id", "project_id", "remote_updated_at", "content_hash", "synced_at")


@dataclass(frozen=True)
class Written:
    created: int
    updated: int
    unchanged: int


def write_batch(
    model: type[SourceRecord],
    *,
    company_id: int,
    project_id: int | None,
    records: Sequence[Decoded],
) -> Written:
    """Inside tenant(). A record that came twice counts once, and the later one wins."""
    latest = {record.remote_id: record for record in records}
    if not latest:
        return Written(0, 0, 0)
    columns = (*FIXED, *(field.attname for field, _ in kept_fields(model)))
    names = sql.SQL(", ").join([sql.Identifier(name) for name in columns])
    table = sql.Identifier(model._meta.db_table)
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS staging")
        cursor.execute(
            _text(sql.SQL("CREATE TEMP TABLE staging (LIKE {}) ON COMMIT DROP").format(table))
        )
        with cursor.copy(_text(sql.SQL("COPY staging ({}) FROM STDIN").format(names))) as copy:
            for record in latest.values():
                fixed = (company_id, record.remote_id, project_id, record.updated_at)
                copy.write_row((*fixed, record.content_hash, now, *record.values))
        cursor.execute(_merge(table, names, columns))
        created, updated = cursor.fetchone()
    return Written(created, updated, len(latest) - created - updated)


def delete_rows(model: type[SourceRecord], *, company_id: int, remote_ids: Sequence[int]) -> int:
    """What the customer deletes is erased here, not hidden."""
    rows = model._base_manager.filter(company_id=company_id, remote_id__in=remote_ids)
    return int(rows._raw_delete(rows.db)) if remote_ids else 0


def delete_absent(
    model: type[SourceRecord], *, company_id: int, project_id: int | None, present: set[int]
) -> int:
    """After a full read: what was not in it is gone."""
    rows = model._base_manager.filter(company_id=company_id, project_id=project_id)
    absent = set(rows.values_list("remote_id", flat=True)) - present
    return delete_rows(model, company_id=company_id, remote_ids=list(absent))


def _merge(table: sql.Identifier, names: sql.Composed, columns: Sequence[str]) -> str:
    """Unchanged rows are compared, not written."""
    changed = [name for name in columns if name not in {"company_id", "remote_id"}]
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in changed
    )
    return _text(
        sql.SQL(
            """
            WITH merged AS (
                INSERT INTO {table} AS old ({names}) SELECT {names} FROM staging
                ON CONFLICT (company_id, remote_id) DO UPDATE SET {assignments}
                WHERE old.content_hash <> EXCLUDED.content_hash
                    OR old.project_id IS DISTINCT FROM EXCLUDED.project_id
                    OR old.remote_updated_at IS DISTINCT FROM EXCLUDED.remote_updated_at
                RETURNING (old.xmax = 0) AS inserted
            )
            SELECT count(*) FILTER (WHERE inserted), count(*) FILTER (WHERE NOT inserted)
            FROM merged
            """
        ).format(table=table, names=names, assignments=assignments)
    )


def _text(query: sql.Composable) -> str:
    return query.as_string(None)
