"""The digest goes through a real mail server, to its subscribers, with what they may see."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as django_settings

from partner_app.core import clock
from partner_app.insights.digests import next_morning, send_due
from partner_app.insights.models import Digest, DigestWork, ExceptionCase
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of

FRIDAY = datetime(2026, 6, 5, 15, tzinfo=UTC)


class Mailbox:
    """The letters that the server accepted; it rejects them while `away`."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.away = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.away:
            return "451 try again later"
        self.letters.append(message_from_bytes(envelope.content, policy=default))
        return "250 taken"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    monkeypatch.setattr(django_settings, "MAIL", {"host": "127.0.0.1"})
    for name, value in (
        ("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", port),
        ("DEFAULT_FROM_EMAIL", "tieback@tieback.example"),
    ):
        monkeypatch.setattr(django_settings, name, value)
    yield box
    server.stop()


def make_due(company: int) -> None:
    """As if the last digest was long ago and all exceptions opened since."""
    DigestWork.objects.update(due_at=clock.now() - timedelta(minutes=1))
    with tenant(company):
        Digest.objects.update(sent_at=clock.now() - timedelta(days=1))


def body(letter: Message) -> str:
    return str(letter.get_content())  # type: ignore[attr-defined]  # of the default policy


def test_who_asked_gets_what_is_new_once(admin: Frame, mailbox: Mailbox) -> None:
    company = admin.company_id
    page = text_of(admin.post("/embedded/settings/digest/", often="daily"))
    assert "admin@halden-bay-builders.example" in page
    assert send_due() == 0  # not due yet
    make_due(company)
    assert send_due() == 1
    [letter] = mailbox.letters
    assert letter["To"] == "admin@halden-bay-builders.example"
    assert "Halden Bay Builders" in letter["Subject"]
    text = body(letter)
    assert "is committed over budget: $" in text
    assert f"/embedded/?company_id={company}&open=exceptions%2F" in text
    assert send_due() == 0
    work = DigestWork.objects.get()
    assert work.due_at > clock.now()
    work.due_at = clock.now() - timedelta(seconds=1)
    work.save()
    assert send_due() == 0  # due, but nothing is new
    assert len(mailbox.letters) == 1


def test_a_digest_has_nothing_of_withheld_tools(engineer: Frame, mailbox: Mailbox) -> None:
    engineer.post("/embedded/settings/digest/", often="weekly")
    make_due(engineer.company_id)
    send_due()
    for letter in mailbox.letters:
        assert "budget" not in body(letter)
        assert "hange event" not in body(letter)
    with tenant(engineer.company_id):
        assert Digest.objects.get().weekly


def test_a_mail_server_that_is_away_is_tried_again(admin: Frame, mailbox: Mailbox) -> None:
    admin.post("/embedded/settings/digest/", often="daily")
    make_due(admin.company_id)
    mailbox.away = True
    assert send_due() == 0
    assert DigestWork.objects.get().due_at > clock.now()
    mailbox.away = False
    make_due(admin.company_id)
    assert send_due() == 1
    assert len(mailbox.letters) == 1


def test_an_ended_digest_leaves_no_address(admin: Frame, mailbox: Mailbox) -> None:
    admin.post("/embedded/settings/digest/", often="daily")
    admin.post("/embedded/settings/digest/", often="none")
    assert not DigestWork.objects.exists()
    with tenant(admin.company_id):
        assert not Digest.objects.exists()


def test_a_snoozed_case_is_in_no_digest(admin: Frame, mailbox: Mailbox) -> None:
    admin.post("/embedded/settings/digest/", often="daily")
    make_due(admin.company_id)
    with tenant(admin.company_id):
        ExceptionCase.objects.filter(closed_at=None).update(
            snoozed_until=(clock.now() + timedelta(days=9)).date(), snoozed_amount=10**12
        )
    send_due()
    assert all("is committed over budget" not in body(letter) for letter in mailbox.letters)


def test_without_a_mail_server_no_digest_is_offered(admin: Frame) -> None:
    assert "Email digest" not in text_of(admin.get("/embedded/settings/"))
    admin.post("/embedded/settings/digest/", often="daily")
    assert not DigestWork.objects.exists()


@pytest.mark.parametrize("weekly", [False, True])
def test_the_next_morning_is_a_workdays(*, weekly: bool) -> None:
    monday = datetime(2026, 6, 8, 12, tzinfo=UTC)
    assert next_morning(FRIDAY, weekly=weekly) == monday
    before = FRIDAY - timedelta(days=1)
    assert next_morning(before, weekly=False) == datetime(2026, 6, 5, 12, tzinfo=UTC)
