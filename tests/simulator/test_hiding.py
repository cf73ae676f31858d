"""Lists that hide existing records: pages, counts and single records agree with each other."""

from typing import Any

import pytest

from tests.procore import Procore
from tests.simulator.calls import Api, as_person, as_service


@pytest.fixture
def service(procore: Procore) -> Api:
    return as_service(procore)


def rfis(service: Api, **query: Any) -> Any:
    path = f"/rest/v1.0/projects/{service.procore.projects()[0]}/rfis"
    return service.call("GET", path, params=query)


def hide(procore: Procore, path: str, **rule: Any) -> None:
    procore.control("hiding", rules=[{"path": path, **rule}])


def test_a_shorter_list_is_as_short_in_its_count_and_shows_the_others_by_id(service: Api) -> None:
    before = {row["id"] for row in rfis(service, per_page=2000).json()}
    hide(service.procore, "*/rfis", keep=0.5)
    answer = rfis(service, per_page=2000)
    after = {row["id"] for row in answer.json()}
    assert 0 < len(after) < len(before)
    assert rfis(service, per_page=1).headers["Total"] == str(len(after))
    gone = min(before - after)
    path = f"/rest/v1.0/projects/{service.procore.projects()[0]}/rfis/{gone}"
    assert service.call("GET", path).json()["id"] == gone
    hide(service.procore, "*/rfis", keep=0.5, by_id=True)
    assert service.call("GET", path).status_code == 404


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_list_is_no_violation_however_often_it_is_asked_for(
    service: Api, status: int
) -> None:
    hide(service.procore, "*/rfis", status=status)
    assert [rfis(service).status_code for _ in range(2)] == [status, status]
    assert service.procore.violations() == []
    service.procore.control("hiding", rules=[])
    assert rfis(service).ok


def test_without_permission_a_list_may_be_empty_and_its_records_missing(procore: Procore) -> None:
    procore.control("service-tools", tools=["submittals"])
    procore.wild("empty_without_permission")
    service = as_service(procore)
    assert rfis(service).json() == []
    project = procore.projects()[0]
    one = procore.records(project, "rfis")[0]["id"]
    assert service.call("GET", f"/rest/v1.0/projects/{project}/rfis/{one}").status_code == 404


def test_a_company_list_covers_the_region_of_its_header(procore: Procore) -> None:
    procore.wild("regions_apart")
    token = procore.tokens(grant_type="client_credentials")["access_token"]
    found = {}
    for company in (procore.company_id, procore.neighbour_id):
        rows = Api(procore, token, company).call("GET", "/rest/v1.0/companies").json()
        found[company] = [row["id"] for row in rows]
    assert found == {key: [key] for key in found}
    service = Api(procore, token)
    del service.session.headers["Procore-Company-Id"]
    assert [row["id"] for row in service.call("GET", "/rest/v1.0/companies").json()] == [
        procore.company_id
    ]
    both = as_person(procore, "admin").call("GET", "/rest/v1.0/companies").json()
    assert procore.company_id in {row["id"] for row in both}
