"""Calls of an hour by purpose, what waits, and a Retry-After that every caller respects."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import redis
from django.conf import settings
from django.test import Client

from integrations.procore.api.errors import RateLimited, ServerTrouble
from integrations.procore.sync.errors import Paused
from integrations.procore.sync.schedule import make_due
from integrations.procore.sync.services import run_due, sync_now
from integrations.procore.sync.status import status
from integrations.procore.sync.verify import verify
from integrations.procore.webhooks.hooks import reconcile
from partner_app.connections import rates
from partner_app.connections.access import app_client, company_lists, viewer_client
from partner_app.connections.purposes import CallPurpose, Waiting, Waits, spent, waits
from partner_app.connections.rates import calls_left
from partner_app.core import clock
from partner_app.embedded.entitlement import visible_projects
from partner_app.embedded.session import Viewer
from partner_app.insights.context import freshness
from tests.frame import Frame, text_of
from tests.procore import Procore

PROJECTS = "/rest/v1.1/projects"


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = replace(settings.PROCORE, calls_per_minute=6, calls_per_hour=8)
    monkeypatch.setattr(settings, "PROCORE", planned)


def calls(procore: Procore) -> int:
    return sum(call["path"].startswith("/rest/") for call in procore.ledger())


def test_calls_of_the_hour_are_counted_by_what_they_were_for(synced: int, procore: Procore) -> None:
    admin = Frame(procore, synced).sign_in("admin")
    before = spent(synced)
    assert before.calls["first_read"] > 50
    assert before.calls["discovery"] == 1
    reconcile(company_id=synced)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    verify(company_id=synced, wait=clock.wait_until)
    admin.get("/embedded/home/")
    after = spent(synced).calls
    assert {name for name, number in after.items() if number > before.calls[name]} >= {
        "hooks",
        "freshness",
        "proof",
        "people",
    }
    shown: dict[str, object] = status(synced)["companies"][0]  # type: ignore[index]
    assert shown["api_calls_last_hour"] == after
    assert shown["api_calls_waiting"] == []
    assert spent(procore.neighbour_id).calls["first_read"] == 0


@pytest.mark.usefixtures("plan")
def test_the_plan_holds_for_all_credentials_together_and_people_come_last_to_a_stop(
    company: int, procore: Procore
) -> None:
    """Six a minute: checks leave half of them, a first sync leaves the last one to people."""
    procore.control("clear", all=True)
    sync = app_client(company, CallPurpose.FIRST_READ)
    check = app_client(company, CallPurpose.FRESHNESS)
    with pytest.raises(RateLimited):
        [check.get(PROJECTS, company_id=company) for _ in range(9)]
    checked = calls(procore)
    with pytest.raises(RateLimited):
        [sync.get(PROJECTS, company_id=company) for _ in range(9)]
    synced = calls(procore)
    person = app_client(company)
    with pytest.raises(RateLimited) as caught:
        [person.get(PROJECTS, company_id=company) for _ in range(9)]
    # The first of the six connected the company.
    assert (checked, synced, calls(procore)) == (2, 4, 5)
    assert calls_left(company) == 0
    assert timedelta(seconds=40) < caught.value.until - clock.now() < timedelta(seconds=62)
    [waiting] = [each for each in waits(company).waiting if each.purpose == "first_read"]
    assert not waiting.hourly


@pytest.mark.parametrize("form", [{"as_date": True}, {}])
@pytest.mark.parametrize("code", [429, 503])
def test_a_retry_after_keeps_everybody_away_from_that_company(
    admin: Frame, procore: Procore, code: int, form: dict[str, bool]
) -> None:
    company = admin.company_id
    fault = {"kind": "status", "status": code, "path": "/rest/*", "retry_after": 2, **form}
    viewer = Viewer(company, procore.person("admin", company)["id"])
    procore.control("clear", all=True)
    procore.control("faults", **fault)
    with pytest.raises((RateLimited, ServerTrouble)) as caught:
        app_client(company, CallPurpose.FRESHNESS).get(PROJECTS, company_id=company)
    made, until = calls(procore), getattr(caught.value, "until", None)
    assert until is not None
    for client in (
        app_client(company),
        app_client(company, CallPurpose.HOOKS),
        app_client(company, CallPurpose.CHECK),
        viewer_client(company, viewer.remote_user_id, CallPurpose.PUSH),
    ):
        with pytest.raises(RateLimited) as barred:
            client.get(PROJECTS, company_id=company)
        assert barred.value.until == until
    assert calls(procore) == made
    assert waits(company).barred_until == until
    app_client(procore.neighbour_id).get(PROJECTS, company_id=procore.neighbour_id)
    company_lists()
    clock.wait_until(until)
    assert visible_projects(viewer)
    assert procore.violations() == []


@pytest.mark.usefixtures("plan")
def test_without_redis_each_process_keeps_to_a_part_of_the_plan(
    company: int, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app_client(company)
    monkeypatch.setattr(rates, "broker", lambda: redis.Redis(port=1))
    procore.control("clear", all=True)
    with pytest.raises(RateLimited):
        [client.get(PROJECTS, company_id=company) for _ in range(9)]
    assert calls(procore) == 1
    rates._alone.clear()


def test_work_that_waits_for_the_hour_says_until_when(synced: int, procore: Procore) -> None:
    hour = Waiting("freshness", clock.now() + timedelta(minutes=20), hourly=True)
    assert Waits([hour]).reading == hour
    assert (
        Waits([Waiting("freshness", clock.now() + timedelta(seconds=3), hourly=False)]).reading
        is None
    )
    assert Waits([Waiting("people", hour.until, hourly=True)]).reading is None
    bar = clock.now() + timedelta(minutes=2)
    assert Waits([hour], bar).reading == Waiting("", bar, hourly=False)
    assert freshness(synced)["waiting"] is None  # no sync is running


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Waiting for Procore’s hourly limit until"), ("fr", "En attente de la limite horaire")],
)
def test_the_freshness_mark_names_the_hours_limit(
    admin: Frame, procore: Procore, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    """The first sync used up the hour's calls, so the next one has to wait."""
    company = admin.company_id
    planned = replace(settings.PROCORE, calls_per_hour=20)
    monkeypatch.setattr(settings, "PROCORE", planned)
    make_due(company_id=company)
    with pytest.raises(Paused) as caught:
        run_due(company_id=company, wait=_leave)
    assert caught.value.until - clock.now() > timedelta(minutes=30)
    client = Client(
        headers={
            "authorization": f"Bearer {admin.bearer}",
            "hx-request": "true",
            "accept-language": language,
        }
    )
    found = text_of(client.get("/embedded/progress/"))
    assert words in found
    assert f"{caught.value.until:%H:%M} UTC" in found


def _leave(until: datetime) -> None:
    raise Paused(until)
