"""The cost of a large estimate: import time by size, and response times of its pages."""

import argparse
import json
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable

import django
from django.conf import settings
from django.core.management import call_command

from tests.environment import services

SIZES = (1_000, 10_000)
ROUNDS = 30
NOUNS = ("slab", "pipe", "curb", "rail", "beam", "wall", "drain", "deck", "joint", "sign", "fence")
KINDS = ("concrete", "steel", "timber", "aluminum", "plastic", "granite", "copper", "asphalt")
PLACES = ("north", "south", "east", "west", "upper", "lower", "inner", "outer", "temporary")
UNITS = ("LF", "SY", "CY", "EA", "TON", "LS")


def estimate(lines: int, rng: random.Random) -> bytes:
    """Every line has its own description, so each is a group that needs review."""
    rows = ["Item,Description,Quantity,Unit,Unit Price,Amount"]
    for number in range(lines):
        text = " ".join(rng.choice(words) for words in (PLACES, KINDS, NOUNS))
        quantity, price = rng.randint(1, 900), rng.randint(1, 90000) / 100
        rows.append(
            f"X-{number},{text} {number},{quantity},{rng.choice(UNITS)},{price:.2f},"
            f"{quantity * price:.2f}"
        )
    return "\n".join(rows).encode()


def p95(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.quantiles(times, n=20)[18], 1)


def main() -> int:
    argparse.ArgumentParser(prog="benchmarks.handoff", description=__doc__).parse_args()
    django.setup()
    settings.ALLOWED_HOSTS.append("testserver")  # the test client's host
    from integrations.procore.sync.services import sync_now  # after django.setup()
    from partner_app.connections.discover import discover
    from partner_app.core import clock
    from partner_app.estimates.services import take_estimate
    from tests.handoffs.people import Desk
    from tests.procore import Procore

    announcement = services()
    call_command("provision_database", stdout=sys.stderr)
    call_command("migrate", verbosity=0)
    call_command("provision_database", stdout=sys.stderr)
    procore = Procore(announcement)
    procore.reset()
    discover()
    company = procore.company_id
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    desk = Desk(procore, company, "manager")
    rng = random.Random(4)  # noqa: S311  # the same estimates in every run
    result: dict[str, float] = {}
    for size in SIZES:
        content = estimate(size, rng)
        began = time.perf_counter()
        desk.estimate_id = str(
            take_estimate(
                company_id=company,
                project_id=desk.project_id,
                name=f"{size}.csv",
                content=content,
                actor="procore:1",
            )
        )
        result[f"import_{size}_lines_s"] = round(time.perf_counter() - began, 2)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result[f"peak_memory_{size}_mb"] = round(peak / 1024)
        result[f"read_page_{size}_p95_ms"] = p95(desk.of_estimate)
        result[f"mapping_page_{size}_p95_ms"] = p95(lambda: desk.of_estimate("mapping/"))
        result[f"mapping_last_page_{size}_p95_ms"] = p95(
            lambda size=size: desk.of_estimate(f"mapping/?page={size // 50}")  # type: ignore[misc]  # a lambda's default
        )
        result[f"plan_{size}_ms"] = p95(lambda: desk.plan())
        result[f"plan_page_{size}_p95_ms"] = p95(desk.see)
    for name, value in result.items():
        print(f"{name:34}{value:>10}", file=sys.stderr)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
