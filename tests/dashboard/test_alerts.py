"""From a tenant's problem to an incident, a message, and a message when it is over."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from integrations.notify.webhook import NotifyFailed, post
from integrations.procore.sync.models import Incident
from integrations.procore.sync.services import sync_now
from partner_app.accounts.models import Role
from partner_app.core import clock
from partner_app.core.sealing import seal
from partner_app.dashboard import alerts
from partner_app.dashboard.alerts import is_quiet, send_alerts
from partner_app.dashboard.models import AlertChannel, TenantSummary
from partner_app.dashboard.watch import watch
from partner_app.tenancy.lifecycle import note_reconnect_needed
from partner_app.tenancy.models import Company
from tests.dashboard.people import admin_of
from tests.dashboard.test_pages import add_tenants
from tests.frame import text_of
from tests.procore import Procore


class Chat:
    """A chat's incoming webhook: keeps the messages and answers with `status`."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.status = 200
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if chat.status == 200:
                    chat.texts.append(json.loads(body)["text"])
                self.send_response(chat.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def chat(settings: Any) -> Iterator[Chat]:
    settings.ON_LOCALHOST = True
    found = Chat()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def channel(chat: Chat, database: None, monkeypatch: pytest.MonkeyPatch) -> AlertChannel:
    monkeypatch.setattr(alerts, "TOGETHER", timedelta(0))
    return AlertChannel.objects.create(
        name="Chat", kind="webhook", address=seal(chat.address.encode())
    )


def incremental(company: int) -> None:
    sync_now(company_id=company, full=False, only=[], wait=clock.wait_until)


def test_trouble_of_one_among_a_hundred_is_named_told_once_and_closes_by_itself(
    synced: int, procore: Procore, channel: AlertChannel, chat: Chat
) -> None:
    add_tenants(1, 99)
    Incident.objects.all().delete()
    procore.control("faults", kind="status", status=500, path="/rest/*/rfis", times=1000)
    incremental(synced)
    watch()
    for _ in range(3):
        send_alerts()
    [told] = chat.texts
    name = Company.objects.get(id=synced).name
    assert f"{name}: RFIs" in told
    [incident] = Incident.objects.filter(closed_at=None)
    assert incident.company_id == synced
    assert incident.message in told
    assert f"/dashboard/incidents/{incident.id}/" in told
    page = text_of(admin_of(Role.VIEWER).get(f"/dashboard/incidents/{incident.id}/"))
    for words in (f"RFIs of {name}", incident.message, incident.remedy, "Next step"):
        assert words in page
    procore.control("clear-faults", all=True)
    incremental(synced)
    for _ in range(3):
        send_alerts()
    assert len(chat.texts) == 2
    assert "RFIs recovered" in chat.texts[1]
    assert "closed, " in text_of(admin_of(Role.SUPPORT).get("/dashboard/incidents/?state=closed"))


def test_what_opens_together_is_one_message(
    channel: AlertChannel, chat: Chat, database: None
) -> None:
    add_tenants(1, 30)
    send_alerts()
    [told] = chat.texts
    assert "30 opened" in told
    assert "And 10 more" in told
    send_alerts()
    assert len(chat.texts) == 1


def test_it_waits_for_what_opens_with_it(
    channel: AlertChannel, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "TOGETHER", timedelta(seconds=15))
    add_tenants(1, 1)
    send_alerts()
    assert chat.texts == []
    Incident.objects.update(opened_at=clock.now() - timedelta(seconds=16))
    send_alerts()
    assert len(chat.texts) == 1


def test_a_chat_that_does_not_take_it_is_asked_again_later_and_nothing_is_lost(
    channel: AlertChannel, chat: Chat
) -> None:
    add_tenants(1, 1)
    chat.status = 500
    send_alerts()
    channel.refresh_from_db()
    assert "status 500" in channel.last_error
    assert channel.again_at is not None
    assert channel.again_at > clock.now()
    chat.status = 200
    send_alerts()
    assert chat.texts == []  # too early
    AlertChannel.objects.update(again_at=clock.now())
    send_alerts()
    assert len(chat.texts) == 1
    channel.refresh_from_db()
    assert channel.last_error == ""


def test_in_quiet_hours_nothing_is_sent_and_what_ended_meanwhile_is_never_told(
    channel: AlertChannel, chat: Chat
) -> None:
    now = clock.now()
    AlertChannel.objects.update(
        quiet_from=(now - timedelta(hours=1)).time(), quiet_to=(now + timedelta(hours=1)).time()
    )
    add_tenants(1, 2)
    send_alerts()
    assert chat.texts == []
    Incident.objects.filter(company_id=1).update(closed_at=now)
    AlertChannel.objects.update(quiet_from=None, quiet_to=None)
    send_alerts()
    [told] = chat.texts
    assert "Builder 2" in told
    assert "Builder 1" not in told


@pytest.mark.parametrize(
    ("begin", "end", "zone", "hour", "quiet"),
    [
        (22, 6, "UTC", 23, True),
        (22, 6, "UTC", 5, True),
        (22, 6, "UTC", 6, False),
        (22, 6, "UTC", 12, False),
        (8, 17, "UTC", 8, True),
        (8, 17, "UTC", 17, False),
        (22, 6, "America/Chicago", 5, True),  # 23:00 there, or 00:00 in summer
        (22, 6, "America/Chicago", 20, False),
    ],
)
def test_quiet_hours_are_those_of_their_place(
    begin: int, end: int, zone: str, hour: int, *, quiet: bool
) -> None:
    channel = AlertChannel(quiet_from=time(begin), quiet_to=time(end), time_zone=zone)
    assert is_quiet(channel, datetime(2026, 3, 3, hour, tzinfo=UTC)) is quiet


@pytest.mark.parametrize(
    "address",
    [
        "http://93.184.215.14/",
        "https://127.0.0.1/",
        "https://10.0.0.8/x",
        "https://169.254.169.254/",
        "ftp://x",
    ],
)
def test_an_address_that_leads_inside_is_refused(address: str) -> None:
    with pytest.raises(NotifyFailed):
        post(address, "text")


def test_a_tenant_that_needs_a_person_has_an_incident_until_it_is_connected(synced: int) -> None:
    note_reconnect_needed(company_id=synced)
    watch()
    watch()
    [incident] = Incident.objects.filter(company_id=synced)
    assert incident.code == "access.reconnect_needed"
    Company.objects.filter(id=synced).update(state="active")
    watch()
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_a_tenant_whose_syncs_do_not_happen_has_an_incident_unless_it_is_paused(
    synced: int,
) -> None:
    watch()
    assert not Incident.objects.filter(company_id=synced).exists()
    TenantSummary.objects.filter(company_id=synced).update(run_at=clock.now() - timedelta(hours=2))
    watch()
    [incident] = Incident.objects.filter(company_id=synced, closed_at=None)
    assert incident.code == "sync.late"
    Company.objects.filter(id=synced).update(paused_at=clock.now())
    watch()
    assert not Incident.objects.filter(company_id=synced, closed_at=None).exists()


def test_a_channel_is_added_tried_and_removed_and_its_address_is_shown_nowhere(
    chat: Chat, database: None
) -> None:
    browser = admin_of(Role.OPERATOR)
    body = {"name": "Our chat", "kind": "webhook", "address": chat.address, "time_zone": "UTC"}
    assert browser.post("/dashboard/alerts/", body).status_code == 302
    channel = AlertChannel.objects.get()
    assert chat.address.encode() not in bytes(channel.address)
    page = browser.get("/dashboard/alerts/")
    assert "Our chat" in text_of(page)
    assert chat.address not in page.text
    assert browser.post(f"/dashboard/alerts/{channel.id}/try/").status_code == 302
    assert "test message" in chat.texts[0]
    assert browser.post(f"/dashboard/alerts/{channel.id}/remove/").status_code == 302
    assert not AlertChannel.objects.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"address": "not-one", "kind": "email"}, "not an email address"),
        ({"address": "ftp://x"}, "start with https"),
        ({"quiet_from": "22:00"}, "a start and an end"),
        ({"time_zone": "Mars"}, "America/Chicago"),
    ],
)
def test_a_channel_that_cannot_work_is_refused_with_words(
    database: None, changes: dict[str, str], says: str
) -> None:
    good = {"name": "x", "kind": "webhook", "address": "https://chat.example/x", "time_zone": "UTC"}
    answer = admin_of(Role.OPERATOR).post("/dashboard/alerts/", {**good, **changes})
    assert answer.status_code == 422
    assert says in text_of(answer)
