"""How fast webhooks are acknowledged, compared with a bare handler under the same load.

Also measures how long a change takes from Procore to the mirror.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import uvloop

from partner_app.core.secrets import fingerprint
from runtime.services import free_port
from tests.stack import Stack, running
from tests.waiting import until

AT_ONCE = 200  # connections
SECRET = "Bearer of-the-benchmark"  # noqa: S105  # of a hook that lives for one run
COMPANY = 77  # no other data; it only has a hook


def load(address: str, rate: int, seconds: int) -> tuple[list[float], float]:
    """Milliseconds of each answer at a fixed rate, and how many a second were answered.

    Requests start on time even if earlier ones are late. The client is minimal, because it runs on
    the same cores as the server that it measures.
    """
    return uvloop.run(_load(address, rate, seconds))


async def _load(address: str, rate: int, seconds: int) -> tuple[list[float], float]:
    parts = urlsplit(address)
    numbers, begin = iter(range(rate * seconds)), time.perf_counter() + 0.5
    found: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in numbers:
            request = delivery(parts.path, number)
            wanted = begin + number / rate
            await asyncio.sleep(max(0.0, wanted - time.perf_counter()))  # keeps the fixed rate
            began = time.perf_counter()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            found.append((time.perf_counter() - began) * 1000)
            assert answer.startswith(b"HTTP/1.1 202 "), answer
        writer.close()

    await asyncio.gather(*(connection() for _ in range(AT_ONCE)))
    return found, len(found) / (time.perf_counter() - begin)


def delivery(path: str, number: int) -> bytes:
    body = json.dumps(
        {
            "id": uuid.uuid4().hex.upper()[:26],
            "timestamp": "2026-01-02T03:04:05Z",
            "reason": "update",
            "company_id": str(COMPANY),
            "project_id": str(number % 20 + 1),
            "resource_type": "RFIs",
            "resource_id": str(number),
        }
    )
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {SECRET}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def figures(name: str, times: list[float], rate: float) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {
        f"{name}_p50_ms": round(cuts[49], 2),
        f"{name}_p99_ms": round(cuts[98], 2),
        f"{name}_a_second": round(rate),
    }


def add_hook(owner: str) -> uuid.UUID:
    """Adds a hook of a company that has nothing else, so that its events cause no sync."""
    key = uuid.uuid4()
    with psycopg.connect(owner) as connection:
        connection.execute(
            "INSERT INTO tenancy_company (id, name, state, state_since, state_reason, grace_days, "
            "duties_apart) VALUES (%s, 'Benchmark', 'discovered', now(), '', 30, true)",
            (COMPANY,),
        )
        connection.execute(
            "INSERT INTO procore_webhookhook (key, company_id, state, secret_hash) "
            "VALUES (%s, %s, 'active', %s)",
            (key, COMPANY, fingerprint(SECRET)),
        )
    return key


def acknowledgement(stack: Stack, rate: int, seconds: int, most: int) -> dict[str, float]:
    """Compared with the bare handler at `rate` a second; then alone at up to `most` a second."""
    owner = stack.demo.environment["DATABASE_OWNER_URL"]
    key = add_hook(owner)
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE bare_events (id bigserial PRIMARY KEY, body text)")
    port = free_port()
    command = "-m uvicorn benchmarks.bare_handler:application --workers 2 --no-access-log --port"
    bare = subprocess.Popen(
        [sys.executable, *command.split(), str(port)],
        env={**os.environ, "BARE_DATABASE_URL": owner},
        stderr=subprocess.DEVNULL,
    )
    ours, least = f"{stack.base_url}/webhooks/procore/{key}/", f"http://127.0.0.1:{port}/"
    try:
        time.sleep(3)  # the bare server starts
        for address in (ours, least):
            load(address, 50, 2)
        result = figures("bare", *load(least, rate, seconds))
        result |= figures("ours", *load(ours, rate, seconds))
        result |= figures("storm", *load(ours, most, seconds))
    finally:
        bare.terminate()
        bare.wait()
    with psycopg.connect(owner) as connection:
        row = connection.execute(
            "SELECT count(*) FROM procore_event_by_month WHERE company_id = %s", (COMPANY,)
        ).fetchone()
    lost = (rate + most) * seconds + 100 - (row[0] if row else 0)
    return {
        **result,
        "events_lost": lost,
        "p99_ratio": round(result["ours_p99_ms"] / result["bare_p99_ms"], 2),
    }


def freshness(stack: Stack, changes: int) -> dict[str, float]:
    company = stack.procore.company_id
    owner = stack.demo.environment["DATABASE_OWNER_URL"]
    project = stack.procore.projects()[0]
    rfis = stack.procore.records(project, "rfis")
    seconds = []
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("SELECT set_config('tieback.company_id', %s, false)", (str(company),))
        for number in range(changes):
            rfi = rfis[number % len(rfis)]["id"]
            subject = f"Changed {number}"
            began = time.perf_counter()
            stack.procore.control(f"projects/{project}/rfis/{rfi}", set={"subject": subject})

            def seen(rfi: int = rfi, subject: str = subject) -> bool:
                query = "SELECT subject FROM procore_rfi WHERE remote_id = %s"
                row = connection.execute(query, (rfi,)).fetchone()
                return bool(row and row[0] == subject)

            until(seen)
            seconds.append(time.perf_counter() - began)
    cuts = statistics.quantiles(seconds, n=20)
    return {"visible_p50_s": round(cuts[9], 2), "visible_p95_s": round(cuts[18], 2)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.webhooks", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="events a second")
    parser.add_argument("--storm", type=int, default=2000, help="events a second, at the end")
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    rate, seconds = arguments.rate, arguments.seconds
    with (
        tempfile.TemporaryDirectory(prefix="tieback-bench-") as folder,
        running(Path(folder) / "demo") as stack,
    ):
        company = stack.procore.company_id
        stack.procore.control("rates", per_hour=10_000_000, per_spike=10_000_000)
        stack.procore.control("installs", company_id=company, permitted_projects="all")
        stack.manage("discover")

        def registered() -> bool:
            paths = {(call["method"], call["path"]) for call in stack.procore.ledger()}
            return any(m == "POST" and path.endswith("/triggers/bulk") for m, path in paths)

        until(registered, within=90)
        answers = acknowledgement(stack, rate, seconds, arguments.storm)
        result = {"rate": rate, **freshness(stack, 40), **answers}
    for name, value in result.items():
        print(f"{name:20}{value:>12}", file=sys.stderr)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
