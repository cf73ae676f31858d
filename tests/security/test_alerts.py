"""A channel that does not work does not silence the others."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.mail import EmailMessage

from integrations.notify.webhook import NotifyFailed, post, read_address
from integrations.procore.sync.models import Incident
from partner_app.accounts.models import Role
from partner_app.core import clock
from partner_app.core.mail import MailFailed, deliver
from partner_app.core.sealing import seal
from partner_app.dashboard import alerts, tasks
from partner_app.dashboard.alerts import send_alerts
from partner_app.dashboard.models import AlertChannel
from partner_app.tenancy.models import Company
from tests.dashboard.people import admin_of

UNREADABLE = [
    "https://h:99999/",
    "https://h:x/",
    "https://[bad/",
    "https://",
    "https:///path",
    f"https://{'a' * 300}.example/",
    "https://a..b/",
    "https://h\x00h/",
    "https://h/\u20ac",
    "ftp://h/",
    "h",
]


@pytest.fixture
def heard(settings: Any) -> Iterator[tuple[str, list[str]]]:
    """A chat on this host, and the messages it received."""
    settings.ON_LOCALHOST = True
    texts: list[str] = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            texts.append(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", texts
    server.shutdown()
    server.server_close()


@pytest.fixture
def incident(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "TOGETHER", timedelta(0))
    now = clock.now()
    Company.objects.create(id=1, name="Halden", state="active", state_since=now)
    Incident.objects.create(
        company_id=1, resource="rfis", code="sync.late", message="It is late.", opened_at=now,
        seen_at=now, remedy="Look.",
    )  # fmt: skip


def add(address: str, *, kind: str = "webhook") -> None:
    AlertChannel.objects.create(
        name=address[:60].replace("\x00", "?"), kind=kind, address=seal(address.encode())
    )


@pytest.mark.parametrize("address", UNREADABLE)
def test_an_address_that_cannot_be_read_is_refused_with_words(database: None, address: str) -> None:
    for use in (read_address, lambda given: post(given, "text", local=True)):
        with pytest.raises(NotifyFailed):
            use(address)
    body = {"name": "x", "kind": "webhook", "address": address, "time_zone": "UTC"}
    assert admin_of(Role.OPERATOR).post("/dashboard/alerts/", body).status_code == 422
    assert not AlertChannel.objects.exists()


def test_channels_beside_unreadable_ones_are_told(
    incident: None, heard: tuple[str, list[str]]
) -> None:
    """Also with addresses stored before forms validated them."""
    for address in UNREADABLE:
        add(address)
    add(heard[0])
    assert send_alerts() == 1
    assert len(heard[1]) == 1
    failing = AlertChannel.objects.filter(failures=1)
    assert failing.count() == len(UNREADABLE)
    assert all(channel.again_at and channel.last_error for channel in failing)


def test_what_nobody_foresaw_in_one_channel_keeps_no_other_one_back(
    incident: None, heard: tuple[str, list[str]]
) -> None:
    AlertChannel.objects.create(name="Broken seal", kind="webhook", address=b"no such thing")
    add(heard[0])
    assert send_alerts() == 1
    assert len(heard[1]) == 1
    assert AlertChannel.objects.get(failures=1).name == "Broken seal"


def test_trouble_with_finding_incidents_keeps_no_alert_back(
    incident: None, heard: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a question that Postgres refuses")

    monkeypatch.setattr(tasks, "watch", fail)
    add(heard[0])
    with pytest.raises(RuntimeError):
        tasks.look_after_tenants()
    assert len(heard[1]) == 1


def test_a_mail_whose_header_cannot_be_sent_is_a_failure_like_others() -> None:
    with pytest.raises(MailFailed):
        deliver(EmailMessage("Title\nBcc: other@example.com", "text", to=["a@example.com"]))
