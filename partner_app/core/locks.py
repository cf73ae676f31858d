"""Advisory locks of Postgres, held until the transaction ends; their kinds are listed here."""

from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    FIGURES = 2  # of a project: computed by one process at a time


def hold(kind: Lock, key: int) -> None:
    """Inside a transaction; waits for the holder. Keys that share a lock only wait needlessly."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(kind), key % 2**31])
