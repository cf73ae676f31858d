"""How a full sync compares with the floor, with dlt and with a plain loop, in the same run.

The floor fetches the same pages with as many threads and copies each record as received: no
columns, comparison, deletions, cursor or lease. The plain loop is what one writes first: one call
after another, one upsert a record. Absolute times mean little on a shared machine. Then people
change some of the records, and the requests of an incremental sync are counted.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import psycopg
import requests
from requests.adapters import HTTPAdapter

from tests.stack import Stack, running

PAGE = 2000
MOST_AT_ONCE = 10  # threads, as in sync.fetching
PLENTY = 10_000_000  # calls; the limits are measured elsewhere
COMPANY_LISTS = (
    "/rest/v1.1/projects?company_id={company}",
    "/rest/v1.3/companies/{company}/users",
    "/rest/v1.0/vendors?company_id={company}",
    "/rest/v1.0/line_item_types?company_id={company}",
)
PROJECT_LISTS = (
    "/rest/v1.0/projects/{project}/rfis",
    "/rest/v1.1/projects/{project}/submittals",
    "/rest/v1.1/change_events?project_id={project}",
    "/rest/v1.0/change_events?project_id={project}",
    "/rest/v1.0/change_order_packages?project_id={project}",
    "/rest/v1.0/potential_change_orders?project_id={project}",
    "/rest/v1.0/projects/{project}/work_breakdown_structure/wbs_codes",
    "/rest/v1.0/projects/{project}/commitment_change_orders",
    "/rest/v1.1/projects/{project}/direct_costs",
    "/rest/v1.0/projects/{project}/direct_costs/line_items",
    "/rest/v1.1/requisitions?project_id={project}",
    "/rest/v1.0/observations/items?project_id={project}",
    "/rest/v1.1/punch_items?project_id={project}",
)
CONTRACTS = ("work_order_contracts", "purchase_order_contracts")
CHANGES = 500  # by people, before the incremental sync
DLT_PEER = Path(__file__).parent / "dlt_peer.py"


class Reader:
    """The same calls for the floor, in threads, and for the plain loop, one after another."""

    def __init__(self, stack: Stack) -> None:
        self.procore = stack.procore
        self.session = requests.Session()
        self.session.mount("http://", HTTPAdapter(pool_maxsize=MOST_AT_ONCE))
        self.session.trust_env = False
        token = self.procore.tokens(grant_type="client_credentials")["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.session.headers["Procore-Company-Id"] = str(self.procore.company_id)
        self.session.headers["User-Agent"] = "bench"

    def body(self, path: str) -> bytes:
        joint = "&" if "?" in path else "?"
        address = f"{self.procore.announcement['api']}{path}{joint}per_page={PAGE}"
        return self.session.get(address, timeout=60).content

    def company_lists(self) -> list[str]:
        return [path.format(company=self.procore.company_id) for path in COMPANY_LISTS]

    def project_lists(self) -> list[str]:
        return [p.format(project=key) for key in self.procore.projects() for p in PROJECT_LISTS]

    def contract_lists(self) -> list[tuple[str, int]]:
        return [(kind, key) for key in self.procore.projects() for kind in CONTRACTS]

    def budget(self, project: int) -> bytes:
        views = json.loads(self.body(f"/rest/v1.0/budget_views?project_id={project}"))
        view = next(row["id"] for row in views if row["role"] == "budgeting")
        rows = f"/rest/v1.0/budget_views/{view}/detail_rows?project_id={project}"
        return self.body(f"{rows}&budget_row_type=all")

    def lines(self, kind: str, project: int, body: bytes) -> list[str]:
        return [
            f"/rest/v1.0/{kind}/{row['id']}/line_items?project_id={project}"
            for row in json.loads(body)
        ]


def floor(stack: Stack) -> None:
    """Threads fetch, this thread copies; no page waits for another."""
    reader = Reader(stack)
    rows = msgspec.json.Decoder(list[msgspec.Raw]).decode

    with (
        psycopg.connect(stack.demo.environment["DATABASE_OWNER_URL"]) as connection,
        ThreadPoolExecutor(MOST_AT_ONCE) as pool,
    ):
        connection.execute("CREATE TEMP TABLE floor (body jsonb)")

        def write(bodies: Iterable[bytes]) -> None:
            for body in bodies:
                with connection.cursor().copy("COPY floor (body) FROM STDIN") as copy:
                    for row in rows(body):
                        copy.write_row((bytes(row).decode(),))

        write(pool.map(reader.body, reader.company_lists()))
        kinds = reader.contract_lists()
        paths = [f"/rest/v1.0/{kind}?project_id={project}" for kind, project in kinds]
        bodies = list(pool.map(reader.body, paths))
        write(bodies)
        lines = [
            path
            for (kind, project), body in zip(kinds, bodies, strict=True)
            for path in reader.lines(kind, project, body)
        ]
        write(pool.map(reader.body, reader.project_lists()))
        write(pool.map(reader.budget, reader.procore.projects()))
        write(pool.map(reader.body, lines))
        connection.rollback()


def plain_loop(stack: Stack) -> None:
    reader = Reader(stack)
    with psycopg.connect(stack.demo.environment["DATABASE_OWNER_URL"]) as connection:
        connection.execute(
            "CREATE TEMP TABLE plain (kind text, id bigint, body jsonb, PRIMARY KEY (kind, id))"
        )

        def write(kind: str, body: bytes) -> None:
            for row in json.loads(body):
                connection.execute(
                    "INSERT INTO plain VALUES (%s, %s, %s) "
                    "ON CONFLICT (kind, id) DO UPDATE SET body = EXCLUDED.body",
                    (kind, row["id"], json.dumps(row)),
                )

        for path in (*reader.company_lists(), *reader.project_lists()):
            write(path.partition("?")[0], reader.body(path))
        for project in reader.procore.projects():
            write("budget", reader.budget(project))
        for kind, project in reader.contract_lists():
            body = reader.body(f"/rest/v1.0/{kind}?project_id={project}")
            write(kind, body)
            for path in reader.lines(kind, project, body):
                write("lines", reader.body(path))
        connection.rollback()


def by_dlt(stack: Stack, python: Path) -> float:
    """Seconds of dlt's REST source, in its own environment and process."""
    reader = Reader(stack)
    with tempfile.TemporaryDirectory(prefix="tieback-dlt-") as folder:
        wanted = {
            "api": stack.procore.announcement["api"],
            "headers": {
                name: str(value)
                for name, value in reader.session.headers.items()
                if name in {"Authorization", "Procore-Company-Id", "User-Agent"}
            },
            "company": reader.company_lists(),
            "project": PROJECT_LISTS,
            "projects": reader.procore.projects(),
            "contracts": CONTRACTS,
            # dlt insists on a password and a host; the socket in the query overrides both.
            "database": stack.demo.environment["DATABASE_OWNER_URL"].replace("@/", ":-@localhost/"),
            "folder": folder,
            "at_once": MOST_AT_ONCE,
        }
        done = subprocess.run(
            [python, DLT_PEER],
            input=json.dumps(wanted),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return float(done.stdout.split()[-1])


def incremental(stack: Stack) -> dict[str, object]:
    """Requests per changed record, and the requests of a sync without changes."""
    company = stack.procore.company_id
    idle = stack.manage("sync", company)["requests"]
    stack.procore.control("mutations", changes=CHANGES, seed=3, company_id=company)
    counts = stack.manage("sync", company)
    changed = sum(
        row["created"] + row["updated"] + row["deleted"] for row in counts["resources"].values()
    )
    return {
        "polling_requests": idle,
        "records_changed": changed,
        "incremental_requests": counts["requests"],
        "requests_a_changed_record": round((counts["requests"] - idle) / changed, 3),
        "drift_after": stack.manage("verify", company)["drift"],
    }


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(
    size: str, rounds: int, latency: float, *, plain: bool, dlt: Path | None
) -> dict[str, object]:
    with (
        tempfile.TemporaryDirectory(prefix="tieback-bench-") as folder,
        running(Path(folder) / "demo", size=size) as stack,
    ):
        company = stack.procore.company_id
        stack.procore.control("rates", per_hour=PLENTY, per_spike=PLENTY)
        stack.procore.control("installs", company_id=company, permitted_projects="all")
        stack.demo.end("worker")
        stack.demo.end("beat")
        stack.manage("discover")
        if latency:
            slow = {"kind": "delay", "path": "/rest/*", "times": PLENTY, "seconds": latency}
            stack.procore.control("faults", **slow)
        first = stack.manage("sync", company, "--full")
        again, floors = [], []
        for _ in range(rounds):
            floors.append(timed(lambda: floor(stack)))
            again.append(stack.manage("sync", company, "--full")["seconds"])
        result = {
            "size": size,
            "latency_ms": round(latency * 1000),
            "records": sum(counts["fetched"] for counts in first["resources"].values()),
            "requests": first["requests"],
            "first_sync_seconds": first["seconds"],
            "full_sync_seconds": round(statistics.median(again), 2),
            "floor_seconds": round(statistics.median(floors), 2),
            "first_sync_against_floor": round(statistics.median(floors) / first["seconds"], 3),
            "full_sync_against_floor": round(
                statistics.median(floors) / statistics.median(again), 3
            ),
            # Of the largest child process: the sync command.
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        }
        if plain:
            seconds = timed(lambda: plain_loop(stack))
            result["plain_loop_seconds"] = round(seconds, 2)
            result["times_as_fast_as_plain_loop"] = round(seconds / first["seconds"], 2)
        if dlt:
            seconds = by_dlt(stack, dlt)
            result["dlt_seconds"] = round(seconds, 2)
            result["times_as_fast_as_dlt"] = round(seconds / first["seconds"], 2)
        return {**result, **incremental(stack)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.sync", description=__doc__)
    parser.add_argument("--size", choices=["S", "M", "L"], default="M")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--no-plain-loop", action="store_true")
    parser.add_argument("--dlt", type=Path, help="the Python of an environment that has dlt")
    arguments = parser.parse_args()
    result = measure(
        arguments.size,
        arguments.rounds,
        arguments.latency_ms / 1000,
        plain=not arguments.no_plain_loop,
        dlt=arguments.dlt,
    )
    for name, value in result.items():
        print(f"{name:30}{value!s:>14}", file=sys.stderr)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
