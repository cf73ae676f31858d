"""Installing: who may, for which company, and what everybody else reads."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from integrations.procore.sync.models import DueWork
from partner_app.audit.models import AuditEvent
from partner_app.connections.discover import discover
from partner_app.connections.models import Connection
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company
from tests.frame import Frame, text_of
from tests.natures import both_natures
from tests.procore import Procore


def kinds(company_id: int) -> set[str]:
    with tenant(company_id):
        return set(Connection.objects.values_list("kind", flat=True))


@both_natures
def test_an_administrator_connects_and_the_first_sync_is_due(frame: Frame) -> None:
    page = frame.connect()
    assert "Halden Bay Builders" in text_of(page)
    answer = frame.choose(frame.company_id)
    assert "is connected" in text_of(answer)
    company = Company.objects.get(id=frame.company_id)
    assert company.state == "active"
    assert DueWork.objects.filter(company=company).exists()
    assert kinds(company.id) == {"service", "viewer"}
    assert AuditEvent.objects.filter(event="company.connected", company_id=company.id).exists()
    session = frame.exchange(frame.code_in(answer))
    assert session.status_code == 200


@both_natures
def test_without_a_service_account_the_administrators_own_authorisation_serves(
    procore: Procore,
) -> None:
    procore.control(
        "installs", company_id=procore.company_id, permitted_projects="all", service_account=False
    )
    frame = Frame(procore, procore.company_id)
    frame.connect()
    frame.choose(frame.company_id)
    assert kinds(frame.company_id) == {"installer"}
    assert discover()["gone"] == 0


@both_natures
def test_the_direct_link_asks_for_nothing_but_consent(procore: Procore) -> None:
    browser = Client()
    start = browser.get("/install/")
    assert "What is read and kept" in text_of(start)
    frame = Frame(procore, procore.company_id, popup=browser)
    address = str(browser.post("/install/")["Location"])
    answer = frame.callback(**procore.authorize(address, procore.person("admin")["id"]))
    assert answer["Location"] == "/install/choose/"  # away from the address that contains the code
    assert "is connected" in text_of(frame.choose(frame.company_id))


@both_natures
def test_somebody_who_is_no_administrator_is_told_who_can(frame: Frame) -> None:
    text = text_of(frame.connect("manager"))
    assert "no company here for which you can install" in text
    assert "you are not an administrator there" in text
    assert not Company.objects.exists()


@both_natures
def test_a_company_that_has_not_installed_the_app_in_procore_is_told_to_do_so(
    procore: Procore,
) -> None:
    frame = Frame(procore, procore.without_app_id)
    assert "not installed there in Procore yet" in text_of(frame.connect())


def test_a_deployment_for_one_company_serves_no_other(frame: Frame, settings: Any) -> None:
    only = frozenset({frame.procore.neighbour_id})
    settings.PROCORE = replace(settings.PROCORE, allowed_companies=only)
    assert "does not serve" in text_of(frame.connect())
    found = {row["id"] for row in discover()["installed"]}  # type: ignore[attr-defined]
    assert found == {frame.procore.neighbour_id}


def test_a_company_that_was_not_offered_cannot_be_forced(frame: Frame) -> None:
    frame.connect()
    answer = frame.choose(frame.procore.neighbour_id)
    assert answer.status_code == 403
    assert not Company.objects.exists()


def test_the_choice_is_made_once(frame: Frame) -> None:
    frame.connect()
    assert frame.choose(frame.company_id).status_code == 200
    assert frame.choose(frame.company_id).status_code == 400


def test_the_choice_needs_the_form_of_its_own_page(frame: Frame) -> None:
    frame.connect()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = frame.popup.cookies
    answer = strict.post("/install/choose/", {"company_id": frame.company_id})
    assert answer.status_code == 403
    assert not Company.objects.exists()


def test_discovery_connects_who_installed_and_marks_who_left(procore: Procore) -> None:
    found = discover()
    assert found["new"] == 2
    assert discover()["new"] == 0
    procore.control("installs", company_id=procore.neighbour_id, permitted_projects=None)
    assert discover()["gone"] == 1
    assert Company.objects.get(id=procore.neighbour_id).state == "grace"
    procore.control("installs", company_id=procore.neighbour_id, permitted_projects="all")
    assert discover()["new"] == 1
    assert Company.objects.get(id=procore.neighbour_id).state == "active"
    assert procore.violations() == []


@pytest.mark.parametrize("path", ["/", "/install/", "/help/", "/support/", "/privacy/", "/terms/"])
def test_public_pages_open_for_anybody_and_refuse_to_be_framed(database: None, path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_an_unknown_address_says_so_with_a_way_back(database: None) -> None:
    answer = Client().get("/nowhere/")
    assert answer.status_code == 404
    assert "This page does not exist" in text_of(answer)
