"""Response times of the partner's dashboard at the server, with 100 and with 10,000 tenants."""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import django
from django.core.management import call_command

from tests.environment import services

SIZES = (100, 10_000)  # tenants
LISTS = 15  # lists that each tenant's syncs read
ROUNDS = 30


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.dashboard", description=__doc__)
    parser.parse_args()
    services()
    django.setup()
    print(json.dumps({f"{size} tenants": found for size, found in measured()}))
    return 0


def measured() -> Iterator[tuple[int, dict[str, Any]]]:
    from django.conf import settings  # after django.setup()

    from integrations.procore.sync.models import SyncCursor
    from partner_app.accounts.models import Role
    from partner_app.core import clock
    from tests.dashboard.people import admin_of
    from tests.dashboard.test_pages import PAGES, add_tenants, queries

    settings.ALLOWED_HOSTS.append("testserver")  # the test client's host
    call_command("provision_database", stdout=sys.stderr)
    call_command("migrate", verbosity=0)
    call_command("provision_database", stdout=sys.stderr)
    browser = admin_of(Role.OWNER)
    had = 0
    for size in SIZES:
        add_tenants(had + 1, size - had)
        SyncCursor.objects.bulk_create(
            (
                SyncCursor(company_id=key, resource=f"list {number}", fresh_at=clock.now())
                for key in range(had + 1, size + 1)
                for number in range(LISTS)
            ),
            batch_size=5000,
        )
        had = size
        found = {}
        searches = ("/dashboard/tenants/?text=builder+99", "/dashboard/tenants/?sort=stalest")
        for path in (*PAGES, *searches, "/dashboard/tenants/7/"):
            found[path] = {"p95_ms": p95(browser, path), "queries": queries(browser, path)}
        yield size, found


def p95(browser: Any, path: str) -> float:
    browser.get(path)  # loads the templates
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        assert browser.get(path).status_code == 200
        times.append((time.perf_counter() - begun) * 1000)
    return round(statistics.quantiles(times, n=20)[-1], 1)


if __name__ == "__main__":
    sys.exit(main())
