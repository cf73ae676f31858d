"""Partner admins: set up by a one-time link, never without a second factor, limited by role."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from partner_app.accounts.admins import invite_admin, is_set_up
from partner_app.accounts.grants import allow_support, end_support, living_grant
from partner_app.accounts.models import Role, SetUpLink, SupportGrant
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from tests.dashboard.people import pass_second_factor
from tests.frame import text_of

PASSWORD = "correct-horse-battery"


def link(role: Role = Role.OWNER, username: str = "ann-example") -> str:
    secret, _ = invite_admin(username=username, role=role)
    return f"/accounts/set-up/{secret}/"


def choose_password(browser: Client, path: str, password: str = PASSWORD) -> Any:
    return browser.post(path, {"new_password1": password, "new_password2": password})


def signed_in(role: Role, username: str = "ann-example") -> Client:
    """A browser signed in with a second factor."""
    browser = Client()
    assert choose_password(browser, link(role, username)).status_code == 302
    TOTP.activate(get_user_model().objects.get(username=username), generate_totp_secret())
    pass_second_factor(browser)
    return browser


def events(name: str) -> int:
    return AuditEvent.objects.filter(event=name).count()


def test_the_link_sets_a_password_once_and_leads_to_a_second_factor(database: None) -> None:
    path, browser = link(), Client()
    assert not is_set_up("ann-example")
    assert "ann-example" in text_of(browser.get(path))
    answer = choose_password(browser, path)
    assert urlsplit(answer["Location"]).path == "/dashboard/"
    assert is_set_up("ann-example")
    answer = browser.get("/dashboard/")
    assert urlsplit(answer["Location"]).path == "/accounts/2fa/totp/activate/"
    assert Client().get(path).status_code == 410
    assert "has been used" in text_of(choose_password(Client(), path, "another-long-word-1"))
    assert events("admin.set_up") == 1


def test_a_weak_password_is_refused_and_the_link_lives_on(database: None) -> None:
    path = link()
    for weak in ("short", "12345678901", "password123", "ann-example"):
        assert choose_password(Client(), path, weak).status_code == 422
    assert choose_password(Client(), path).status_code == 302


def test_a_link_lives_a_day_and_a_new_one_makes_the_former_void(database: None) -> None:
    first = link()
    second = link()
    assert Client().get(first).status_code == 410
    SetUpLink.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert Client().get(second).status_code == 410


def test_nobody_can_sign_up_and_there_is_no_default_password(database: None) -> None:
    assert Client().get("/accounts/signup/").status_code == 302
    invite_admin(username="partner", role=Role.OWNER)
    for password in ("partner", "admin", "", "password"):
        body = {"login": "partner", "password": password}
        assert "/dashboard/" not in Client().post("/accounts/login/", body).get("Location", "")


def test_attempts_are_refused_after_a_few_and_recorded(database: None) -> None:
    signed_in(Role.VIEWER)
    browser = Client()
    body = {"login": "ann-example", "password": "wrong"}
    answers = [text_of(browser.post("/accounts/login/", body)) for _ in range(8)]
    assert "Too many failed login attempts" in answers[-1]
    right = {"login": "ann-example", "password": PASSWORD}
    assert browser.post("/accounts/login/", right).status_code == 200  # not even the right password
    assert events("admin.refused") >= 5
    row = AuditEvent.objects.filter(event="admin.refused").latest("at")
    assert row.address == "127.0.0.1"
    assert PASSWORD not in str(row.facts)


def test_a_second_factor_is_asked_at_every_sign_in(database: None) -> None:
    signed_in(Role.VIEWER)
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": "ann-example", "password": PASSWORD})
    assert "2fa/authenticate" in answer["Location"]
    assert browser.get("/dashboard/").status_code == 302


def test_sessions_are_listed_and_can_be_ended(database: None) -> None:
    browser = signed_in(Role.VIEWER)
    assert browser.get("/accounts/sessions/").status_code == 200


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/dashboard/", Role.VIEWER),
        ("/dashboard/tenants/{company}/", Role.VIEWER),
        ("/dashboard/audit/", Role.SUPPORT),
        ("/dashboard/tenants/{company}/content/", Role.SUPPORT),
    ],
)
def test_each_page_opens_from_its_role_upward(synced: int, path: str, needed: Role) -> None:
    allow_support(company_id=synced, granted_by=1, hours=1)
    for role in Role:
        browser = signed_in(role, f"user-{role}")
        status = browser.get(path.format(company=synced)).status_code
        assert status == (200 if role.covers(needed) else 403), role


def test_resync_needs_an_operator_and_is_recorded(synced: int) -> None:
    path = f"/dashboard/tenants/{synced}/do/resync/"
    assert signed_in(Role.SUPPORT, "sue").post(path).status_code == 403
    assert signed_in(Role.OPERATOR, "otto").post(path).status_code == 302
    row = AuditEvent.objects.get(event="admin.acted")
    assert (row.actor, row.facts) == ("partner:otto", {"action": "resync"})


def test_without_a_grant_no_content_is_shown_and_each_look_under_one_is_recorded(
    synced: int,
) -> None:
    browser = signed_in(Role.OWNER)
    path = f"/dashboard/tenants/{synced}/content/"
    refused = browser.get(path)
    assert refused.status_code == 403
    assert "has not given support access" in text_of(refused)
    assert "Lakefront" not in text_of(browser.get(f"/dashboard/tenants/{synced}/"))
    allow_support(company_id=synced, granted_by=7, hours=1)
    assert "Lakefront Medical Pavilion" in text_of(browser.get(path))
    assert events("support.looked") == 1
    end_support(company_id=synced, ended_by=7)
    assert browser.get(path).status_code == 403


def test_a_grant_ends_by_itself_and_is_the_companys_own(synced: int, procore: Any) -> None:
    allow_support(company_id=synced, granted_by=7, hours=1)
    assert living_grant(procore.neighbour_id) is None
    with tenant(synced):
        SupportGrant.objects.update(until=clock.now() - timedelta(seconds=1))
    assert living_grant(synced) is None


def test_a_user_who_is_no_partner_admin_is_told_so(database: None) -> None:
    user = get_user_model().objects.create_user("stranger", password=PASSWORD)
    browser = Client()
    browser.force_login(user)
    answer = browser.get("/dashboard/")
    assert answer.status_code == 403
    assert "no access to the dashboard" in text_of(answer)


def test_the_command_resets_a_lost_second_factor_and_prints_a_new_link(
    database: None, capsys: pytest.CaptureFixture[str]
) -> None:
    signed_in(Role.OWNER)
    call_command(
        "create_partner_admin", "--username", "ann-example", "--role", "owner",
        "--reset-second-factor",
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    assert "/accounts/set-up/" in answer["set_up_link"]
    assert not Authenticator.objects.exists()
