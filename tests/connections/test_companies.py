"""A company missing from a list is gone only when its own record says so."""

from contextlib import suppress
from typing import Any

import pytest

from integrations.procore.api.errors import NotConnected, NotConnectedOnce, ProcoreError
from integrations.procore.resources.rfis import Rfi
from integrations.procore.sync.models import SyncRun
from integrations.procore.sync.services import sync_now
from integrations.procore.sync.tasks import housekeeping
from partner_app.connections.access import app_client, service_listed
from partner_app.connections.discover import discover
from partner_app.core import clock
from partner_app.settings import Doubt
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company
from tests.procore import Procore

LIST = "/rest/v1.0/companies"
REFUSAL = '{"errors": "App is not connected to this company"}'


def states() -> dict[int, str]:
    return dict(Company.objects.values_list("id", "state"))


def asked(procore: Procore) -> list[int | None]:
    return [call["company_id"] for call in procore.ledger() if call["path"] == LIST]


def test_companies_of_other_regions_are_found_by_their_own_header(
    company: int, procore: Procore
) -> None:
    before = states()
    procore.wild("regions_apart")
    answer = discover()
    assert states() == before
    assert answer["gone"] == 0
    assert {row["id"] for row in answer["installed"]} == set(before)  # type: ignore[attr-defined]
    procore.control("clear", all=True)
    assert discover()["gone"] == 0
    assert asked(procore) == [None]  # the answer to the company's header is cached
    assert procore.violations() == []


def test_a_company_of_another_region_that_left_is_closed(company: int, procore: Procore) -> None:
    procore.wild("regions_apart")
    procore.control("installs", company_id=procore.neighbour_id, permitted_projects=None)
    assert discover()["gone"] == 1
    assert states() == {company: "active", procore.neighbour_id: "grace"}
    assert discover()["gone"] == 0
    assert procore.violations() == []


WRONG: dict[str, dict[str, Any]] = {
    "empty": {"kind": "body", "status": 200, "body": "[]"},
    "enveloped and empty": {"kind": "body", "status": 200, "body": '{"data": []}'},
    "html": {"kind": "html", "status": 200},
    "null": {"kind": "body", "status": 200, "body": "null"},
    "an object": {"kind": "body", "status": 200, "body": '{"errors": "none"}'},
    "text": {"kind": "body", "status": 200, "body": '["none"]'},
    "not found": {"kind": "status", "status": 404},
    "forbidden": {"kind": "status", "status": 403},
    "header wanted": {"kind": "status", "status": 400},
    "trouble": {"kind": "status", "status": 503},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_list_closes_nobody(company: int, procore: Procore, name: str) -> None:
    before = states()
    procore.control("faults", path=LIST, times=100, **WRONG[name])
    with suppress(ProcoreError):
        assert discover()["gone"] == 0
    assert states() == before
    procore.control("clear-faults", all=True)
    assert discover()["gone"] == 0
    assert procore.violations() == []


def test_a_list_in_an_envelope_is_read(company: int, procore: Procore) -> None:
    procore.wild("lists_under_data")
    assert len(discover()["installed"]) == 2  # type: ignore[arg-type]


def test_a_few_at_most_are_closed_in_one_pass(
    company: int, procore: Procore, settings: Any
) -> None:
    settings.DOUBT = Doubt(share=20, floor=5, close_at_most=1)
    for each in (company, procore.neighbour_id):
        procore.control("installs", company_id=each, permitted_projects=None)
    assert discover()["gone"] == 1
    assert sorted(states().values()) == ["active", "grace"]
    assert discover()["gone"] == 1
    assert set(states().values()) == {"grace"}
    assert procore.violations() == []


def test_a_company_that_comes_back_has_its_state_its_connection_and_its_data(
    synced: int, procore: Procore
) -> None:
    with tenant(synced):
        rows = Rfi.objects.filter(company_id=synced).count()
    procore.control("installs", company_id=synced, permitted_projects=None)
    assert discover()["gone"] == 1
    housekeeping()
    procore.control("installs", company_id=synced, permitted_projects="all")
    discover()
    company = Company.objects.get(id=synced)
    assert (company.state, company.purge_after) == ("active", None)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    with tenant(synced):
        assert Rfi.objects.filter(company_id=synced).count() == rows


def test_not_connected_is_confirmed_before_a_company_is_closed(
    synced: int, procore: Procore
) -> None:
    path = "/rest/v1.1/projects"
    procore.control("faults", kind="body", status=403, body=REFUSAL, path=path, times=1)
    with pytest.raises(NotConnectedOnce):
        sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert states()[synced] == "active"
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert SyncRun.objects.filter(company_id=synced).latest("started_at").state == "done"
    procore.control("installs", company_id=synced, permitted_projects=None)
    with pytest.raises(NotConnected):
        sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert states()[synced] == "grace"
    assert procore.violations() == []


def test_a_company_that_is_not_connected_is_asked_once(company: int, procore: Procore) -> None:
    assert not service_listed(procore.without_app_id)
    procore.control("clear", all=True)
    assert not service_listed(procore.without_app_id)
    assert asked(procore) == [None]
    assert app_client(company).get(LIST)
