"""Calls to Procore, and the seven measures by which Procore scores an app."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any

from django.db.models import F, QuerySet, Sum

from partner_app.connections.models import ApiDay
from partner_app.connections.usage import COUNTS
from partner_app.core import clock
from partner_app.tenancy.models import Company

DAYS = 14  # over which Procore computes its score
WORST = 10  # tenants shown


@dataclass(frozen=True)
class ApiErrorCount:
    """`column` empty: operations.py refuses such calls beforehand, so there is none to count."""

    title: str
    column: str
    why: str


OBSERVATIONS = (
    ApiErrorCount(
        "401 Unauthorized", "unauthorized", "A token had expired; tokens are renewed ahead of time."
    ),
    ApiErrorCount("403 Forbidden", "forbidden", "A tool or project that the app may not see."),
    ApiErrorCount("404 Not found", "not_found", "A record that is gone or hidden."),
    ApiErrorCount("429 Too many requests", "rate_limited", "Calls beyond what Procore allows."),
    ApiErrorCount("Missing company header", "", "Every call for a company carries the header."),
    ApiErrorCount("Deprecated operations", "", "Only listed operations can be called."),
    ApiErrorCount("Private operations", "", "Only listed operations can be called."),
)
COUNTED = tuple(each.column for each in OBSERVATIONS if each.column)


@dataclass(frozen=True)
class UsageDay:
    day: date
    calls: int
    bad: int  # of the observations
    trouble: int  # of Procore: 5xx and no answer


@dataclass(frozen=True)
class Usage:
    days: list[UsageDay]
    totals: dict[str, int]
    today: int

    @property
    def rows(self) -> list[tuple[ApiErrorCount, int]]:
        return [(each, self.totals.get(each.column, 0)) for each in OBSERVATIONS]

    @property
    def bad(self) -> int:
        return sum(self.totals[name] for name in COUNTED)


def usage(company_id: int | None = None) -> Usage:
    today = clock.now().date()
    found = _lately()
    if company_id is not None:
        found = found.filter(company_id=company_id)
    sums = {name: Sum(name, default=0) for name in COUNTS}
    grouped: Any = found.order_by().values("day").annotate(**sums)
    by_day = {row["day"]: row for row in grouped}
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    rows = [_day(each, by_day.get(each, dict.fromkeys(COUNTS, 0))) for each in days]
    totals = {name: sum(row[name] for row in by_day.values()) for name in COUNTS}
    return Usage(rows, totals, rows[-1].calls)


def _day(day: date, row: dict[str, int]) -> UsageDay:
    bad = sum(row[name] for name in COUNTED)
    return UsageDay(day, row["calls"], bad, row["server_errors"] + row["unreachable"])


def _lately() -> QuerySet[ApiDay]:
    return ApiDay.objects.filter(day__gt=clock.now().date() - timedelta(days=DAYS))


def worst() -> list[tuple[Company, int, int]]:
    """Tenants with the most responses that count against us; those, and all calls of each."""
    bad = reduce(add, (F(name) for name in COUNTED))
    found: Any = _lately().order_by().values("company_id")
    grouped = found.annotate(bad=Sum(bad), calls=Sum("calls"))
    rows = list(grouped.filter(bad__gt=0).order_by("-bad")[:WORST])
    names = Company.objects.in_bulk([row["company_id"] for row in rows])
    return [
        (names[row["company_id"]], row["bad"], row["calls"])
        for row in rows
        if row["company_id"] in names
    ]
