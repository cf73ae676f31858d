"""The inbox: who may send, what is kept of it, and how little it makes us read."""

import uuid
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from django.db import connections

from integrations.procore.sync.models import DueRead, DueWork
from integrations.procore.sync.schedule import make_due, make_read_due
from integrations.procore.webhooks import ingest
from integrations.procore.webhooks.deliveries import Delivery, Speaker, take_in
from integrations.procore.webhooks.inbox import UNREADABLE
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook
from partner_app.core import clock
from partner_app.core.secrets import fingerprint
from tests.door import ask, deliver
from tests.environment import SUPERUSER_URL
from tests.procore import Procore

SECRET = "Bearer of-this-hook-alone"


@pytest.fixture
def hook(synced: int) -> WebhookHook:
    make_due(company_id=synced)
    return WebhookHook.objects.create(company_id=synced, secret_hash=fingerprint(SECRET))


def payload(procore: Procore, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"01{uuid.uuid4().hex[:24].upper()}",
        "timestamp": "2026-01-02T03:04:05.678901Z",
        "reason": "update",
        "company_id": str(procore.company_id),
        "project_id": str(procore.projects()[0]),
        "user_id": None,
        "resource_type": "RFIs",
        "resource_id": "4300000123",
        "data": {"additive": True},
        **changes,
    }


def send(hook: WebhookHook | uuid.UUID, body: object, secret: str = SECRET) -> int:
    key = hook.key if isinstance(hook, WebhookHook) else hook
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    return deliver(key, content, secret)


def test_an_event_is_stored_and_makes_its_list_due(hook: WebhookHook, procore: Procore) -> None:
    assert send(hook, payload(procore)) == 202
    [event] = WebhookEvent.objects.all()
    assert (event.resource_type, event.resource_id, event.reason) == (
        "RFIs",
        4300000123,
        "update",
    )
    [read] = DueRead.objects.all()
    assert (read.resource, read.project_id, read.sweep) == ("rfis", procore.projects()[0], False)


def test_an_event_brings_a_list_forward_that_was_due_later_and_never_puts_it_off(
    hook: WebhookHook, procore: Procore
) -> None:
    later, now = clock.now() + timedelta(hours=1), clock.now()
    place = {"company_id": hook.company_id, "project_id": procore.projects()[0]}
    read = DueRead.objects.create(**place, resource="rfis", due_at=later)
    assert send(hook, payload(procore)) == 202
    read.refresh_from_db()
    assert now <= read.due_at < later
    before = read.due_at
    make_read_due(**place, resource="rfis", at=later)
    read.refresh_from_db()
    assert read.due_at == before


@pytest.mark.parametrize(("secret", "status"), [("", 401), ("Bearer guess", 401)])
def test_who_does_not_know_the_secret_leaves_nothing_behind(
    hook: WebhookHook, procore: Procore, secret: str, status: int
) -> None:
    assert send(hook, payload(procore), secret) == status
    assert not WebhookEvent.objects.exists()
    assert not DueRead.objects.exists()


def test_guesses_at_a_secret_are_soon_not_answered_and_events_still_are(
    hook: WebhookHook, procore: Procore
) -> None:
    found = [send(hook, payload(procore), f"Bearer {number}") for number in range(260)]
    assert set(found) == {401, 429}
    assert send(hook, payload(procore)) == 202


def test_an_unknown_address_is_not_there(hook: WebhookHook, procore: Procore) -> None:
    assert send(uuid.uuid4(), payload(procore)) == 404
    assert ask(f"/webhooks/procore/{hook.key}/", method="GET").status == 405
    assert ask("/webhooks/").status == ask("/webhooks/procore/1/").status == 404
    assert not WebhookEvent.objects.exists()


def test_the_secret_before_the_last_renewal_is_still_accepted(
    hook: WebhookHook, procore: Procore
) -> None:
    hook.former_hash, hook.secret_hash = hook.secret_hash, fingerprint("Bearer new")
    hook.save()
    assert send(hook, payload(procore)) == 202
    assert send(hook, payload(procore), "Bearer new") == 202
    assert WebhookEvent.objects.count() == 2


def test_the_same_event_counts_once(hook: WebhookHook, procore: Procore) -> None:
    body = payload(procore)
    assert [send(hook, body), send(hook, body)] == [202, 202]
    assert WebhookEvent.objects.count() == 1


def test_five_hundred_events_on_a_project_are_a_few_lists_to_read(
    hook: WebhookHook, procore: Procore
) -> None:
    for number in range(500):
        kind = ("RFIs", "Submittals")[number % 2]
        assert send(hook, payload(procore, resource_type=kind, resource_id=str(number))) == 202
    assert WebhookEvent.objects.count() == 500
    assert DueRead.objects.count() == 2


def test_a_deletion_asks_to_look_for_what_is_gone(hook: WebhookHook, procore: Procore) -> None:
    send(hook, payload(procore, reason="delete"))
    assert DueRead.objects.get().sweep


def test_a_contract_makes_its_lines_and_the_budgets_columns_due_as_well(
    hook: WebhookHook, procore: Procore
) -> None:
    send(hook, payload(procore, resource_type="Work Order Contracts"))
    found = set(DueRead.objects.values_list("resource", flat=True))
    assert found == {"commitments", "commitment_line_items", "budget_rows"}


@pytest.mark.parametrize("body", ["no json", "[]", '{"id": 1}', '{"resource_type": "RFIs"}'])
def test_what_nobody_can_read_does_not_hold_up_the_queue(hook: WebhookHook, body: str) -> None:
    assert send(hook, body) == 202
    assert send(hook, body) == 202  # Procore's second try is no second event
    assert WebhookEvent.objects.get().resource_type == UNREADABLE
    assert not DueRead.objects.exists()


def test_an_event_of_a_kind_that_we_do_not_keep_makes_nothing_due(
    hook: WebhookHook, procore: Procore
) -> None:
    assert send(hook, payload(procore, resource_type="Daily Logs")) == 202
    assert not DueRead.objects.exists()


def test_an_event_wakes_the_company_now(hook: WebhookHook, procore: Procore) -> None:
    DueWork.objects.update(due_at="2099-01-01T00:00:00Z")
    send(hook, payload(procore))
    assert DueWork.objects.get().due_at.year < 2099


def test_an_answer_to_a_delivery_may_be_framed_by_nobody_and_says_nothing(
    hook: WebhookHook, procore: Procore
) -> None:
    for headers in ({}, {"Authorization": SECRET}):
        body = msgspec.json.encode(payload(procore))
        answer = ask(f"/webhooks/procore/{hook.key}/", body, headers=headers)
        assert answer.status == (202 if headers else 401)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["content-length"] == "0"


def test_what_comes_at_the_same_time_is_stored_at_once(hook: WebhookHook, procore: Procore) -> None:
    """Some of them unknown, with a wrong secret, unreadable, or sent twice."""
    good = msgspec.json.encode(payload(procore))
    gone = msgspec.json.encode(payload(procore, reason="delete"))
    found = take_in(
        [
            Delivery(Speaker.of(hook.key, SECRET), good),
            Delivery(Speaker.of(uuid.uuid4(), SECRET), good),
            Delivery(Speaker.of(hook.key, "Bearer guess"), good),
            Delivery(Speaker.of(hook.key, SECRET), b"<html>"),
            Delivery(Speaker.of(hook.key, SECRET), good),
            Delivery(Speaker.of(hook.key, SECRET), gone),
        ]
    )
    assert found == [202, 404, 401, 202, 202, 202]
    assert WebhookEvent.objects.exclude(resource_type=UNREADABLE).count() == 2
    assert sorted(DueRead.objects.values_list("resource", "sweep")) == [
        ("rfis", False),
        ("rfis", True),
    ]


def test_while_the_database_hangs_procore_is_asked_to_come_again(
    hook: WebhookHook, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "STORED_WITHIN", 0.3)
    body = payload(procore)
    assert send(hook, payload(procore)) == 202
    with psycopg.connect(SUPERUSER_URL) as held:
        held.execute("LOCK TABLE procore_webhookhook IN ACCESS EXCLUSIVE MODE")
        assert send(hook, body) == 503  # known, and not stored
        assert send(hook, body, "Bearer guess") == 503  # not known
    assert send(hook, body) == 202
    assert WebhookEvent.objects.filter(ulid=body["id"]).count() == 1


def test_a_connection_that_the_database_has_ended_costs_no_delivery(
    hook: WebhookHook, procore: Procore
) -> None:
    assert send(hook, payload(procore)) == 202
    with psycopg.connect(SUPERUSER_URL, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = 'tieback_app' AND pid <> pg_backend_pid()"
        )
    connections.close_all()  # this thread's own
    assert send(hook, payload(procore)) == 202
    assert send(hook, payload(procore), "Bearer guess") == 401


def test_deliveries_of_one_project_do_not_wait_for_each_others_commits(
    hook: WebhookHook, procore: Procore
) -> None:
    """A list's row that is due already stays unchanged, even while it is locked."""
    assert send(hook, payload(procore)) == 202
    with psycopg.connect(SUPERUSER_URL) as held:
        held.execute("SELECT FROM procore_dueread FOR UPDATE")
        assert send(hook, payload(procore)) == 202
    assert WebhookEvent.objects.count() == 2
