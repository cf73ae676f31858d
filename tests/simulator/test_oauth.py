"""OAuth like Procore's: exact redirect URI, everything used once, strict rotation."""

import pytest
import requests

from tests.procore import PATIENCE, Procore


def code_of(procore: Procore, **changes: str) -> str:
    person = procore.person("admin")["id"]
    return procore.authorize(procore.authorization_address(**changes), person)["code"]


def redeem(procore: Procore, code: str, **changes: str) -> requests.Response:
    form = {"code": code, "redirect_uri": procore.redirect_uri, **changes}
    return procore.token_answer(grant_type="authorization_code", **form)


def refresh(procore: Procore, token: str) -> requests.Response:
    return procore.token_answer(
        grant_type="refresh_token", refresh_token=token, redirect_uri=procore.redirect_uri
    )


@pytest.mark.parametrize("ending", ["/", "?x=1", "x"])
def test_a_redirect_address_that_differs_by_one_character_is_refused(
    procore: Procore, ending: str
) -> None:
    address = procore.authorization_address(redirect_uri=procore.redirect_uri + ending)
    assert requests.get(address, timeout=PATIENCE).status_code == 400


def test_the_state_comes_back_untouched_and_consent_can_be_refused(procore: Procore) -> None:
    person = procore.person("admin")["id"]
    address = procore.authorization_address(state="a b&c=d/é")
    assert procore.authorize(address, person)["state"] == "a b&c=d/é"
    stranger = procore.person("admin", procore.without_app_id)["id"]
    refused = procore.authorize(address, stranger, decision="deny")
    assert refused == {"error": "access_denied", "state": "a b&c=d/é"}


def test_a_code_is_good_once_for_its_own_redirect_address_and_ten_minutes(procore: Procore) -> None:
    code = code_of(procore)
    answer = redeem(procore, code)
    assert answer.json()["expires_in"] == 5400
    assert len(answer.json()["access_token"]) > 1000
    assert redeem(procore, code).json()["error"] == "invalid_grant"
    elsewhere = redeem(procore, code_of(procore), redirect_uri="http://localhost/")
    assert elsewhere.json()["error"] == "invalid_grant"
    late = code_of(procore)
    procore.control("clock", skew_seconds=601)
    assert redeem(procore, late).json()["error"] == "invalid_grant"


def test_a_code_asked_for_with_a_challenge_needs_its_verifier(procore: Procore) -> None:
    challenge = {
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }  # RFC 7636, appendix B
    assert redeem(procore, code_of(procore, **challenge)).status_code == 401
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert redeem(procore, code_of(procore, **challenge), code_verifier=verifier).ok


def test_a_refresh_token_dies_at_its_first_use_and_a_second_is_recorded(procore: Procore) -> None:
    first = redeem(procore, code_of(procore)).json()
    second = refresh(procore, first["refresh_token"])
    assert second.ok
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert procore.violations() == []
    assert refresh(procore, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert [violation["kind"] for violation in procore.violations()] == ["reused_refresh_token"]


def test_a_refresh_whose_answer_is_lost_has_spent_the_token(procore: Procore) -> None:
    first = redeem(procore, code_of(procore)).json()
    procore.control("faults", kind="reset_after", method="POST", path="/oauth/token")
    with pytest.raises(requests.ConnectionError):
        refresh(procore, first["refresh_token"])
    assert refresh(procore, first["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_ends_both_tokens_and_is_always_answered_200(procore: Procore) -> None:
    tokens = redeem(procore, code_of(procore)).json()
    keys = {name: procore.announcement[name] for name in ("client_id", "client_secret")}
    login = procore.announcement["login"]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert requests.get(f"{login}/oauth/token/info", headers=bearer, timeout=PATIENCE).ok
    for token in (tokens["access_token"], "never issued"):
        form = {**keys, "token": token}
        assert requests.post(f"{login}/oauth/revoke", data=form, timeout=PATIENCE).ok
    info = requests.get(f"{login}/oauth/token/info", headers=bearer, timeout=PATIENCE)
    assert info.status_code == 401
    assert refresh(procore, tokens["refresh_token"]).status_code == 401


def test_client_credentials_give_no_refresh_token_and_a_wrong_secret_nothing(
    procore: Procore,
) -> None:
    assert "refresh_token" not in procore.tokens(grant_type="client_credentials")
    wrong = procore.token_answer(grant_type="client_credentials", client_secret="guessed")
    assert wrong.json()["error"] == "invalid_client"


def test_the_sign_in_page_cannot_be_framed(procore: Procore) -> None:
    answer = requests.get(procore.authorization_address(), timeout=PATIENCE)
    assert answer.headers["X-Frame-Options"] == "DENY"
