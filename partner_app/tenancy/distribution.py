"""The SQL changes needed before Citus can distribute companies over several Postgres servers.

Citus keeps all rows of a company on one server when every table is distributed by the same column.
It requires that column in each primary key and unique index, non-null in each row, and in each
foreign key between two such tables (Citus documentation, "Distributed Data Modeling" and "DDL").
Tables without a company stay on the coordinator; no foreign key may lead from them to a distributed
one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import LiteralString

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

COMPANIES, KEY = "tenancy_company", "company_id"

COLUMNS: LiteralString = """
SELECT cls.relname, NOT att.attnotnull FROM pg_class cls
JOIN pg_namespace nsp ON nsp.oid = cls.relnamespace AND nsp.nspname = current_schema()
LEFT JOIN pg_attribute att
    ON att.attrelid = cls.oid AND att.attname = 'company_id' AND NOT att.attisdropped
WHERE cls.relkind IN ('r', 'p') AND NOT cls.relispartition ORDER BY 1
"""
CONSTRAINTS: LiteralString = """
SELECT con.conname, con.contype::text, con.conrelid::regclass::text,
    coalesce(nullif(con.confrelid, 0)::regclass::text, ''), con.confdeltype::text,
    ARRAY(SELECT attname::text FROM unnest(con.conkey) WITH ORDINALITY AS key(num, place)
        JOIN pg_attribute ON attrelid = con.conrelid AND attnum = num ORDER BY place),
    ARRAY(SELECT attname::text FROM unnest(con.confkey) WITH ORDINALITY AS key(num, place)
        JOIN pg_attribute ON attrelid = con.confrelid AND attnum = num ORDER BY place)
FROM pg_constraint con JOIN pg_namespace nsp
    ON nsp.oid = con.connamespace AND nsp.nspname = current_schema()
WHERE con.contype IN ('p', 'u', 'f') AND con.conparentid = 0 ORDER BY 3, 1
"""
INDEXES: LiteralString = """
SELECT idx.indexrelid::regclass::text, idx.indrelid::regclass::text,
    pg_get_indexdef(idx.indexrelid),
    ARRAY(SELECT attname::text FROM unnest(idx.indkey::int2[]) AS num
        JOIN pg_attribute ON attrelid = idx.indrelid AND attnum = num)
FROM pg_index idx JOIN pg_class cls ON cls.oid = idx.indexrelid
JOIN pg_namespace nsp ON nsp.oid = cls.relnamespace AND nsp.nspname = current_schema()
WHERE idx.indisunique AND NOT cls.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = idx.indexrelid) ORDER BY 1
"""
ON_DELETE = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True)
class Constraint:
    """`kind` is Postgres's: p for a primary key, u unique, f a foreign key to `target`."""

    name: str
    kind: str
    table: str
    target: str
    on_delete: str
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class UniqueIndex:
    name: str
    table: str
    definition: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class DistributionPlan:
    """`distributed` and `local` are tables; `statements` must be run in order.

    `unbound` names foreign keys that a distributed database cannot enforce; the app does so
    instead.
    """

    distributed: tuple[str, ...]
    local: tuple[str, ...]
    statements: tuple[str, ...]
    unbound: tuple[str, ...]


def plan(connection: BaseDatabaseWrapper) -> DistributionPlan:
    """Derived from the catalog of the migrated database, so that the two cannot disagree."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        nullable: dict[str, bool | None] = dict(cursor.fetchall())
        cursor.execute(CONSTRAINTS)
        constraints = [Constraint(*row[:5], *map(tuple, row[5:])) for row in cursor.fetchall()]
        cursor.execute(INDEXES)
        indexes = [
            UniqueIndex(name, table, definition, tuple(columns))
            for name, table, definition, columns in cursor.fetchall()
        ]
    distributed = {COMPANIES, *(table for table, null in nullable.items() if null is False)}
    keys = [c for c in constraints if c.kind in "pu" and c.table in distributed]
    references = [c for c in constraints if c.kind == "f"]
    unbound = [c for c in references if not _may_stay(c, distributed)]
    widened = [c for c in references if c not in unbound and _widens(c, distributed)]
    return DistributionPlan(
        tuple(sorted(distributed)),
        tuple(sorted(set(nullable) - distributed)),
        (
            *(_drop(c) for c in (*unbound, *widened)),
            *(text for c in keys if _lacks(c.table, c.columns) for text in _widen_key(c)),
            *(
                text
                for index in indexes
                if index.table in distributed and _lacks(index.table, index.columns)
                for text in _widen_index(index)
            ),
            *(_widen_reference(c) for c in widened),
            *_distribute(distributed),
        ),
        tuple(f"{c.table}.{c.columns[-1]} to {c.target}" for c in unbound),
    )


def _lacks(table: str, columns: Iterable[str]) -> bool:
    return table != COMPANIES and KEY not in columns


def _may_stay(reference: Constraint, distributed: set[str]) -> bool:
    """Both distributed, or both on the coordinator; references to companies only by their id."""
    return (reference.table in distributed) is (reference.target in distributed)


def _widens(reference: Constraint, distributed: set[str]) -> bool:
    return (
        reference.table in distributed
        and reference.target != COMPANIES
        and KEY not in reference.columns
    )


def _name(name: str) -> sql.Composable:
    return sql.SQL(name) if name.startswith('"') else sql.Identifier(name)


def _list(columns: Iterable[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _drop(constraint: Constraint) -> str:
    return (
        sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        .format(_name(constraint.table), sql.Identifier(constraint.name))
        .as_string()
    )


def _widen_key(key: Constraint) -> tuple[str, str]:
    words = sql.SQL("PRIMARY KEY") if key.kind == "p" else sql.SQL("UNIQUE")
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} ({})").format(
        _name(key.table), sql.Identifier(key.name), words, _list((KEY, *key.columns))
    )
    return _drop(key), add.as_string()


def _widen_index(index: UniqueIndex) -> tuple[str, str]:
    head, _, rest = index.definition.partition("(")
    drop = sql.SQL("DROP INDEX {}").format(_name(index.name)).as_string()
    return drop, f"{head}({KEY}, {rest}"


def _widen_reference(reference: Constraint) -> str:
    """SET NULL empties the column that names the row, never the company."""
    action: sql.Composable = sql.SQL(ON_DELETE[reference.on_delete])
    if reference.on_delete in "nd":
        action = sql.SQL("{} ({})").format(action, _list(reference.columns))
    return (
        sql.SQL(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} "
            "DEFERRABLE INITIALLY DEFERRED"
        )
        .format(
            _name(reference.table),
            sql.Identifier(reference.name),
            _list((KEY, *reference.columns)),
            _name(reference.target),
            _list((KEY, *reference.target_columns)),
            action,
        )
        .as_string()
    )


def _distribute(tables: set[str]) -> list[str]:
    """Companies first: other rows are placed with their company's row."""
    return [
        f"SELECT create_distributed_table('{COMPANIES}', 'id')",
        *(
            f"SELECT create_distributed_table('{table}', '{KEY}', colocate_with => '{COMPANIES}')"
            for table in sorted(tables - {COMPANIES})
        ),
    ]
