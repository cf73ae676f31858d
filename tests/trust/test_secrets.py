"""No token leaks: planted canaries are searched in logs, pages, exports, errors and broker.

And their encryption keys can be rotated under load.
"""

import json
import logging
import threading
import traceback
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.db import connection, connections
from django.test import Client

from integrations.procore.api.oauth import TokenPair
from integrations.procore.sync.tasks import sync_company
from partner_app.accounts.models import Role
from partner_app.connections import vault
from partner_app.connections.access import viewer_client
from partner_app.connections.errors import ReconnectNeeded
from partner_app.connections.models import Connection, ConnectionKind
from partner_app.connections.refresh import access_token, store_tokens
from partner_app.connections.rotation import remaining, rotate_encryption_keys
from partner_app.core import clock, sealing
from partner_app.core.logging import log
from partner_app.tenancy.context import tenant
from partner_app.tenancy.export import export_company
from tests.accounts.test_admins import signed_in
from tests.frame import Frame
from tests.procore import Procore

CANARIES = ("canary-access-7f3a91", "canary-refresh-c04e2b")
USER = 99


@pytest.fixture
def planted(synced: int) -> int:
    pair = TokenPair(*CANARIES, clock.now())
    store_tokens(company_id=synced, kind=ConnectionKind.VIEWER, remote_user_id=USER, pair=pair)
    return synced


@pytest.fixture
def heard() -> Any:
    """All log output, as it would reach the platform."""
    stream = StringIO()
    root = logging.getLogger()  # noqa: TID251  # the one place where logs come out
    [handler] = [h for h in root.handlers if type(h) is logging.StreamHandler]
    former, handler.stream = handler.stream, stream  # without flushing a closed stream
    level = root.level
    root.setLevel(logging.DEBUG)
    # It logs a traceback for each variable that a template lacks: slow, and not ours.
    logging.getLogger("django.template").setLevel(logging.INFO)  # noqa: TID251  # as above
    yield stream
    root.setLevel(level)
    handler.setStream(former)


def clean(text: str) -> bool:
    return not any(canary in text for canary in CANARIES)


def test_no_token_reaches_a_log_a_page_an_export_a_traceback_or_the_broker(
    planted: int, procore: Procore, heard: StringIO, tmp_path: Path
) -> None:
    seen: list[str] = []
    # Procore rejects the token: it is sent, and the errors are raised, logged and shown.
    with pytest.raises(ReconnectNeeded) as caught:
        access_token(company_id=planted, kind=ConnectionKind.VIEWER, remote_user_id=USER)
    seen.append("".join(traceback.format_exception(caught.value)))
    with tenant(planted):
        Connection.objects.filter(remote_user_id=USER).update(
            broken_at=None, spent_at=None, expires_at=clock.now().replace(year=2100)
        )
    with pytest.raises(ReconnectNeeded) as caught:
        viewer_client(planted, USER).get("/rest/v1.0/me")
    seen.append("".join(traceback.format_exception(caught.value)))
    log.warning("test.planted", access_token=CANARIES[0], text=f"Bearer {CANARIES[0]}")
    logging.getLogger("foreign").error("refresh_token=%s", CANARIES[1])  # noqa: TID251
    try:
        raise ValueError(f"Authorization: Bearer {CANARIES[0]}")
    except ValueError:
        log.exception("test.failed")
    # Pages.
    browser = signed_in(Role.OWNER)
    dashboard = ("", "audit/", f"tenants/{planted}/", f"tenants/{planted}/content/")
    seen += [browser.get(f"/dashboard/{path}").content.decode() for path in dashboard]
    viewer = Frame(procore, planted).sign_in("admin")
    embedded = ("home/", "settings/", "progress/")
    seen += [viewer.get(f"/embedded/{path}").content.decode() for path in embedded]
    seen.append(Client().get(f"/oauth/callback/?state=x&code={CANARIES[0]}").content.decode())
    # Exports, commands, task arguments, the broker and the audit log.
    export_company(company_id=planted, output=tmp_path)
    seen += [file.read_text() for file in tmp_path.iterdir()]
    sync_company.delay(planted)
    broker = redis.Redis.from_url(django_settings.CELERY_BROKER_URL)
    seen += [repr((key, broker.dump(key))) for key in broker.scan_iter()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(a)::text FROM audit_auditevent a")
        seen += [row[0] for row in cursor.fetchall()]
    # Addresses that Procore saw.
    seen.append(json.dumps(procore.ledger()))
    seen.append(heard.getvalue())
    assert "test.planted" in heard.getvalue()
    assert "[redacted]" in heard.getvalue()
    assert [text[:300] for text in seen if not clean(text)] == []


def test_no_token_stands_in_the_database_unsealed(planted: int) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE connections_connection NO FORCE ROW LEVEL SECURITY")
        try:
            cursor.execute(
                "SELECT string_agg(encode(access_token, 'escape') || "
                "coalesce(encode(refresh_token, 'escape'), ''), ' ') FROM connections_connection"
            )
            text = cursor.fetchone()[0]
        finally:
            cursor.execute("ALTER TABLE connections_connection FORCE ROW LEVEL SECURITY")
    assert text
    assert clean(text)


@pytest.fixture
def two_keys(settings: Any) -> Any:
    """A new first key; the previous one still decrypts."""
    settings.FIELD_ENCRYPTION_KEYS = (
        Fernet.generate_key().decode(),
        *settings.FIELD_ENCRYPTION_KEYS,
    )
    sealing.box.cache_clear()
    yield settings
    sealing.box.cache_clear()


def test_keys_are_rotated_under_load_and_nothing_stays_under_the_old_one(
    synced: int, procore: Procore, two_keys: Any
) -> None:
    people = [Frame(procore, synced).sign_in(role) for role in ("admin", "manager", "engineer")]
    now = clock.now()
    for user in range(200, 260):
        pair = TokenPair(f"a{user}", f"r{user}", now.replace(year=2100))
        store_tokens(company_id=synced, kind=ConnectionKind.VIEWER, remote_user_id=user, pair=pair)
    # All of them under the previous key.
    with tenant(synced):
        old = Fernet(two_keys.FIELD_ENCRYPTION_KEYS[1])
        for row in Connection.objects.all():
            for name in ("access_token", "refresh_token"):
                if sealed := getattr(row, name):  # a service account has no refresh token
                    setattr(row, name, old.encrypt(vault.unseal(sealed).encode()))
            row.save()
    before = remaining()
    assert before > 60
    over, failures = threading.Event(), []

    def load() -> None:
        try:
            while not over.is_set():
                for person in people:
                    answer = person.get("/embedded/home/")
                    if answer.status_code != 200:
                        failures.append(answer.status_code)
        finally:
            connection.close()

    thread = threading.Thread(target=load)
    thread.start()
    try:
        result = rotate_encryption_keys()
    finally:
        over.set()
        thread.join()
    assert failures == []
    assert result == {"re_encrypted": before, "remaining": 0}
    assert rotate_encryption_keys()["re_encrypted"] == 0
    # Now the old key can be removed.
    two_keys.FIELD_ENCRYPTION_KEYS = two_keys.FIELD_ENCRYPTION_KEYS[:1]
    sealing.box.cache_clear()
    assert people[0].get("/embedded/home/").status_code == 200


def test_an_interrupted_rotation_goes_on_where_it_stopped(planted: int, two_keys: Any) -> None:
    assert remaining() > 1
    with tenant(planted):
        row = Connection.objects.filter(remote_user_id=USER).get()
        row.access_token = sealing.reseal(row.access_token)
        row.refresh_token = sealing.reseal(row.refresh_token)  # type: ignore[arg-type]  # it has one
        row.save()
    left = remaining()
    assert rotate_encryption_keys() == {"re_encrypted": left, "remaining": 0}
