"""Response times of the workspace's pages as a company grows, at the server and in a browser.

The server part requests each page many times through the whole Django stack, with more projects
and a larger largest project each time. The browser part opens the simulator's frame and reads
the browser's own measurements.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command
from django.db import connection
from playwright.sync_api import Frame, sync_playwright

from runtime.browser import PARTITIONED, require
from tests.environment import services
from tests.stack import running

SIZES = ((20, 1_000), (100, 10_000), (500, 100_000))  # projects, records of the largest one
OTHERS = 40  # records of each other project
ROUNDS = 40
WORDS = ("beam", "slab", "duct", "door", "anchor", "drain", "stair", "panel", "lintel", "paint")
OBSERVED = """() => {
  const buffered = (type) => new Promise((resolve) => {
    let entries = [];
    new PerformanceObserver((list) => { entries = entries.concat(list.getEntries()); })
      .observe({ type, buffered: true });
    setTimeout(() => resolve(entries), 300);
  });
  return Promise.all(['largest-contentful-paint', 'layout-shift', 'longtask'].map(buffered)).then(
    ([paints, shifts, tasks]) => {
      const own = [...performance.getEntriesByType('navigation'),
                   ...performance.getEntriesByType('resource')];
      // What moved before the first paint, nobody saw.
      const [painted] = performance.getEntriesByName('first-paint').map((e) => e.startTime);
      return {
        transferred_kb: Math.round(own.reduce((sum, e) => sum + e.transferSize, 0) / 102.4) / 10,
        elements: document.querySelectorAll('*').length,
        lcp_ms: Math.round(Math.max(0, ...paints.map((e) => e.startTime))),
        cls: Math.round(shifts.filter((e) => !e.hadRecentInput && e.startTime >= painted)
             .reduce((sum, e) => sum + e.value, 0) * 1000) / 1000,
        long_tasks: tasks.length,
      };
    });
}"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.views", description=__doc__)
    parser.add_argument("--no-browser", action="store_true")
    arguments = parser.parse_args()
    django.setup()
    result: dict[str, Any] = {"server_p95_ms": server()}
    if not arguments.no_browser:
        result["browser"] = browser()
    print(json.dumps(result))
    return 0


def server() -> dict[str, dict[str, float]]:
    from django.conf import settings  # after django.setup()

    from integrations.procore.sync.services import sync_now
    from partner_app.connections.discover import discover
    from partner_app.core import clock
    from tests.frame import Frame
    from tests.procore import Procore

    settings.ALLOWED_HOSTS.append("testserver")  # the test client's host
    announcement = services()
    call_command("provision_database", stdout=sys.stderr)
    call_command("migrate", verbosity=0)
    call_command("provision_database", stdout=sys.stderr)
    procore = Procore(announcement)
    procore.reset()
    discover()
    company = procore.company_id
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    viewer = Frame(procore, company).sign_in("admin")
    viewer.get("/embedded/home/")
    large = procore.projects()[0]
    found = {}
    grown = (0, 0)
    for projects, records in SIZES:
        grow(company, viewer, large, grown, (projects, records))
        grown = (projects, records)
        found[f"{projects} projects, {records} records"] = measure(viewer, large)
    return found


def grow(
    company: int, viewer: Any, large: int, had: tuple[int, int], wanted: tuple[int, int]
) -> None:
    """Fills the mirror as a sync would, then computes the metrics that are due."""
    from partner_app.core import clock
    from partner_app.embedded.models import Entitlement
    from partner_app.insights.refresh import compute_due, make_due
    from partner_app.tenancy.context import tenant

    first = 9_000_000_000
    new = [first + number for number in range(had[0], wanted[0])]
    with tenant(company):
        with connection.cursor() as cursor:
            cursor.execute(PROJECTS, [company, new])
            for project in new:
                fill(cursor, company, project, OTHERS)
            fill(cursor, company, large, wanted[1] - had[1], begin=had[1])
            cursor.execute(CURSORS, [company, new])
        known = Entitlement.objects.get(company_id=company, project_id=0)
        known.project_ids = [*known.project_ids, *new]
        known.save()
        own = Entitlement.objects.get(company_id=company, project_id=large)
        Entitlement.objects.bulk_create(
            Entitlement(
                company_id=company,
                remote_user_id=known.remote_user_id,
                project_id=project,
                tools=own.tools,
                levels=own.levels,
                checked_at=clock.now(),
            )
            for project in new
        )
        make_due(company, [large, *new])
    began = time.perf_counter()
    compute_due()
    print(f"drawn up in {time.perf_counter() - began:.1f} s", file=sys.stderr)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def fill(cursor: Any, company: int, project: int, records: int, *, begin: int = 0) -> None:
    """A fifth each of RFIs, submittals, change events, contract lines and cost lines."""
    share = records // 5
    key = project * 1000 % 10**15 + 10**15
    for statement in RECORDS:
        cursor.execute(
            statement,
            {
                "company": company,
                "project": project,
                "first": key + begin,
                "count": share,
                "words": list(WORDS),
            },
        )
        key += 10**13


def measure(viewer: Any, large: int) -> dict[str, float]:
    from django.test import Client

    from partner_app.core import clock
    from partner_app.embedded.models import Entitlement
    from partner_app.insights.models import ExceptionCase
    from partner_app.tenancy.context import tenant

    with tenant(viewer.company_id):
        Entitlement.objects.update(checked_at=clock.now())
        case = ExceptionCase.objects.filter(project_id=large, closed_at=None).first()
    rfi = viewer.procore.records(large, "rfis")[0]["id"]
    addresses = {
        "home": "/embedded/home/",
        "project": f"/embedded/projects/{large}/",
        "records": f"/embedded/projects/{large}/open-rfis/?page=3",
        "exceptions": "/embedded/exceptions/",
        "case": f"/embedded/exceptions/{case.id}/" if case else "/embedded/exceptions/",
        "insights": "/embedded/insights/",
        "project insights": f"/embedded/projects/{large}/insights/",
        "search": "/embedded/search/?q=beam+duct",
        "panel": f"/embedded/panel/{large}/rfi.detail/{rfi}/",
        "progress (partial)": "/embedded/progress/?seen=0",
    }
    # One client: each new one would load all middleware again, which no server does.
    headers = {"authorization": f"Bearer {viewer.bearer}", "hx-request": "true"}
    client = Client(headers=headers)
    found = {}
    for name, address in addresses.items():
        middle, found[name] = quantiles(partial(client.get, address))
        print(f"{name:>20} {middle:>8} ms median {found[name]:>8} ms p95", file=sys.stderr)
    return found


def quantiles(ask: Callable[[], Any]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    times = []
    ask()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.content[:200]
    return round(statistics.median(times), 1), round(statistics.quantiles(times, n=20)[18], 1)


def browser() -> dict[str, dict[str, float]]:
    """First and later page loads in the simulator's frame, as the browser measured them."""
    from tests.browser.person import Person

    found: dict[str, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="tieback-views-") as folder,
        running(Path(folder) / "demo", size="M") as stack,
        sync_playwright() as playwright,
    ):
        # The limits are not measured here: at Procore's own, a first sync of M takes minutes.
        stack.first_sync(within=300)
        chromium = playwright.chromium.launch(executable_path=require(), args=PARTITIONED)
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        person = Person(page, stack).into_procore("Company Admin").open_full_screen()
        person.sign_in()
        frame = person.frame
        frame.locator(".card").first.wait_for()
        found["first page"] = observed(page.frames[1])
        for name in ("Exceptions", "Insights", "Search"):
            frame.get_by_role("button", name=name, exact=True).first.click()
            frame.get_by_role("heading", name=name, exact=True).wait_for()
            if name == "Insights":
                frame.locator("canvas").first.wait_for()
            found[f"and {name}"] = observed(page.frames[1])
        chromium.close()
    return found


def observed(frame: Frame) -> dict[str, float]:
    figures: dict[str, float] = frame.evaluate(OBSERVED)
    print(figures, file=sys.stderr)
    return figures


PROJECTS = """
    INSERT INTO procore_project (company_id, remote_id, content_hash, synced_at, name,
        project_number, city, state_code, time_zone, start_date)
    SELECT %s, key, '\\x00', now(), 'Project ' || key, right(key::text, 5), 'Milwaukee', 'WI',
        'US/Central', current_date - 200
    FROM unnest(%s::bigint[]) AS key
"""
CURSORS = """
    INSERT INTO procore_synccursor (company_id, resource, project_id, fresh_at)
    SELECT %s, known.resource, key, now() FROM unnest(%s::bigint[]) AS key,
        (SELECT DISTINCT resource FROM procore_synccursor WHERE project_id <> 0) AS known
"""
_FIXED = "company_id, remote_id, project_id, content_hash, synced_at"
_KEY = "%(company)s, %(first)s + n, %(project)s, '\\x00', now()"
_N = "generate_series(1, %(count)s) AS n"
_TEXT = (
    "(%(words)s::text[])[1 + n %% 10] || ' ' || (%(words)s::text[])[1 + n / 10 %% 10] "
    "|| ' detail ' || n"
)
RECORDS = (
    f"INSERT INTO procore_rfi ({_FIXED}, number, subject, status, due_date, initiated_at, "
    f"time_resolved, cost_impact_status, cost_impact, ball_in_court) SELECT {_KEY}, n::text, "
    f"{_TEXT}, CASE WHEN n %% 3 = 0 THEN 'open' ELSE 'closed' END, current_date - (n %% 60), "
    "now() - n %% 90 * interval '1 day', now() - n %% 30 * interval '1 day', "
    "CASE WHEN n %% 7 = 0 THEN 'yes_known' ELSE 'no_impact' END, n %% 9000, 'Somebody' "
    f"FROM {_N}",
    f"INSERT INTO procore_submittal ({_FIXED}, number, title, status, due_date, submit_by, "
    f"created_on, responsible_contractor) SELECT {_KEY}, n::text, {_TEXT}, "
    "CASE WHEN n %% 3 = 0 THEN 'Open' ELSE 'Closed' END, current_date + 20 - (n %% 60), "
    f"current_date, now() - n %% 90 * interval '1 day', 'Vendor' FROM {_N}",
    f"INSERT INTO procore_changeevent ({_FIXED}, number, title, status, scope, reason, currency, "
    f"created_on, latest_cost, origin_type) SELECT {_KEY}, n::text, {_TEXT}, "
    "CASE WHEN n %% 9 = 0 THEN 'Open' ELSE 'Closed' END, '', 'Weather', 'USD', "
    f"now() - n %% 90 * interval '1 day', n %% 70000, '' FROM {_N}",
    "WITH codes AS (SELECT array_agg(remote_id ORDER BY remote_id) AS ids FROM procore_wbscode "
    "WHERE company_id = %(company)s), contracts AS (SELECT array_agg(remote_id) AS ids "
    "FROM procore_commitment WHERE company_id = %(company)s) "
    f"INSERT INTO procore_commitmentlineitem ({_FIXED}, contract_id, wbs_code_id, flat_code, "
    f"description, amount, currency) SELECT {_KEY}, "
    "contracts.ids[1 + n %% array_length(contracts.ids, 1)], "
    "codes.ids[1 + n %% array_length(codes.ids, 1)], '', 'Line', n %% 9000, 'USD' "
    f"FROM {_N}, codes, contracts",
    "WITH codes AS (SELECT array_agg(remote_id ORDER BY remote_id) AS ids FROM procore_wbscode "
    "WHERE company_id = %(company)s), costs AS (SELECT array_agg(remote_id) AS ids "
    "FROM procore_directcost WHERE company_id = %(company)s) "
    f"INSERT INTO procore_directcostlineitem ({_FIXED}, direct_cost_id, wbs_code_id, amount, "
    f"currency) SELECT {_KEY}, costs.ids[1 + n %% array_length(costs.ids, 1)], "
    "codes.ids[1 + n %% array_length(codes.ids, 1)], n %% 900, 'USD' "
    f"FROM {_N}, codes, costs",
)


if __name__ == "__main__":
    sys.exit(main())
