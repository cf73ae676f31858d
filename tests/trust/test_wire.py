"""Headers, framing, limits, forms and redirects: each attack is blocked."""

from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from partner_app.accounts.models import Role
from partner_app.audit.models import AuditEvent
from partner_app.core import limits
from tests.accounts.test_admins import signed_in
from tests.frame import Frame, text_of
from tests.procore import Procore

PAGES = (
    "/", "/install/", "/help/", "/accounts/login/", "/dashboard/", "/nowhere/", "/healthz",
    "/readyz", "/oauth/callback/", "/static/nothing.css",
)  # fmt: skip
FRAMED = ("/embedded/", "/embedded/panel/", "/embedded/home/")


@pytest.mark.parametrize("path", [*PAGES, *FRAMED])
def test_every_answer_carries_the_security_headers(database: None, path: str) -> None:
    answer = Client().get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    ancestors = policy.split("frame-ancestors ")[1]
    if path in FRAMED:
        assert ancestors == " ".join(settings.FRAME_ANCESTORS)
        assert "X-Frame-Options" not in answer
    else:
        assert ancestors == "'none'"
        assert answer["X-Frame-Options"] == "DENY"


def test_pages_of_the_sign_in_keep_their_opener_and_all_others_cut_it(database: None) -> None:
    """Otherwise the pop-up could not reach the frame; elsewhere an opener could navigate ours."""
    for path in ("/embedded/sign-in/", "/oauth/callback/", "/install/choose/"):
        assert "Cross-Origin-Opener-Policy" not in Client().get(path)
    for path in ("/", "/dashboard/", "/accounts/login/", "/help/"):
        assert Client().get(path)["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "goal", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_redirected_elsewhere_after_a_sign_in(database: None, goal: str) -> None:
    browser = signed_in(Role.VIEWER)
    browser.post("/accounts/logout/")
    body = {"login": "ann-example", "password": "correct-horse-battery", "next": goal}
    answer = Client().post("/accounts/login/", body)
    assert "evil" not in answer.get("Location", "")
    assert "javascript" not in answer.get("Location", "")


def test_procores_sign_in_page_is_the_only_place_that_the_pop_up_is_sent_to(
    procore: Procore,
) -> None:
    hostile = {"company_id": "1", "nonce": "n" * 32, "next": "https://evil.example/"}
    answer = Client().get("/embedded/sign-in/", hostile)
    assert answer["Location"].startswith(settings.PROCORE.login_url + "/oauth/authorize?")
    assert "evil" not in answer["Location"]


def test_a_form_from_elsewhere_is_refused(synced: int) -> None:
    strict = Client(enforce_csrf_checks=True)
    for path in (
        "/install/",
        "/install/choose/",
        "/oauth/confirm/",
        "/accounts/login/",
        f"/dashboard/tenants/{synced}/do/resync/",
    ):
        assert strict.post(path, {}).status_code == 403, path


def test_a_cookie_is_no_key_to_the_frame(admin: Frame) -> None:
    """A forged request cannot use a cookie: only the header signs in."""
    browser = Client()
    browser.cookies["sessionid"] = admin.bearer
    browser.cookies["authorization"] = f"Bearer {admin.bearer}"
    assert browser.get("/embedded/home/").status_code == 401
    assert browser.post("/embedded/settings/grace/", {"days": "0"}).status_code == 401


def test_a_body_that_is_too_large_is_refused_unread(database: None) -> None:
    body = {"code": "x" * (2 * 1024 * 1024), "nonce": "n" * 32}
    answer = Client().post(
        "/embedded/session/", "&".join(f"{k}={v}" for k, v in body.items()),
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    assert answer.status_code == 413
    assert "too large" in text_of(answer)


def test_an_address_that_asks_too_often_waits(database: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "BY_ADDRESS", "5/m")
    browser = Client()
    answers = [browser.post("/embedded/pairing/", {"nonce": "n" * 32}) for _ in range(8)]
    assert [a.status_code for a in answers].count(429) >= 2
    assert "Too many requests" in text_of(answers[-1])
    other = Client(REMOTE_ADDR="10.1.2.3")
    assert other.post("/embedded/pairing/", {"nonce": "n" * 32}).status_code == 200


def test_a_company_that_asks_too_often_waits_and_its_neighbour_does_not(
    admin: Frame, monkeypatch: Any
) -> None:
    monkeypatch.setattr(limits, "BY_COMPANY", "3/m")
    answers = [admin.get("/embedded/progress/").status_code for _ in range(5)]
    assert 429 in answers
    cache.clear()
    assert admin.get("/embedded/progress/").status_code == 200


def test_the_address_behind_our_proxy_is_the_one_that_it_wrote(database: None) -> None:
    """Without TLS in front there is no proxy, and the sender could put anything in the header."""
    Client().post("/accounts/login/", {"login": "x", "password": "y"},
                  headers={"x-forwarded-for": "6.6.6.6"})  # fmt: skip
    assert AuditEvent.objects.get(event="admin.refused").address == "127.0.0.1"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "bearer x", "Basic eDp5", "Bearer " + "x" * 5000]
)
def test_malformed_bearers_are_refused(synced: int, header: str) -> None:
    assert Client(headers={"authorization": header}).get("/embedded/home/").status_code == 401


def test_a_pairing_takes_five_tries_and_a_code_of_its_own_frame(
    synced: int, procore: Procore
) -> None:
    mine, attackers = Frame(procore, synced), Frame(procore, synced)
    shown = Client().post("/embedded/pairing/", {"nonce": attackers.nonce}).json()["code"]
    # The victim signs in for their own frame and is tricked into typing the attacker's code.
    person = procore.person("admin")["id"]
    code = mine.code_in(mine.come_back(person))
    answer = mine.popup.post("/oauth/confirm/", {"sign_in_code": code, "typed": shown})
    assert answer.status_code == 422
    collected = Client().post("/embedded/pairing/", {"nonce": attackers.nonce, "collect": "1"})
    assert collected.status_code == 204
    # In the right frame there are only five guesses.
    right = Client().post("/embedded/pairing/", {"nonce": mine.nonce}).json()["code"]
    for _ in range(5):
        wrong = {"sign_in_code": code, "typed": "AAAA-AAAA"}
        assert mine.popup.post("/oauth/confirm/", wrong).status_code == 422
    late = mine.popup.post("/oauth/confirm/", {"sign_in_code": code, "typed": right})
    assert late.status_code == 422


def test_a_pairing_opens_one_session_once(synced: int, procore: Procore) -> None:
    frame = Frame(procore, synced)
    typed = Client().post("/embedded/pairing/", {"nonce": frame.nonce}).json()["code"]
    code = frame.code_in(frame.come_back(procore.person("admin")["id"]))
    answer = frame.popup.post("/oauth/confirm/", {"sign_in_code": code, "typed": typed.lower()})
    assert answer.status_code == 200
    ask = {"nonce": frame.nonce, "collect": "1"}
    assert Client().post("/embedded/pairing/", ask).status_code == 200
    assert Client().post("/embedded/pairing/", ask).status_code == 204
    assert frame.exchange(code).status_code == 400  # the code is used up


def test_a_renewal_is_used_once_and_a_second_use_ends_the_whole_sign_in(
    synced: int, procore: Procore
) -> None:
    frame = Frame(procore, synced)
    code = frame.code_in(frame.come_back(procore.person("admin")["id"]))
    first = frame.exchange(code).json()
    second = Client().post("/embedded/renewal/", {"renewal": first["renewal"]}).json()
    frame.bearer = second["token"]
    assert frame.get("/embedded/progress/").status_code == 200
    frame.bearer = first["token"]
    assert frame.get("/embedded/progress/").status_code == 401
    stolen = Client().post("/embedded/renewal/", {"renewal": first["renewal"]})
    assert stolen.status_code == 401
    frame.bearer = second["token"]
    assert frame.get("/embedded/progress/").status_code == 401
