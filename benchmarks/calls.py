"""How many calls, and minutes, until what people need is there: in virtual time.

A company of 100 projects and 20,000 records behind 25 calls in a rolling 60 seconds and 600 in an
hour, shared by the whole app. A strategy reads it; what became known when is taken from the
cursors, and what it cost from the stand-in's ledger, so strategies are compared by the same rule.
"""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

PER_MINUTE, PER_HOUR = 25, 600
CHANGES_AN_HOUR = 200
STEPS = 12  # of an hour in which people change something
HOME_NEEDS = (
    "budget_rows",
    "commitments",
    "change_orders",
    "change_events",
    "direct_costs",
    "direct_cost_line_items",
    "requisitions",
    "rfis",
    "submittals",
)


@dataclass(frozen=True)
class Strategy:
    """`first` reads a company from nothing to everything; `opened` is the project somebody opened
    a moment after the start. `home_needs`: resources without which home's figures are not true.
    """

    name: str
    first: Callable[[int, int], None]
    home_needs: tuple[str, ...] = HOME_NEEDS


def todays_order(company_id: int, opened: int) -> None:
    """Whatever somebody opens, projects are read in the order of their ids."""
    from integrations.procore.sync.services import sync_now
    from partner_app.core import clock

    sync_now(company_id=company_id, full=True, only=[], wait=clock.wait_until)


STRATEGIES = (Strategy("today's order", todays_order),)


@dataclass(frozen=True)
class Milestone:
    calls: int
    minutes: float

    def __str__(self) -> str:
        return f"{self.calls:>6} calls {self.minutes:>8.1f} min"


class Measure:
    """One strategy on an empty copy of the company."""

    def __init__(self, procore: Any, virtual: Any) -> None:
        self.procore, self.virtual = procore, virtual
        self.company_id: int = procore.company_id
        self.began = virtual.now()

    def prepare(self) -> None:
        """Installed and connected, nothing read; the hour's window is empty."""
        from django.core.cache import cache

        from partner_app.connections.discover import discover
        from partner_app.tenancy.purge import purge_company

        purge_company(company_id=self.company_id, actor="operator")
        cache.clear()
        self.procore.control("rates", per_hour=PER_HOUR, per_spike=PER_MINUTE, spike_seconds=60,
                             rolling=True, shared=True)  # fmt: skip
        discover()
        self.virtual.wait_until(self.virtual.now() + timedelta(hours=1, minutes=2))
        self.procore.control("clear", all=True)
        self.began = self.virtual.now()

    def first(self, strategy: Strategy) -> dict[str, object]:
        opened = max(self.procore.projects())  # the worst for an order by ids
        strategy.first(self.company_id, opened)
        known = self._known()
        home = [at for (name, _), at in known.items() if name in strategy.home_needs]
        page = [at for (_, project), at in known.items() if project == opened]
        return {
            "opened project complete": self._milestone(max(page)),
            "home truthful": self._milestone(max(home)),
            "everything read": self._milestone(self.virtual.now()),
            "calls by list": self._by_list(),
            "observations": len(self.procore.violations()),
        }

    def an_hour_of_changes(self) -> Milestone:
        """Without webhooks: whatever the schedule makes due, for one hour."""
        from integrations.procore.sync.models import DueWork
        from integrations.procore.sync.schedule import make_connected_due
        from integrations.procore.sync.services import run_due

        self.virtual.wait_until(self.virtual.now() + timedelta(hours=1, minutes=2))
        self.procore.control("clear", all=True)
        make_connected_due()
        DueWork.objects.filter(company_id=self.company_id).update(
            poll_at=self.virtual.now(),
            due_at=self.virtual.now(),
            full_due_at=self.virtual.now() + timedelta(days=1),
        )
        began = self.began = self.virtual.now()
        for step in range(STEPS):
            self.procore.control(
                "mutations",
                changes=CHANGES_AN_HOUR // STEPS,
                seed=step,
                company_id=self.company_id,
            )
            ends = began + timedelta(hours=(step + 1) / STEPS)
            while self.virtual.now() < ends:
                run_due(company_id=self.company_id, wait=self.virtual.wait_until)
                due = DueWork.objects.get(company_id=self.company_id).due_at
                self.virtual.wait_until(min(ends, max(due, self.virtual.now())))
                if due >= ends:
                    break
        return self._milestone(self.virtual.now())

    def _known(self) -> dict[tuple[str, int], datetime]:
        from integrations.procore.sync.models import SyncCursor

        rows = SyncCursor.objects.filter(company_id=self.company_id).exclude(fresh_at=None)
        return {(row.resource, row.project_id): row.fresh_at for row in rows if row.fresh_at}

    def _calls(self) -> list[dict[str, Any]]:
        return [call for call in self.procore.ledger() if call["path"].startswith("/rest/")]

    def _milestone(self, moment: datetime) -> Milestone:
        calls = [call for call in self._calls() if _at(call) <= moment]
        return Milestone(len(calls), (moment - self.began).total_seconds() / 60)

    def _by_list(self) -> dict[str, int]:
        counted = Counter(re.sub(r"\d{4,}", "…", call["path"]) for call in self._calls())
        return dict(counted.most_common())


def _at(call: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(call["at"]).astimezone(UTC)


def measure(wanted: list[Strategy], *, changes: bool) -> dict[str, dict[str, object]]:
    """Starts a database, a broker and the stand-in; they end with this process."""
    import django

    from tests.environment import ANNOUNCEMENT

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks.virtual import VirtualClock
    from partner_app.connections.discover import discover
    from tests.procore import Procore

    for command in ("provision_database", "migrate", "provision_database"):
        call_command(command, stdout=sys.stderr)
    settings.PROCORE = replace(
        settings.PROCORE, calls_per_minute=PER_MINUTE, calls_per_hour=PER_HOUR
    )
    procore = Procore(ANNOUNCEMENT)
    found: dict[str, dict[str, object]] = {}
    with VirtualClock(procore).ticking() as virtual:
        discover()
        for strategy in wanted:
            one = Measure(procore, virtual)
            one.prepare()
            found[strategy.name] = one.first(strategy)
            if changes:
                found[strategy.name]["an hour of changes, no webhooks"] = one.an_hour_of_changes()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.calls", description=__doc__)
    parser.add_argument("--size", default="W", help="of the stand-in's company")
    parser.add_argument("--no-changes", action="store_true", help="the first reading alone")
    arguments = parser.parse_args()
    os.environ["STAND_IN_SIZE"] = arguments.size
    result = measure(list(STRATEGIES), changes=not arguments.no_changes)
    for name, rows in result.items():
        print(f"\n{name}", file=sys.stderr)
        for label, value in rows.items():
            if isinstance(value, dict):
                for path, calls in value.items():
                    print(f"    {calls:>6} {path}", file=sys.stderr)
            else:
                print(f"  {label:34}{value}", file=sys.stderr)
    print(json.dumps(result, default=vars))
    return 0


if __name__ == "__main__":
    sys.exit(main())
