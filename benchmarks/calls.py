"""Calls and minutes until people have the data they need, in virtual time.

A company of 100 projects and 20,000 records behind 25 calls in a rolling 60 seconds and 600 in an
hour, shared by the whole app. Each strategy reads it; the cursors say when data became known, and
the simulator's ledger says what it cost, so strategies are compared by the same rule.
"""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from benchmarks.virtual import VirtualClock
    from integrations.procore.sync.models import SyncRun

PER_MINUTE, PER_HOUR = 25, 600
CHANGES_AN_HOUR = 200
IN_USE = 20  # projects in which people work
OURS = "by use"
STEPS = 12  # changes come in so many steps an hour
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
    """`first` reads a whole company and returns when a person opened a project, None for the start.

    `home_needs`: the resources without which home's figures are not true.
    """

    name: str
    first: Callable[[int, int, "VirtualClock"], datetime | None]
    fresh: Callable[["Measure", datetime], None]
    home_needs: tuple[str, ...] = HOME_NEEDS


def by_ids(company_id: int, opened: int, virtual: "VirtualClock") -> datetime | None:
    """The previous order: projects are read by id, whichever one somebody opens."""
    from integrations.procore.sync.services import sync_now
    from partner_app.core import clock

    with (
        patch("integrations.procore.sync.engine.waves", _waves_by_ids),
        patch("integrations.procore.sync.parts._barren", lambda _company, _keys: set()),
    ):
        sync_now(company_id=company_id, full=True, only=[], wait=clock.wait_until)
    return None  # the order does not depend on it


def _waves_by_ids(run: "SyncRun", _opened: object) -> Iterator[list[tuple[str, int]]]:
    from integrations.procore.resources.registry import RESOURCES
    from integrations.procore.resources.spec import Changes, Scope
    from integrations.procore.sync.parts import _projects

    inner = [n for n, model in RESOURCES.items() if model.spec.scope is Scope.PROJECT]
    yield [(n, 0) for n, model in RESOURCES.items() if model.spec.scope is Scope.COMPANY]
    for child in (False, True):
        names = [n for n in inner if (RESOURCES[n].spec.changes is Changes.PARENT) is child]
        yield [(name, project) for project in _projects(run.company_id) for name in names]


def by_use(
    company_id: int, opened: int, virtual: "VirtualClock", *, opened_alone: bool = False
) -> datetime | None:
    """Reads as workers do: pauses for the limits, then chooses the next list again.

    The project is opened after the first minute's calls are spent; `opened_alone` stops once it is
    complete.
    """
    from integrations.procore.sync.errors import Paused
    from integrations.procore.sync.schedule import make_due, synced_before
    from integrations.procore.sync.services import run_due
    from integrations.procore.sync.use import note_opened

    def leave(until: datetime) -> None:
        raise Paused(until)

    make_due(company_id=company_id)
    opened_at = None
    while not (synced_before(company_id) or (opened_alone and _is_complete(company_id, opened))):
        try:
            run_due(company_id=company_id, wait=leave)
        except Paused as pause:
            virtual.wait_until(pause.until)
        if opened_at is None:
            opened_at = virtual.now()
            note_opened(company_id=company_id, project_id=opened)
    return opened_at


def _is_complete(company_id: int, project: int) -> bool:
    from integrations.procore.sync.models import SyncCursor
    from integrations.procore.sync.remaining import INNER

    read = SyncCursor.objects.filter(company_id=company_id, project_id=project)
    return read.exclude(fresh_at=None).count() == len(INNER)


def polls(measure: "Measure", ends: datetime) -> None:
    """Polls for all changes as often as a third of the hour's calls allows."""
    from integrations.procore.sync.services import sync_now

    while measure.virtual.now() < ends:
        answer = sync_now(
            company_id=measure.company_id, full=False, only=[], wait=measure.virtual.wait_until
        )
        pause = timedelta(seconds=max(300.0, int(str(answer["requests"])) * 3600 / PER_HOUR / 0.3))
        measure.virtual.wait_until(measure.virtual.now() + pause)


def looks(measure: "Measure", ends: datetime) -> None:
    """Reads what the schedule makes due."""
    from integrations.procore.sync.errors import Paused
    from integrations.procore.sync.models import DueWork
    from integrations.procore.sync.services import run_due

    while measure.virtual.now() < ends:
        with suppress(Paused):  # another company is due; this one continues in the next turn
            run_due(company_id=measure.company_id, wait=measure.virtual.wait_until)
        due = DueWork.objects.get(company_id=measure.company_id).due_at
        measure.virtual.wait_until(min(ends, max(due, measure.virtual.now())))


STRATEGIES = (
    Strategy("by ids, as before", by_ids, polls),
    Strategy(OURS, by_use, looks, ("budget_rows", "rfis", "submittals", "change_events")),
)


@dataclass(frozen=True)
class Milestone:
    calls: int
    minutes: float

    def __str__(self) -> str:
        return f"{self.calls:>6} calls {self.minutes:>8.1f} min"


class Measure:
    """Measures one strategy on an empty copy of the company."""

    def __init__(self, procore: Any, virtual: Any) -> None:
        self.procore, self.virtual = procore, virtual
        self.company_id: int = procore.company_id
        self.began = virtual.now()

    def prepare(self) -> None:
        """Installs and connects the company, reads nothing, and lets the hour's window run out."""
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

    def opened_alone(self) -> dict[str, object]:
        """Our order, until the opened project is complete."""
        *others, opened = sorted(self.procore.projects())
        opened_at = by_use(self.company_id, opened, self.virtual, opened_alone=True)
        page = max(_at(call) for call in self._calls() if call["project_id"] == opened)
        return {
            "opened project complete": self._milestone(page, since=opened_at),
            "others complete": sum(_is_complete(self.company_id, key) for key in others),
            "observations": len(self.procore.violations()),
        }

    def first(self, strategy: Strategy) -> dict[str, object]:
        opened = max(self.procore.projects())  # the worst case for an order by ids
        opened_at = strategy.first(self.company_id, opened, self.virtual)
        calls = self._calls()
        # A first sync reads each list once: a project is complete after its last call.
        complete = {call["project_id"]: _at(call) for call in calls if call["project_id"]}
        page = complete.pop(opened)
        wanted = _paths_of(strategy.home_needs)
        home = max(_at(call) for call in calls if wanted.fullmatch(call["path"]))
        return {
            "opened project complete": self._milestone(page, since=opened_at),
            "others complete before it": sum(at < page for at in complete.values()),
            "home truthful": self._milestone(home),
            "everything read": self._milestone(self.virtual.now()),
            "calls by list": self._by_list(),
            "observations": len(self.procore.violations()),
        }

    def an_hour_of_changes(self, strategy: Strategy, *, hooked: bool) -> Milestone:
        """Two hundred changes in the projects in use; webhooks, if on, report each at once."""
        from integrations.procore.sync.models import DueWork
        from integrations.procore.sync.schedule import schedule_new_companies

        self.virtual.wait_until(self.virtual.now() + timedelta(hours=1, minutes=2))
        self.procore.control("clear", all=True)
        schedule_new_companies()
        DueWork.objects.filter(company_id=self.company_id).update(
            due_at=self.virtual.now(), asked_at=None, hooked=hooked
        )
        began = self.began = self.virtual.now()
        for step in range(STEPS):
            changed = self.procore.control(
                "mutations",
                changes=CHANGES_AN_HOUR // STEPS,
                seed=step,
                company_id=self.company_id,
                projects=self.procore.projects()[:IN_USE],
            )
            if hooked:
                self._tell(changed["events"])
            strategy.fresh(self, began + timedelta(hours=(step + 1) / STEPS))
        return self._milestone(self.virtual.now())

    def _tell(self, events: list[dict[str, Any]]) -> None:
        from integrations.procore.webhooks.inbox import Told, accept, read_payload

        accept([Told(self.company_id, read_payload(json.dumps(e).encode())) for e in events])

    def _calls(self) -> list[dict[str, Any]]:
        return [call for call in self.procore.ledger() if call["path"].startswith("/rest/")]

    def _milestone(self, moment: datetime, *, since: datetime | None = None) -> Milestone:
        began = since or self.began
        calls = [call for call in self._calls() if began <= _at(call) <= moment]
        return Milestone(len(calls), (moment - began).total_seconds() / 60)

    def _by_list(self) -> dict[str, int]:
        counted = Counter(re.sub(r"\d{4,}", "…", call["path"]) for call in self._calls())
        return dict(counted.most_common())


def _paths_of(resources: tuple[str, ...]) -> re.Pattern[str]:
    from integrations.procore.resources.registry import RESOURCES

    sources = [source for name in resources for source in RESOURCES[name].spec.sources]
    paths = {path for source in sources for path in (source.path, source.via) if path}
    return re.compile("|".join(re.sub(r"\{\w+\}", "[^/]+", path) for path in paths))


def _at(call: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(call["at"]).astimezone(UTC)


def measure(
    wanted: list[Strategy], *, changes: bool, opened_alone: bool
) -> dict[str, dict[str, object]]:
    """Starts a database, a broker and the simulator; they end with this process."""
    import django

    from tests.environment import services

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from benchmarks.virtual import VirtualClock
    from partner_app.connections.discover import discover
    from tests.procore import Procore

    announcement = services()
    for command in ("provision_database", "migrate", "provision_database"):
        call_command(command, stdout=sys.stderr)
    settings.PROCORE = replace(
        settings.PROCORE, calls_per_minute=PER_MINUTE, calls_per_hour=PER_HOUR
    )
    procore = Procore(announcement)
    found: dict[str, dict[str, object]] = {}
    with VirtualClock(procore).ticking() as virtual:
        discover()
        for strategy in wanted:
            one = Measure(procore, virtual)
            one.prepare()
            if opened_alone:
                found[strategy.name] = one.opened_alone()
                continue
            found[strategy.name] = rows = one.first(strategy)
            if changes:
                for name, hooked in (("no webhooks", False), ("webhooks", True)):
                    cost = one.an_hour_of_changes(strategy, hooked=hooked)
                    rows[f"an hour of changes, {name}"] = cost
            show(strategy.name, rows)
    return found


def show(name: str, rows: dict[str, object]) -> None:
    print(f"\n{name}", file=sys.stderr)
    for label, value in rows.items():
        if isinstance(value, dict):
            for path, calls in value.items():
                print(f"    {calls:>6} {path}", file=sys.stderr)
        else:
            print(f"  {label:34}{value}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.calls", description=__doc__)
    parser.add_argument("--size", default="W", help="of the stand-in's company")
    parser.add_argument("--no-changes", action="store_true", help="the first reading alone")
    parser.add_argument("--ours-alone", action="store_true", help="not the order of before")
    parser.add_argument("--opened-alone", action="store_true", help="ours, to the opened project")
    arguments = parser.parse_args()
    os.environ["STAND_IN_SIZE"] = arguments.size
    ours = arguments.ours_alone or arguments.opened_alone
    wanted = [each for each in STRATEGIES if each.name == OURS or not ours]
    changes, opened_alone = not arguments.no_changes, arguments.opened_alone
    result = measure(wanted, changes=changes, opened_alone=opened_alone)
    print(json.dumps(result, default=vars))
    return 0


if __name__ == "__main__":
    sys.exit(main())
