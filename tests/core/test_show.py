"""Numbers as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from partner_app.core import clock
from partner_app.core.templatetags.show import ago, days_late, headline, money, percent
from partner_app.core.zones import local_day


def test_money_has_its_cents_and_headlines_a_unit() -> None:
    assert money(Decimal("1234567.5")) == "$1,234,567.50"
    assert money(Decimal(-3)) == "−$3.00"
    assert money(Decimal(3), "CHF") == "CHF\xa03.00"
    assert money(None) == "–"
    assert headline(Decimal(1234567)) == "$1.2M"
    assert headline(Decimal(-45600)) == "−$45.6K"
    assert headline(Decimal(999)) == "$999"


def test_a_ratio_without_a_denominator_is_not_available() -> None:
    assert percent(Decimal(1), Decimal(0)) == "n/a"
    assert percent(Decimal(1), Decimal(3)) == "33.3%"


def test_freshness_is_told_in_one_unit() -> None:
    assert ago(clock.now()) == "just now"
    assert ago(clock.now() - timedelta(hours=3, minutes=20)) == "3\xa0hours ago"
    assert ago(None) == "never"


@pytest.mark.parametrize(("days", "words"), [(1, "1 day late"), (9, "9 days late"), (0, "")])
def test_lateness_is_counted_in_days(days: int, words: str) -> None:
    today = date(2026, 3, 10)
    assert days_late(today - timedelta(days=days), today) == words


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Chicago", 9),
        ("Central Time (US & Canada)", 9),
        ("US/Central", 9),
        ("Nowhere/Else", 10),
        ("", 10),
    ],
)
def test_a_projects_day_is_counted_where_it_is(zone: str, day: int) -> None:
    assert local_day(datetime(2026, 3, 10, 2, tzinfo=UTC), zone) == date(2026, 3, day)
