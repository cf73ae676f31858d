"""A flag set in one process reaches all others at once; without Redis nobody is blocked."""

import time

import pytest
import redis

from partner_app.core import flags
from partner_app.core.broker import broker
from partner_app.core.flags import FRESH, flag, raise_flag
from tests.waiting import until


def test_what_another_process_says_is_known_within_a_moment(database: None) -> None:
    raise_flag("tests:bar", "first", seconds=60)
    assert flag("tests:bar") == "first"
    broker().set("tests:bar", "second")  # as another process would
    began = time.monotonic()
    until(lambda: flag("tests:bar") == "second", within=5)
    assert time.monotonic() - began < FRESH + 0.3
    broker().delete("tests:bar")
    until(lambda: not flag("tests:bar"), within=5)


def test_a_call_that_follows_at_once_costs_no_look(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_flag("tests:bar", "first", seconds=60)
    monkeypatch.setattr(flags, "FRESH", 60.0)
    broker().set("tests:bar", "second")
    assert [flag("tests:bar") for _ in range(1000)] == ["first"] * 1000


def test_without_redis_what_was_known_last_holds(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_flag("tests:bar", "first", seconds=60)
    monkeypatch.setattr(flags, "FRESH", 0.0)
    monkeypatch.setattr(flags, "broker", lambda: redis.Redis(port=1))
    assert flag("tests:bar") == "first"
    raise_flag("tests:bar", "second", seconds=60)
    assert flag("tests:bar") == "second"
