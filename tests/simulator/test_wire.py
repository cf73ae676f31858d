"""Headers, rights, pages, filters and limits: the simulator rejects what Procore would."""

import re
from datetime import datetime, timedelta

import pytest
import requests

from tests.procore import Procore
from tests.simulator.calls import Api, as_person, as_service
from tests.waiting import answer_has_arrived


@pytest.fixture
def service(procore: Procore) -> Api:
    return as_service(procore)


def rfis(project: int) -> str:
    return f"/rest/v1.0/projects/{project}/rfis"


def test_a_call_without_the_company_header_is_refused_and_recorded(service: Api) -> None:
    del service.session.headers["Procore-Company-Id"]
    answer = service.call("GET", rfis(service.procore.projects()[0]))
    assert answer.status_code == 400
    assert "Missing Procore-Company-Id header!" in answer.text
    assert [v["kind"] for v in service.procore.violations()] == ["missing_company_header"]


def test_the_service_account_sees_only_permitted_projects_and_installed_companies(
    service: Api,
) -> None:
    procore = service.procore
    first, second, *_ = procore.projects()
    procore.control("installs", company_id=procore.company_id, permitted_projects=[first])
    path = f"/rest/v1.1/projects?company_id={procore.company_id}"
    assert [row["id"] for row in service.call("GET", path).json()] == [first]
    assert service.call("GET", rfis(second)).status_code == 404
    companies = {row["id"] for row in service.call("GET", "/rest/v1.0/companies").json()}
    assert companies == {procore.company_id, procore.neighbour_id}


def test_an_update_of_the_app_clears_its_permitted_projects(service: Api) -> None:
    procore = service.procore
    procore.control("installs", company_id=procore.company_id, update="1.1.0")
    path = f"/rest/v1.1/projects?company_id={procore.company_id}"
    assert service.call("GET", path).json() == []
    installs = f"/rest/v1.0/app_installations?company_id={procore.company_id}"
    assert service.call("GET", installs).json()[0]["semantic_version"] == "1.1.0"


def test_after_an_uninstall_every_call_says_not_connected_and_is_recorded(service: Api) -> None:
    procore = service.procore
    procore.control("installs", company_id=procore.company_id, permitted_projects=None)
    path = f"/rest/v1.1/projects?company_id={procore.company_id}"
    answer = service.call("GET", path)
    assert answer.status_code == 403
    assert "not connected" in answer.text
    assert procore.violations() == []  # nobody could know before the first answer
    answer_has_arrived()
    service.call("GET", path)
    assert [v["kind"] for v in procore.violations()] == ["not_connected"]


def test_people_see_their_own_projects_and_tools_and_the_rest_is_absent(procore: Procore) -> None:
    engineer = as_person(procore, "engineer")
    first, _, third, *_ = procore.projects()
    assert engineer.call("GET", rfis(first)).ok
    assert engineer.call("GET", rfis(third)).status_code == 404
    assert engineer.call("GET", f"/rest/v1.0/budget_views?project_id={first}").status_code == 403
    elsewhere = as_person(procore, "engineer", procore.neighbour_id)
    elsewhere.session.headers["Procore-Company-Id"] = str(procore.company_id)
    assert elsewhere.call("GET", rfis(first)).status_code == 403


def test_pages_link_to_each_other_and_count_correctly(service: Api) -> None:
    path = rfis(service.procore.projects()[0])
    whole = service.call("GET", path, params={"per_page": 5000})
    assert whole.headers["Per-Page"] == "2000"  # cut, visibly
    total = int(whole.headers["Total"])
    found, address = [], f"{path}?per_page=7"
    while address:
        answer = service.call("GET", address)
        found += [row["id"] for row in answer.json()]
        link = re.search(r'<[^>]*?(/rest[^>]*)>; rel="next"', answer.headers["Link"])
        address = link[1] if link else ""
    assert found == [row["id"] for row in whole.json()]
    assert len(found) == total


def test_a_row_deleted_between_two_pages_shifts_them(service: Api) -> None:
    procore = service.procore
    project = procore.projects()[0]
    path, params = rfis(project), {"per_page": 5}
    before = [row["id"] for row in service.call("GET", path).json()]
    first = service.call("GET", path, params={**params, "page": 1}).json()
    procore.control(f"projects/{project}/rfis/{first[0]['id']}", delete=True)
    second = service.call("GET", path, params={**params, "page": 2}).json()
    assert second[0]["id"] == before[6]  # the sixth record was never shown


def test_version_2_wraps_its_lists_and_gives_ids_as_texts_and_a_hundred_at_most(
    procore: Procore,
) -> None:
    admin = as_person(procore, "admin")
    path = f"/rest/v2.0/companies/{procore.company_id}/webhooks/hooks"
    answer = admin.call("GET", path, params={"per_page": 2000})
    assert answer.headers["Per-Page"] == "100"
    assert all(isinstance(row["id"], str) for row in answer.json()["data"])
    refused = admin.call("POST", path, json={"namespace": "Not Allowed"})
    assert set(refused.json()["error"]) == {"code", "message", "details"}


def test_the_change_filter_is_inclusive_at_both_ends_to_the_second(service: Api) -> None:
    path = rfis(service.procore.projects()[0])
    row = service.call("GET", path).json()[3]
    second = datetime.fromisoformat(row["updated_at"]).replace(microsecond=0)

    def between(begin: datetime, end: datetime) -> list[int]:
        text = "...".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (begin, end))
        answer = service.call("GET", path, params={"filters[updated_at]": f'"{text}"'})
        return [found["id"] for found in answer.json()]

    assert row["id"] in between(second, second)
    assert row["id"] not in between(second + timedelta(seconds=1), second + timedelta(seconds=2))
    assert service.call("GET", path, params={"filters[updated_at]": "soon"}).status_code == 400


def test_an_unlisted_filter_is_ignored_silently(service: Api) -> None:
    path = f"/rest/v1.0/budget_views?project_id={service.procore.projects()[0]}"
    filtered = service.call("GET", path + "&filters[updated_at]=2001-01-01")
    assert filtered.json() == service.call("GET", path).json()


def test_lists_sort_as_asked(service: Api) -> None:
    project = service.procore.projects()[0]
    contracts = f"/rest/v1.0/work_order_contracts?project_id={project}&sort=-updated_at"
    stamps = [row["updated_at"] for row in service.call("GET", contracts).json()]
    assert stamps == sorted(stamps, reverse=True)
    sort = {"sort[attribute]": "due_date", "sort[direction]": "desc"}
    dues = [
        row.get("due_date", "") for row in service.call("GET", rfis(project), params=sort).json()
    ]
    assert dues == sorted(dues, reverse=True)


def test_deleted_records_are_shown_only_to_those_who_ask(service: Api) -> None:
    procore = service.procore
    project = procore.projects()[0]
    path = f"/rest/v1.1/change_events?project_id={project}"
    event = service.call("GET", path).json()[1]["id"]
    procore.control(f"projects/{project}/change_events/{event}", delete=True)

    def ids(mode: str) -> list[int]:
        params = {"filters[include_deleted]": mode} if mode else {}
        return [row["id"] for row in service.call("GET", path, params=params).json()]

    assert event not in ids("")
    assert event in ids("with")
    assert ids("only") == [event]
    rfi = service.call("GET", rfis(project)).json()[0]["id"]
    procore.control(f"projects/{project}/rfis/{rfi}", delete=True)
    bin_ = service.call("GET", rfis(project) + "/recycle_bin").json()
    assert rfi in [row["id"] for row in bin_]


def test_the_nearer_limit_is_told_and_beyond_it_a_call_is_refused(service: Api) -> None:
    procore = service.procore
    procore.control("rates", per_hour=1000, per_spike=3)
    path = rfis(procore.projects()[0])
    answers = [service.call("GET", path) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].headers["X-Rate-Limit-Limit"] == "3"
    assert refused
    assert int(refused[0].headers["Retry-After"]) <= 10
    procore.control("rates", per_hour=2, per_spike=1000)
    for _ in range(3):
        service.call("GET", path)
    answer_has_arrived()
    service.call("GET", path)
    kinds = {violation["kind"] for violation in procore.violations()}
    assert kinds >= {"over_rate_limit", "before_retry_after"}


def test_operations_that_procore_does_not_list_or_has_replaced_are_recorded(service: Api) -> None:
    assert service.call("GET", "/rest/v1.0/internal/secrets").status_code == 404
    assert service.call("GET", "/rest/v1.0/webhooks/hooks").status_code == 404
    kinds = [violation["kind"] for violation in service.procore.violations()]
    assert kinds == ["private_operation", "superseded_operation"]


def test_every_record_has_a_field_that_nobody_documented_and_ids_above_32_bits(
    service: Api,
) -> None:
    row = service.call("GET", rfis(service.procore.projects()[0])).json()[0]
    assert row["x_unlisted"] == {"note": None}
    assert row["id"] > 2**32


def levels(api: Api, project: int | None = None) -> dict[str, str]:
    query = {"project_id": project} if project else {"company_id": api.company_id}
    tools = api.call("GET", "/rest/v1.0/settings/permissions", params=query).json()["tools"]
    return {tool["name"]: tool["user_access_level"]["name"] for tool in tools}


def test_the_lower_of_manifest_and_template_is_what_a_service_account_may(service: Api) -> None:
    procore = service.procore
    first, second, *_ = procore.projects()
    place = {"company_id": procore.company_id}
    procore.control("service-account", **place, template={"project": {"rfis": "none"}})
    assert levels(service, first)["rfis"] == "read_only"  # a member from before
    procore.control("service-account", **place, rejoin=[first])
    assert levels(service, first)["rfis"] == "none"
    assert service.call("GET", rfis(first)).status_code == 403
    assert service.call("GET", rfis(second)).ok
    procore.control("service-account", **place, manifest={"company": {"directory": "none"}})
    assert levels(service)["directory"] == "none"
    users = f"/rest/v1.3/companies/{procore.company_id}/users"
    assert service.call("GET", users).status_code == 403
    installs = f"/rest/v1.0/app_installations?company_id={procore.company_id}"
    assert "updatable_app_version_id" in service.call("GET", installs).json()[0]
    procore.control("installs", company_id=procore.company_id, update="1.1.0")
    assert levels(service)["directory"] == "read_only"
    assert "updatable_app_version_id" not in service.call("GET", installs).json()[0]


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ({}, 200),
        ({"granular": []}, 403),
        ({"granular": [], "project": {"budget": "standard"}}, 403),
        ({"granular": [], "project": {"budget": "admin"}}, 200),
    ],
)
def test_a_service_account_writes_a_budget_as_admin_or_by_the_granular_permission(
    service: Api, rights: dict[str, object], status: int
) -> None:
    procore = service.procore
    project = procore.projects()[1]
    place = {"company_id": procore.company_id}
    procore.control("service-account", **place, manifest=rights, template=rights, rejoin=[project])
    line = procore.records(project, "budget_line_items")[0]
    body = {
        "project_id": project,
        "budget_line_items": [{"id": line["id"], "wbs_code_id": line["wbs_code_id"]}],
    }
    answer = service.call("POST", "/rest/v1.0/budget_line_items/sync", json=body)
    assert answer.status_code == status, answer.text


def test_a_revoked_token_may_be_used_until_a_refusal_was_heard(service: Api) -> None:
    procore = service.procore
    path = rfis(procore.projects()[0])
    procore.control("tokens", revoke_app=True)
    procore.control("faults", kind="reset_after", path=path)
    with pytest.raises(requests.ConnectionError):
        service.call("GET", path)
    answer_has_arrived()
    assert service.call("GET", path).status_code == 401  # the first answer was lost
    assert procore.violations() == []
    answer_has_arrived()
    assert service.call("GET", path).status_code == 401
    assert [v["kind"] for v in procore.violations()] == ["replaced_token"]
