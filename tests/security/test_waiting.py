"""A broker or a database that hangs delays nobody for long."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.core.cache import caches
from django.db import connections
from django.test import Client

from partner_app.core import broker as broker_module
from partner_app.core import health
from partner_app.core.broker import ask_again, broker, reachable
from partner_app.core.health import within_bound
from partner_app.core.version import VERSION
from tests.frame import Frame


class Silent:
    """Accepts connections and never answers, like a frozen server."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"redis://127.0.0.1:{self.socket.getsockname()[1]}/0"
        self.asked = 0
        self.over = threading.Event()
        self.kept: list[socket.socket] = []
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self) -> None:
        self.socket.settimeout(0.1)
        while not self.over.is_set():
            try:
                self.kept.append(self.socket.accept()[0])
                self.asked += 1
            except TimeoutError:
                continue

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        for each in [*self.kept, self.socket]:
            each.close()


@pytest.fixture
def frozen(settings: Any) -> Iterator[Silent]:
    """Replaces Redis for the app."""
    silent = Silent()
    own = settings.CACHES["default"]
    settings.CACHES = {"default": {**own, "LOCATION": silent.url}}
    settings.CELERY_BROKER_URL = silent.url
    broker.cache_clear()
    ask_again()
    yield silent
    silent.stop()
    broker.cache_clear()
    ask_again()


def test_a_page_waits_for_a_frozen_broker_once_and_briefly(admin: Frame, frozen: Silent) -> None:
    begun = time.monotonic()
    assert admin.get("/embedded/home/").status_code == 200
    assert time.monotonic() - begun < 3
    asked, begun = frozen.asked, time.monotonic()
    for _ in range(5):
        assert admin.get("/embedded/progress/").status_code == 200
    assert time.monotonic() - begun < 2
    assert frozen.asked == asked, "while it is away nobody asks it again"


def test_after_some_seconds_the_broker_is_asked_again(
    admin: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "AWAY", 0.05)
    with pytest.raises(redis.ConnectionError), reachable():
        raise redis.ConnectionError("gone")
    with pytest.raises(redis.ConnectionError, match="a moment ago"), reachable():
        raise AssertionError("was asked")
    threading.Event().wait(0.1)
    with reachable():
        assert broker().ping()


def test_every_client_of_redis_has_a_bound_and_no_retries() -> None:
    for client in (broker(), caches["default"]._cache.get_client()):  # type: ignore[attr-defined]
        options = client.connection_pool.connection_kwargs
        assert options["socket_timeout"] <= 1
        assert options["socket_connect_timeout"] <= 1
        retry: Any = client.get_retry()
        assert retry.get_retries() == 0


def test_readiness_answers_in_time_where_the_database_hangs(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second check starts while the first hangs, or each probe would leave a thread."""
    hanging, looks = threading.Event(), []

    def hang() -> bool:
        looks.append(1)
        hanging.wait(20)
        return True

    monkeypatch.setitem(health.CHECKS, "database", hang)
    monkeypatch.setattr(within_bound.__class__.__call__, "__defaults__", (0.3,))
    begun = time.monotonic()
    answers = [Client().get("/readyz") for _ in range(3)]
    assert time.monotonic() - begun < 2
    assert [answer.status_code for answer in answers] == [503] * 3
    assert answers[0].json()["broker"] is True
    assert answers[0].json()["database"] is False
    assert len(looks) == 1
    assert Client().get("/healthz").status_code == 200
    hanging.set()


def test_a_database_that_does_not_answer_at_all_is_given_up_after_seconds() -> None:
    options = connections["default"].settings_dict["OPTIONS"]
    assert 0 < options["connect_timeout"] <= 5


def test_the_apps_role_has_a_bound_for_statements(database: None) -> None:
    with connections["default"].cursor() as cursor:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            assert cursor.fetchone() == ("5min",)


def test_readiness_says_what_works(database: None) -> None:
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    parts = {"broker": True, "database": True, "migrations": True}
    assert answer.json() == {"ready": True, **parts, "version": VERSION}
