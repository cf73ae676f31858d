"""A person of a company: removed rights, windows, questions, and pages of the frame."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.test import Client

from integrations.procore.webhooks.models import WebhookHook
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.core.secrets import fingerprint
from partner_app.embedded.models import EmbeddedSession, Entitlement
from partner_app.insights.models import SavedView
from partner_app.tenancy.context import tenant
from tests import door
from tests.frame import Frame, text_of
from tests.procore import Procore

SECRET = "Bearer of-this-hook-alone"


def test_what_procore_takes_on_one_project_ends_what_an_overview_remembers(
    engineer: Frame, procore: Procore
) -> None:
    """The next request for any project asks Procore, sees the loss, and clears the rest."""
    assert "RFI" in text_of(engineer.get("/embedded/exceptions/"))
    with tenant(engineer.company_id):
        rows = Entitlement.objects.exclude(project_id__lte=0)
        project = rows.values_list("project_id", flat=True)[0]
        rows.update(checked_at=clock.now() - timedelta(minutes=6))
    person = procore.person("engineer")["id"]
    procore.control("people", id=person, tools=["budget"])
    page = text_of(engineer.get(f"/embedded/projects/{project}/"))
    assert "RFI" not in page
    shown = text_of(engineer.get("/embedded/exceptions/"))
    assert "0 open exceptions" in shown


def deliver(company: int, **changes: Any) -> int:
    hook, _ = WebhookHook.objects.get_or_create(
        company_id=company, defaults={"secret_hash": fingerprint(SECRET)}
    )
    body = {"id": "01X", "resource_type": "Company Users", "reason": "delete", **changes}
    return door.deliver(hook.key, msgspec.json.encode(body), SECRET)


def test_somebody_whom_procore_removes_is_signed_out_at_once(synced: int, procore: Procore) -> None:
    gone = Frame(procore, synced).sign_in("engineer")
    person = EmbeddedSession.objects.get().remote_user_id
    other = Frame(procore, synced).sign_in("admin")
    assert deliver(synced, reason="update", resource_id=person) == 202
    assert gone.get("/embedded/home/").status_code == 200
    assert deliver(synced, id="01Y", resource_id=person) == 202
    assert gone.get("/embedded/home/").status_code == 401
    assert other.get("/embedded/home/").status_code == 200
    with tenant(synced):
        assert not Entitlement.objects.filter(remote_user_id=person).exists()


def test_signing_out_everywhere_ends_every_window_of_that_person_alone(
    synced: int, procore: Procore
) -> None:
    windows = [Frame(procore, synced).sign_in("admin") for _ in range(3)]
    other = Frame(procore, synced).sign_in("manager")
    assert "3 windows are signed in" in text_of(windows[0].get("/embedded/settings/"))
    answer = windows[0].post("/embedded/sign-out/everywhere/")
    assert answer.status_code == 401
    assert "signed out of every window" in text_of(answer)
    assert [window.get("/embedded/home/").status_code for window in windows] == [401] * 3
    assert other.get("/embedded/home/").status_code == 200
    assert AuditEvent.objects.filter(event="viewer.signed_out").count() == 1


def test_nobody_floods_the_mailbox_of_support(
    admin: Frame, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.MAIL, settings.SUPPORT_EMAIL = {"host": "here"}, "support@partner.example"
    asked = [admin.post("/embedded/help/ask/", text="Help").status_code for _ in range(8)]
    assert asked == [200] * 5 + [429] * 3
    assert len(mailoutbox) == 5
    other = Frame(admin.procore, admin.company_id).sign_in("manager")
    assert other.post("/embedded/help/ask/", text="Help").status_code == 200


@pytest.mark.parametrize(
    "page",
    [
        "../dashboard/",
        "home/../../dashboard/",
        "%2e%2e/dashboard/",
        "%2E%2E%2Fdashboard/",
        "..%2fdashboard/",
        "home/%252e%252e/dashboard/",
        "/evil.example/",
        "\\evil.example/",
        "home/#x",
    ],
)
def test_neither_a_kept_view_nor_a_deep_link_leads_out_of_the_frames_pages(
    admin: Frame, page: str
) -> None:
    answer = admin.post("/embedded/views/", name="Out", path=f"/embedded/{page}")
    assert "This page cannot be saved" in text_of(answer)
    with tenant(admin.company_id):
        assert not SavedView.objects.exists()
    shell = Client().get("/embedded/", {"company_id": "1", "open": page})
    assert 'data-open=""' in shell.text


def test_a_page_with_words_in_its_query_is_kept(admin: Frame) -> None:
    path = "/embedded/search/?q=b%C3%A9ton+%2F+..%2F50%25&kind=rfis"
    assert "Concrete" in text_of(admin.post("/embedded/views/", name="Concrete", path=path))
