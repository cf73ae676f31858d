"""A sign-in in the frame: one-time values work once, and each error has its message."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from partner_app.connections.models import SignInAttempt
from partner_app.core import clock
from partner_app.embedded.models import EmbeddedSession, SignInCode
from tests.frame import Frame, text_of
from tests.natures import both_natures
from tests.procore import Procore


def refused(answer: Any, status: int, words: str) -> None:
    assert answer.status_code == status
    assert words in text_of(answer)


def person(procore: Procore, role: str = "admin") -> int:
    return int(procore.person(role)["id"])


def test_the_shell_is_the_same_for_everybody_and_sets_no_cookie(synced: int) -> None:
    answer = Client().get("/embedded/", {"company_id": synced, "project_id": 1})
    assert answer.status_code == 200
    assert not answer.cookies
    assert "Halden Bay" not in text_of(answer)


@both_natures
def test_a_viewer_of_a_connected_company_gets_a_session(synced: int, frame: Frame) -> None:
    answer = frame.come_back(person(frame.procore))
    session = frame.exchange(frame.code_in(answer))
    assert session.json()["viewer"] == "Company Admin"
    assert session.json()["company"] == "Halden Bay Builders"
    assert not session.cookies


def test_the_code_is_good_once_and_only_for_the_nonce_of_its_frame(
    synced: int, frame: Frame
) -> None:
    code = frame.code_in(frame.come_back(person(frame.procore)))
    assert frame.exchange(code, nonce="f" * 64).status_code == 400
    # A wrong nonce has used up the code: nobody guesses twice.
    assert frame.exchange(code).status_code == 400
    code = frame.code_in(frame.come_back(person(frame.procore)))
    assert frame.exchange(code).status_code == 200
    assert frame.exchange(code).status_code == 400


def test_the_code_lives_two_minutes(synced: int, frame: Frame) -> None:
    code = frame.code_in(frame.come_back(person(frame.procore)))
    SignInCode.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert frame.exchange(code).status_code == 400


def test_a_state_that_was_not_issued_here_is_refused(database: None, frame: Frame) -> None:
    refused(frame.callback(state="made-up", code="x"), 400, "was not started here")


def test_a_state_is_used_once(synced: int, frame: Frame) -> None:
    query = frame.procore.authorize(frame.to_procore(), person(frame.procore))
    assert frame.callback(**query).status_code == 200
    refused(frame.callback(**query), 400, "was already used")


def test_a_state_expires(synced: int, frame: Frame) -> None:
    query = frame.procore.authorize(frame.to_procore(), person(frame.procore))
    SignInAttempt.objects.update(created_at=clock.now() - timedelta(minutes=11))
    refused(frame.callback(**query), 400, "has expired")


def test_a_state_belongs_to_the_browser_that_began(synced: int, frame: Frame) -> None:
    query = frame.procore.authorize(frame.to_procore(), person(frame.procore))
    frame.popup = Client()
    refused(frame.callback(**query), 400, "another browser")


def test_refused_consent_changes_nothing_and_says_so(procore: Procore) -> None:
    frame = Frame(procore, procore.without_app_id)
    stranger = procore.person("manager", procore.without_app_id)["id"]
    answer = frame.come_back(stranger, decision="deny")
    refused(answer, 403, "You did not allow Tieback")
    assert not EmbeddedSession.objects.exists()


@both_natures
def test_somebody_of_another_company_gets_no_session(synced: int, frame: Frame) -> None:
    stranger = frame.procore.person("admin", frame.procore.neighbour_id)["id"]
    refused(frame.come_back(stranger), 403, "are not in this company")


@pytest.mark.parametrize("kind", ["reset_before", "status", "html"])
def test_when_procore_is_down_the_page_says_so_and_what_to_do(
    synced: int, frame: Frame, kind: str
) -> None:
    query = frame.procore.authorize(frame.to_procore(), person(frame.procore))
    frame.procore.control(
        "faults", kind=kind, method="POST", path="/oauth/token", times=9, status=503
    )
    answer = frame.callback(**query)
    assert answer.status_code == 502
    assert "Try again" in text_of(answer)


def test_a_session_ends_after_silence_and_after_half_a_day(admin: Frame) -> None:
    EmbeddedSession.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    refused(admin.get("/embedded/home/"), 401, "Please sign in")
    later = clock.now() + timedelta(hours=1)
    EmbeddedSession.objects.update(
        expires_at=later, created_at=clock.now() - timedelta(hours=12, seconds=1)
    )
    assert admin.get("/embedded/home/").status_code == 401


@both_natures
def test_a_session_slides_while_it_is_used(admin: Frame) -> None:
    EmbeddedSession.objects.update(expires_at=clock.now() + timedelta(minutes=5))
    assert admin.get("/embedded/progress/").status_code == 200
    assert EmbeddedSession.objects.get().expires_at > clock.now() + timedelta(minutes=25)


def test_signing_out_ends_the_session_at_once(admin: Frame) -> None:
    assert admin.post("/embedded/sign-out/").status_code == 204
    assert admin.get("/embedded/home/").status_code == 401


@pytest.mark.parametrize("path", ["home/", "progress/", "projects/1/", "projects/1/budget/"])
def test_without_a_bearer_nothing_is_shown(synced: int, path: str) -> None:
    for header in ({}, {"authorization": "Bearer guess"}, {"authorization": "Basic x"}):
        assert Client(headers=header).get(f"/embedded/{path}").status_code == 401
