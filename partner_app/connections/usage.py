"""How many calls a company costs and how Procore responded: the basis of Procore's app score.

Counted in Redis beside the call budget, so that a call costs nothing more, and moved to Postgres by
a task. A count may be lost with Redis; nothing depends on it.
"""

from collections import defaultdict
from datetime import date
from typing import Any

import redis
from django.db import connection

from partner_app.connections.models import ApiDay
from partner_app.core import clock
from partner_app.core.broker import broker

COUNTED = "tieback:usage"
TAKEN = "tieback:usage:taken"  # being moved; read again after an interruption
NAMES = {
    0: "unreachable",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
}
COUNTS = ("calls", *NAMES.values(), "server_errors", "refused")


def field_of(company_id: int | None, status: int) -> str:
    """The field in Redis: company (0 for none), day and the category of the response."""
    return f"{company_id or 0}:{clock.now():%Y-%m-%d}:{_name(status)}"


def _name(status: int) -> str:
    if status in NAMES:
        return NAMES[status]
    if status >= 500:
        return "server_errors"
    return "refused" if status >= 400 else "answered"


def collect() -> int:
    """Moves counts from Redis to Postgres; returns the number of days touched."""
    store = broker()
    if not store.exists(TAKEN):
        try:
            store.rename(COUNTED, TAKEN)
        except redis.ResponseError:  # nothing was counted
            return 0
    counted: dict[bytes, bytes] = store.hgetall(TAKEN)  # type: ignore[assignment]  # not awaited
    days: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for name, count in counted.items():
        company, day, outcome = name.decode().split(":")
        row = days[int(company), day]
        row["calls"] += int(count)
        if outcome in row:
            row[outcome] += int(count)
    if days:
        _add(days)
    store.delete(TAKEN)
    return len(days)


def _add(days: dict[tuple[int, str], dict[str, int]]) -> None:
    """Only for companies that still exist."""
    table, names = ApiDay._meta.db_table, ", ".join(COUNTS)
    given = ", ".join(f"%({name})s::int[]" for name in COUNTS)
    added = ", ".join(f"{name} = d.{name} + excluded.{name}" for name in COUNTS)
    values: dict[str, Any] = {name: [row[name] for row in days.values()] for name in COUNTS}
    values |= {
        "company": [company for company, _ in days],
        "day": [date.fromisoformat(day) for _, day in days],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS d (company_id, day, {names}) "  # noqa: S608  # names of ours
            f"SELECT g.* FROM unnest(%(company)s::bigint[], %(day)s::date[], {given}) "
            f"AS g (company_id, day, {names}) "
            "WHERE g.company_id = 0 "
            "OR EXISTS (SELECT FROM tenancy_company c WHERE c.id = g.company_id) "
            f"ON CONFLICT (company_id, day) DO UPDATE SET {added}",
            values,
        )
