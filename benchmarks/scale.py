"""The cost of a medium company: disk, rows, connections, and CPU seconds for its changes.

From these, `docs/operations/scaling.md` computes the needs of a hundred, ten thousand and a
hundred thousand companies; `benchmarks.tick` measures the scheduler, which handles all of them at
once.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.stack import Stack, running
from tests.visitor import Visitor
from tests.waiting import until

CHANGES, APART = 60, 1.0  # seconds between two changes
PEOPLE = 12  # who open pages at the same time
MB = 1024 * 1024
BY_MONTH = ("procore_step_by_month", "procore_event_by_month")
SIZES = """
SELECT coalesce(parent.relname, cls.relname),
    sum(pg_total_relation_size(cls.oid))::bigint, sum(greatest(cls.reltuples, 0))::bigint
FROM pg_class cls JOIN pg_namespace nsp ON nsp.oid = cls.relnamespace AND nsp.nspname = 'public'
LEFT JOIN pg_inherits inh ON inh.inhrelid = cls.oid LEFT JOIN pg_class parent
    ON parent.oid = inh.inhparent
WHERE cls.relkind = 'r' GROUP BY 1
"""
CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity WHERE usename = 'tieback_app'
"""


def superuser(stack: Stack) -> str:
    assert stack.demo.postgres is not None
    return stack.demo.postgres.superuser_url("tieback")


def sizes(stack: Stack) -> dict[str, tuple[int, int]]:
    """Bytes with indexes, and rows, by table."""
    with psycopg.connect(superuser(stack), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        return {name: (size, rows) for name, size, rows in connection.execute(SIZES).fetchall()}


def busy(stack: Stack, names: tuple[str, ...]) -> float:
    """CPU seconds that these processes and their children have used so far."""
    total = 0.0
    for name in names:
        process = psutil.Process(stack.demo.processes[name].pid)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


@contextmanager
def people(stack: Stack, company: int) -> Iterator[None]:
    over = threading.Event()

    def look() -> None:
        person = Visitor(stack, company).sign_in("admin")
        while not over.wait(0.05):
            person.open("/embedded/home/")

    threads = [threading.Thread(target=look) for _ in range(PEOPLE)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def connections(stack: Stack, company: int) -> int:
    """The most that web, worker and beat held while people opened pages and records changed."""
    most = 0
    with people(stack, company), psycopg.connect(superuser(stack), autocommit=True) as connection:
        for number in range(20):
            stack.procore.control("mutations", changes=5, seed=number, company_id=company)
            row = connection.execute(CONNECTIONS).fetchone()
            most = max(most, row[0] if row else 0)
            time.sleep(0.5)
    return most


def seconds_a_change(stack: Stack, company: int) -> float:
    """CPU seconds of worker and scheduler per change, with webhooks, one change after another."""
    until(lambda: stack.manage("verify", company)["drift"] == 0, within=120)
    before, began = busy(stack, ("worker", "reader", "beat")), time.monotonic()
    for number in range(CHANGES):
        stack.procore.control("mutations", changes=1, seed=1000 + number, company_id=company)
        time.sleep(APART)
    length = time.monotonic() - began
    spent = busy(stack, ("worker", "reader", "beat")) - before
    idle_from = busy(stack, ("worker", "reader", "beat"))
    time.sleep(20)
    idle = (busy(stack, ("worker", "reader", "beat")) - idle_from) / 20
    return max(0.0, (spent - idle * length) / CHANGES)


def main() -> int:
    argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tieback-bench-") as folder,
        running(Path(folder) / "demo", size="M") as stack,
    ):
        empty = sum(size for size, _ in sizes(stack).values())
        company = stack.first_sync(within=300)
        filled = sizes(stack)
        change = seconds_a_change(stack, company)
        held = connections(stack, company)
        after = sizes(stack)
        result = {
            "disk_mb": round((sum(s for s, _ in filled.values()) - empty) / MB, 1),
            "rows": sum(count for _, count in filled.values()),
            "largest_tables_mb": {
                name: round(size / MB, 1)
                for name, (size, _) in sorted(filled.items(), key=lambda each: -each[1][0])[:8]
            },
            "operational_rows_a_change": round(
                sum(after[name][1] - filled[name][1] for name in BY_MONTH) / (CHANGES + 100), 1
            ),
            "processor_seconds_a_change": round(change, 3),
            "connections": held,
        }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
