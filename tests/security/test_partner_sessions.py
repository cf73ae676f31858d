"""A partner admin's session: how long it lasts, its cookies, and what is recorded of it."""

import logging
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from partner_app.accounts.lifetime import LONGEST, SEEN, SILENCE, SINCE
from partner_app.accounts.models import Role
from partner_app.accounts.passwords import NoWordsOfThisPlace
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.embedded.models import EmbeddedSession
from tests.dashboard.people import admin_of
from tests.frame import Frame
from tests.security.test_deployment import in_production

PASSWORD = "correct-horse-battery"


@pytest.fixture
def browser(database: None) -> Client:
    return admin_of(Role.VIEWER)


def ago(browser: Client, name: str, seconds: float) -> int:
    """Moves one of the session's times into the past."""
    session = browser.session
    session[name] = int((clock.now() - timedelta(seconds=seconds)).timestamp())
    session.save()
    moment: int = session[name]
    return moment


@pytest.mark.parametrize(("name", "limit"), [(SEEN, SILENCE), (SINCE, LONGEST)])
def test_it_ends_after_silence_and_after_eight_hours(
    browser: Client, name: str, limit: float
) -> None:
    ago(browser, name, limit - 60)
    assert browser.get("/dashboard/").status_code == 200
    ago(browser, name, limit + 60)
    answer = browser.get("/dashboard/")
    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in browser.session


def test_a_session_of_an_unknown_age_is_over(browser: Client) -> None:
    session = browser.session
    del session[SINCE]
    session.save()
    assert browser.get("/dashboard/")["Location"].startswith("/accounts/login/")


def test_it_ends_on_every_page_that_knows_the_account(browser: Client) -> None:
    for path in ("/accounts/sessions/", "/accounts/2fa/", "/accounts/password/change/"):
        assert browser.get(path).status_code == 200, path
    ago(browser, SEEN, SILENCE + 60)
    for path in ("/accounts/sessions/", "/accounts/2fa/", "/accounts/password/change/"):
        assert browser.get(path)["Location"].startswith("/accounts/login/"), path


def test_what_a_page_asks_by_itself_is_no_sign_of_a_person(browser: Client) -> None:
    before = ago(browser, SEEN, 600)
    own = {"HX-Request": "true"}
    assert browser.get("/dashboard/numbers/", headers=own).status_code == 200
    assert browser.session[SEEN] == before
    assert browser.get("/dashboard/").status_code == 200
    assert browser.session[SEEN] > before
    ago(browser, SEEN, SILENCE + 60)
    over = browser.get("/dashboard/numbers/", headers=own)
    assert (over.status_code, over["HX-Refresh"]) == (204, "true")


def test_signing_out_clears_what_the_browser_kept(browser: Client) -> None:
    assert "Clear-Site-Data" not in browser.get("/accounts/logout/")
    assert browser.post("/accounts/logout/")["Clear-Site-Data"] == '"cache", "storage"'


def test_a_changed_password_ends_every_other_session_and_is_recorded(database: None) -> None:
    user = get_user_model().objects.create_user("ann-example", password=PASSWORD)
    here, elsewhere = Client(), Client()
    for each in (here, elsewhere):
        each.force_login(user)
        assert each.get("/accounts/sessions/").status_code == 200
    new = {"password1": "another-long-phrase", "password2": "another-long-phrase"}
    wrong = here.post("/accounts/password/change/", {"oldpassword": "guess", **new})
    assert wrong.status_code == 200
    assert not AuditEvent.objects.filter(event="admin.password_changed").exists()
    done = here.post("/accounts/password/change/", {"oldpassword": PASSWORD, **new})
    assert done.status_code == 302
    assert elsewhere.get("/accounts/sessions/").status_code == 302
    assert AuditEvent.objects.get(event="admin.password_changed").actor == "partner:ann-example"


def test_a_factor_changes_only_after_the_password_and_it_is_recorded(database: None) -> None:
    user = get_user_model().objects.create_user("ann-example", password=PASSWORD)
    browser, page = Client(), "/accounts/2fa/totp/activate/"
    browser.force_login(user)
    for ask in (browser.get, browser.post):
        assert ask(page)["Location"].startswith("/accounts/reauthenticate/")
    browser.post("/accounts/reauthenticate/", {"password": "guess"})
    assert browser.get(page).status_code == 302
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert browser.get(page).status_code == 200
    secret = browser.session["mfa.totp.secret"]
    assert browser.post(page, {"code": pyotp.TOTP(secret).now()}).status_code == 302
    rows = AuditEvent.objects.filter(event="admin.second_factor_changed")
    assert {(row.facts["kind"], row.facts["change"]) for row in rows} >= {("totp", "added")}
    assert secret not in str(list(rows.values()))


def test_a_wrong_second_factor_is_recorded(database: None) -> None:
    user = get_user_model().objects.create_user("ann-example", password=PASSWORD)
    TOTP.activate(user, generate_totp_secret())
    browser = Client()
    browser.post("/accounts/login/", {"login": "ann-example", "password": PASSWORD})
    assert browser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    row = AuditEvent.objects.get(event="admin.second_factor_refused")
    assert (row.actor, row.facts, row.address) == (
        "partner:ann-example",
        {"kind": "totp"},
        "127.0.0.1",
    )


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [r.msg for r in caplog.records if isinstance(r.msg, dict)]


def test_a_refusal_is_logged_with_who_it_was(
    browser: Client, admin: Frame, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert browser.get("/dashboard/audit/").status_code == 403
        assert admin.get("/embedded/projects/1/").status_code in {403, 404}
        assert Client().post("/embedded/renewal/", {"renewal": "x" * 30}).status_code == 401
    viewer = EmbeddedSession.objects.get().remote_user_id
    found = {line["path"]: line for line in lines(caplog) if line["event"] == "request.refused"}
    assert found["/dashboard/audit/"]["partner_admin"] == "user-viewer"
    assert found["/embedded/projects/1/"]["viewer"] == viewer
    assert found["/embedded/renewal/"]["code"] == "viewer.renewal_refused"


@pytest.mark.parametrize(
    "password", ["tieback-procore", "Procore2026", "Partner.Dashboard1", "localhost12"]
)
def test_words_of_this_place_are_no_password(password: str) -> None:
    with pytest.raises(ValidationError):
        NoWordsOfThisPlace().validate(password)


@pytest.mark.parametrize(
    "password", [PASSWORD, "budget of a lighthouse", "x" * 200, "пароль из слов"]
)
def test_other_passwords_of_any_letters_and_length_are_taken(database: None, password: str) -> None:
    validate_password(password)
    user = get_user_model().objects.create_user("ann-example", password=password)
    assert user.check_password(password)
    assert not user.check_password(password[:-1])
    assert not user.check_password(password.upper())


COOKIES = """
import json
import django
django.setup()
from django.test import Client
from django.contrib.auth import get_user_model
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from partner_app.accounts.models import PartnerAdmin
from partner_app.accounts.devices import PASSED
from partner_app.accounts.lifetime import SEEN
browser = Client(headers={"host": "tieback.example"})
user = get_user_model().objects.create(username="ann-example")
PartnerAdmin.objects.create(user=user)
TOTP.activate(user, generate_totp_secret())
browser.force_login(user)
session = browser.session
session[PASSED] = user.pk
session[SEEN] -= 120  # so that the answer sets the cookie, and not only the client of the test
session.save()
for path in ("/accounts/login/?next=/x/", "/dashboard/", "/install/"):
    browser.get(path, secure=True)
browser.post("/install/", secure=True)
print(json.dumps({name: {**cookie} for name, cookie in browser.cookies.items()}))
"""


def test_in_production_each_cookie_is_bound_to_this_host(database: None) -> None:
    """By its name it requires TLS, this host and all paths; scripts cannot read it."""
    found = in_production(COOKIES)
    assert {name.removeprefix("__Host-") for name in found} >= {
        "sessionid", "csrftoken", "tieback_device", "tieback_sign_in",
    }  # fmt: skip
    for name, cookie in found.items():
        assert name.startswith("__Host-"), name
        assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/"), name
        assert (cookie["domain"], cookie["samesite"]) == ("", "Lax"), name
