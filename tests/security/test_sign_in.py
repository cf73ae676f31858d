"""Partner admins: nobody locks another one out, and no link bypasses a second factor."""

from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from partner_app.accounts.admins import invite_admin
from partner_app.accounts.models import Role
from partner_app.audit.models import AuditEvent
from partner_app.core.client_ip import client_address
from tests.frame import text_of

PASSWORD = "correct-horse-battery"
TOO_MANY = "Too many failed login attempts"


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    """HTTPS, and each request's address is the last one that the proxy wrote."""
    settings.HTTPS = True


def link(username: str = "ann-example", **options: Any) -> str:
    secret, _ = invite_admin(username=username, role=Role.OWNER, **options)
    return f"/accounts/set-up/{secret}/"


def set_up(username: str = "ann-example") -> str:
    """Sets up an account and returns the secret of its second factor."""
    body = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert Client().post(link(username), body).status_code == 302
    secret: str = generate_totp_secret()
    TOTP.activate(get_user_model().objects.get(username=username), secret)
    return secret


def try_password(browser: Client, password: str, *, address: str, name: str = "ann-example") -> Any:
    headers = {"X-Forwarded-For": f"203.0.113.250, {address}"}
    return browser.post("/accounts/login/", {"login": name, "password": password}, headers=headers)


def sign_in(browser: Client, secret: str, *, address: str) -> Any:
    """Password and code."""
    answer = try_password(browser, PASSWORD, address=address)
    assert "2fa/authenticate" in answer["Location"], text_of(answer)
    headers = {"X-Forwarded-For": address}
    cache.clear()  # a code works once, and the same half minute has the same code
    answer = browser.post(
        "/accounts/2fa/authenticate/", {"code": pyotp.TOTP(secret).now()}, headers=headers
    )
    assert answer.status_code == 302, text_of(answer)
    return answer


def test_wrong_names_from_many_addresses_keep_nobody_out(
    database: None, behind_a_proxy: None
) -> None:
    set_up()
    for number in range(15):
        address = f"198.51.100.{number}"
        answer = try_password(Client(), "wrong", address=address, name=f"made-up-{number}")
        assert TOO_MANY not in text_of(answer)
    right = try_password(Client(), PASSWORD, address="192.0.2.1")
    assert "2fa/authenticate" in right["Location"]


def test_many_tries_from_one_address_are_refused_there_alone(
    database: None, behind_a_proxy: None
) -> None:
    set_up()
    answers = [
        text_of(try_password(Client(), "wrong", address="198.51.100.7", name=f"name-{number}"))
        for number in range(12)
    ]
    assert TOO_MANY in answers[-1]
    assert "2fa/authenticate" in try_password(Client(), PASSWORD, address="192.0.2.1")["Location"]


def test_a_known_name_is_not_locked_out_from_elsewhere(
    database: None, behind_a_proxy: None
) -> None:
    set_up()
    answers = [text_of(try_password(Client(), "wrong", address="198.51.100.7")) for _ in range(25)]
    assert TOO_MANY in answers[-1]
    assert "2fa/authenticate" in try_password(Client(), PASSWORD, address="192.0.2.1")["Location"]


def test_guesses_from_everywhere_end_but_not_on_a_device_that_has_passed_before(
    database: None, behind_a_proxy: None
) -> None:
    secret = set_up()
    own = Client()
    sign_in(own, secret, address="192.0.2.1")
    assert own.get("/dashboard/", headers={"X-Forwarded-Proto": "https"}).status_code == 200
    own.post("/accounts/logout/")
    answers = [
        text_of(try_password(Client(), "wrong", address=f"198.51.100.{number}"))
        for number in range(101)
    ]
    assert TOO_MANY in answers[-1]
    assert TOO_MANY in text_of(try_password(Client(), PASSWORD, address="192.0.2.99"))
    again = try_password(own, PASSWORD, address="192.0.2.1")
    assert "2fa/authenticate" in again["Location"]


def test_the_device_of_somebody_else_and_a_made_up_one_spare_nobody(
    database: None, behind_a_proxy: None
) -> None:
    set_up()
    secret = set_up("bob-example")
    bobs = Client()
    try_password(bobs, PASSWORD, address="192.0.2.2", name="bob-example")
    bobs.post("/accounts/2fa/authenticate/", {"code": pyotp.TOTP(secret).now()})
    assert bobs.get("/dashboard/").status_code == 200
    bobs.post("/accounts/logout/")
    made_up = Client()
    made_up.cookies["tieback_device"] = "ann-example|x:y:z"
    for browser in (bobs, made_up):
        cache.clear()
        answers = [
            text_of(try_password(browser, "wrong", address=f"198.51.100.{number}"))
            for number in range(101)
        ]
        assert TOO_MANY in answers[-1]


def test_a_link_asks_for_the_second_factor_that_the_account_has(database: None) -> None:
    secret, browser = set_up(), Client()
    body = {"new_password1": "another-horse-battery", "new_password2": "another-horse-battery"}
    answer = browser.post(link(), body)
    assert "2fa/authenticate" in answer["Location"]
    assert browser.get("/dashboard/").status_code == 302
    assert browser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    cache.clear()
    assert (
        browser.post("/accounts/2fa/authenticate/", {"code": pyotp.TOTP(secret).now()}).status_code
        == 302
    )
    assert browser.get("/dashboard/").status_code == 200


def test_a_second_factor_that_is_lost_is_reset_by_an_operator_and_recorded(
    database: None,
) -> None:
    set_up()
    body = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    browser = Client()
    browser.post(link(reset_second_factor=True), body)
    assert not Authenticator.objects.exists()
    assert "totp/activate" in browser.get("/dashboard/")["Location"]
    invited = AuditEvent.objects.filter(event="admin.invited").order_by("at")
    assert [row.facts["second_factor"] for row in invited] == ["kept", "reset"]


def test_a_session_that_never_gave_the_second_factor_opens_nothing(database: None) -> None:
    """However the session was created."""
    set_up()
    browser = Client()
    browser.force_login(get_user_model().objects.get())
    answer = browser.get("/dashboard/tenants/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/dashboard/tenants/")
    assert "_auth_user_id" not in browser.session


def test_whoever_sets_their_first_factor_up_goes_on(database: None) -> None:
    browser = Client()
    body = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    browser.post(link(), body)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = browser.session["mfa.totp.secret"]
    assert page.status_code == 200
    answer = browser.post("/accounts/2fa/totp/activate/", {"code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 302
    assert browser.get("/dashboard/").status_code == 200


def test_the_address_of_a_session_is_not_the_proxys(
    database: None, behind_a_proxy: None, rf: Any
) -> None:
    request = rf.get("/", headers={"X-Forwarded-For": "203.0.113.9, 192.0.2.1"})
    assert client_address(request) == "192.0.2.1"
    set_up()
    try_password(Client(), "wrong", address="192.0.2.1")
    assert AuditEvent.objects.filter(event="admin.refused").latest("at").address == "192.0.2.1"
