"""Writes records to their mirror: COPY to a staging table, one statement to merge."""

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from integrations.procore.resources.decoding import Decoded
from integrations.procore.resources.source import SourceRecord, kept_fields
from partner_app.core import clock

FIXED = ("company_id", "remote_id", "project_id", "remote_updated_at", "content_hash", "synced_at")
Place = int | None  # a project; None: the company


@dataclass
class Written:
    fetched: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def unchanged(self) -> int:
        return self.fetched - self.created - self.updated


def write_records(
    model: type[SourceRecord],
    *,
    company_id: int,
    records: Mapping[Place, Sequence[Decoded]],
) -> dict[Place, Written]:
    """Inside tenant(). A record that came twice counts once: the one changed later."""
    latest: dict[int, tuple[Place, Decoded]] = {}
    for place, rows in records.items():
        for record in rows:
            _, former = latest.get(record.remote_id, (None, None))
            if former is None or not former.newer_than(record):
                latest[record.remote_id] = place, record
    found: dict[Place, Written] = defaultdict(Written)
    for place, _ in latest.values():
        found[place].fetched += 1
    if not latest:
        return found
    columns = (*FIXED, *(field.attname for field, _ in kept_fields(model)))
    names = sql.SQL(", ").join([sql.Identifier(name) for name in columns])
    table = sql.Identifier(model._meta.db_table)
    # Named by its columns, so that a connection older than a migration creates a new one.
    staging = sql.Identifier(f"staging_{zlib.crc32(repr((table, columns)).encode())}")
    now = clock.now()
    with connection.cursor() as cursor:
        # Kept for the session and emptied at each commit: one table per batch would bloat the
        # catalog.
        create = "CREATE TEMP TABLE IF NOT EXISTS {} (LIKE {}) ON COMMIT DELETE ROWS"
        cursor.execute(_text(sql.SQL(create).format(staging, table)))
        cursor.execute(_text(sql.SQL("DELETE FROM {}").format(staging)))
        copy_in = _text(sql.SQL("COPY {} ({}) FROM STDIN").format(staging, names))
        with cursor.copy(copy_in) as copy:
            for place, record in latest.values():
                fixed = (company_id, record.remote_id, place, record.updated_at)
                copy.write_row((*fixed, record.content_hash, now, *record.values))
        cursor.execute(_merge(table, staging, names, columns))
        for place, created, updated in cursor.fetchall():
            found[place].created, found[place].updated = created, updated
    return found


def delete_rows(
    model: type[SourceRecord], *, company_id: int, remote_ids: Mapping[Place, Sequence[int]]
) -> dict[Place, int]:
    """What the customer deletes is deleted here, not hidden."""
    every = [key for keys in remote_ids.values() for key in keys]
    if not every:
        return {}
    return _deleted(model, "AND remote_id = ANY(%s)", [company_id, every])


def delete_gone(
    model: type[SourceRecord], *, company_id: int, gone: Mapping[Place, Collection[int]]
) -> dict[Place, int]:
    """Deletes what these places no longer have. A record that moved to another place stays."""
    pairs = [(place or 0, key) for place, keys in gone.items() for key in keys]
    if not pairs:
        return {}
    where = "AND (coalesce(project_id, 0), remote_id) IN (SELECT * FROM unnest(%s, %s))"
    places, keys = zip(*pairs, strict=True)
    return _deleted(model, where, [company_id, list(places), list(keys)])


def delete_places(
    model: type[SourceRecord], *, company_id: int, places: Iterable[Place]
) -> dict[Place, int]:
    """Deletes every record of these places."""
    where = "AND coalesce(project_id, 0) = ANY(%s)"
    return _deleted(model, where, [company_id, [place or 0 for place in places]])


def delete_orphans(
    model: type[SourceRecord],
    *,
    company_id: int,
    column: str,
    parent: type[SourceRecord],
    places: Iterable[Place],
) -> dict[Place, int]:
    """Deletes records whose parents are deleted."""
    where = (
        "AND coalesce(project_id, 0) = ANY(%s) AND NOT EXISTS (SELECT FROM "
        f"{parent._meta.db_table} p WHERE p.company_id = old.company_id AND p.remote_id = {column})"
    )
    return _deleted(model, where, [company_id, [place or 0 for place in places]])


def _deleted(
    model: type[SourceRecord], where: str, params: list[int | list[int]]
) -> dict[Place, int]:
    """`where` is our own SQL: names come from models, values are parameters."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH gone AS (DELETE FROM {model._meta.db_table} AS old "  # noqa: S608  # our own names
            f"WHERE company_id = %s {where} RETURNING project_id) "
            "SELECT project_id, count(*) FROM gone GROUP BY project_id",
            params,
        )
        return dict(cursor.fetchall())


def _merge(
    table: sql.Identifier, staging: sql.Identifier, names: sql.Composed, columns: Sequence[str]
) -> str:
    """Unchanged rows are compared, not written."""
    changed = [name for name in columns if name not in {"company_id", "remote_id"}]
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in changed
    )
    return _text(
        sql.SQL(
            """
            WITH merged AS (
                INSERT INTO {table} AS old ({names}) SELECT {names} FROM {staging}
                ON CONFLICT (company_id, remote_id) DO UPDATE SET {assignments}
                WHERE old.content_hash <> EXCLUDED.content_hash
                    OR old.project_id IS DISTINCT FROM EXCLUDED.project_id
                    OR old.remote_updated_at IS DISTINCT FROM EXCLUDED.remote_updated_at
                RETURNING old.project_id, (old.xmax = 0) AS inserted
            )
            SELECT project_id, count(*) FILTER (WHERE inserted),
                count(*) FILTER (WHERE NOT inserted)
            FROM merged GROUP BY project_id
            """
        ).format(table=table, staging=staging, names=names, assignments=assignments)
    )


def _text(query: sql.Composable) -> str:
    return query.as_string(None)
