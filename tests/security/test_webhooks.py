"""Webhooks accept anything: unstorable events get a 202, are kept as unreadable, and shown."""

import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.procore.webhooks.inbox import UNREADABLE
from integrations.procore.webhooks.models import WebhookEvent, WebhookHook
from partner_app.accounts.models import Role
from partner_app.core.secrets import fingerprint
from tests.dashboard.people import admin_of
from tests.door import deliver

SECRET = "Bearer of-this-hook-alone"
GOOD = {
    "id": "01GOOD",
    "timestamp": "2026-01-02T03:04:05Z",
    "reason": "update",
    "project_id": "1",
    "resource_type": "RFIs",
    "resource_id": "2",
}
ODD: list[bytes] = [
    msgspec.json.encode({**GOOD, **odd})
    for odd in (
        {"id": "a\x00b"},
        {"resource_type": "RFIs\x00"},
        {"reason": "\x00"},
        {"resource_id": str(2**63)},
        {"resource_id": 2**64 - 1},
        {"project_id": "9" * 400},
        {"project_id": -1},
        {"id": "x" * 50_000},
        {"id": ""},
        {"resource_type": "y" * 50_000},
        {"reason": "z" * 50_000},
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": "9999-12-31T23:59:59-12:00"},
        {"timestamp": 10**17},
        {"id": None},
        {"resource_type": ["RFIs"]},
    )
] + [
    b'{"id":"01DEEP","resource_type":"RFIs","more":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b'{"id":"01DEEP","resource_type":"RFIs","more":' + b'{"a":' * 9_000 + b"}" * 9_001,
    b'{"id":"\\ud800","resource_type":"RFIs"}',
    b'{"id":"01","resource_type":"RFIs","resource_id":1e400}',
    b"\xff\xfe",
    b"",
    b"null",
]


@pytest.fixture
def hook(synced: int) -> WebhookHook:
    return WebhookHook.objects.create(company_id=synced, secret_hash=fingerprint(SECRET))


def send(hook: WebhookHook, body: bytes) -> int:
    return deliver(hook.key, body, SECRET)


def test_no_odd_event_is_answered_with_an_error_or_logged_with_a_traceback(
    hook: WebhookHook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answers = {body[:60]: send(hook, body) for body in ODD}
    assert set(answers.values()) == {202}, answers
    assert not [record for record in caplog.records if record.exc_info]
    stored = WebhookEvent.objects.filter(resource_type=UNREADABLE)
    assert stored.count() == len(ODD)
    for body in ODD:  # Procore's next try is no other event
        send(hook, body)
    assert stored.count() == len(ODD)


def test_an_odd_event_is_shown_to_the_partner(hook: WebhookHook) -> None:
    send(hook, ODD[0])
    page = admin_of(Role.VIEWER).get("/dashboard/webhooks/")
    assert UNREADABLE in page.content.decode()


def test_a_good_event_beside_odd_ones_is_stored(hook: WebhookHook) -> None:
    """All at the same moment, so that they are stored together."""
    bodies = ODD + [msgspec.json.encode({**GOOD, "id": f"01GOOD{n}"}) for n in range(20)]
    with ThreadPoolExecutor(len(bodies)) as pool:
        found = list(pool.map(lambda body: send(hook, body), bodies))
    assert found == [202] * len(bodies)
    assert WebhookEvent.objects.filter(resource_type="RFIs").count() == 20


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(st.sampled_from([*GOOD, "data"]), ANY_JSON, max_size=4))
def test_whatever_stands_in_the_fields_is_accepted(
    hook: WebhookHook, changes: dict[str, Any]
) -> None:
    document = {**GOOD, "id": uuid.uuid4().hex, **changes}
    try:
        body = msgspec.json.encode(document)
    except (ValueError, OverflowError):
        return  # JSON cannot express that
    assert send(hook, body) == 202
