"""The service account's rights compared with those needed: each gap with cause and remedy."""

import json
from dataclasses import replace
from typing import Any

import pytest

from integrations.procore.api.asked import Tab, asked
from integrations.procore.api.manifest import read_manifest
from partner_app.connections.discover import discover
from partner_app.connections.first_day import first_day
from partner_app.connections.gaps import CAUSES, Cause, Right, rights_of
from partner_app.connections.leave import close_down_all
from partner_app.connections.rights import A_CHECK, check, known
from partner_app.core import clock
from tests.frame import Frame
from tests.procore import Procore

NO_RFIS = read_manifest({"tools": [{"name": "rfis", "user_access_level": {"name": "none"}}]})
PATH = "/rest/v1.0/settings/permissions"
LESS: dict[str, Any] = {"project": {"budget": "none"}}


def gaps(procore: Procore, company: int) -> list[Right]:
    check(company_id=company, mirrored=procore.projects())
    return [right for right in rights_of(known(company)) if right.cause]


def change(procore: Procore, **body: Any) -> None:
    procore.control("service-account", company_id=procore.company_id, **body)


def causes(found: list[Right]) -> set[Cause | None]:
    return {right.cause for right in found}


def test_with_all_that_is_asked_there_is_no_gap_on_either_tab(
    company: int, procore: Procore
) -> None:
    assert gaps(procore, company) == []
    found = rights_of(known(company))
    assert {right.asked.tab for right in found} == {*Tab}
    projects = {right.project_id for right in found} - {None}
    assert projects == {*procore.projects()}
    assert len(found) == sum(len(projects) if a.tab is Tab.PROJECT else 1 for a in asked())
    assert procore.violations() == []


def test_a_manifest_that_asks_for_less_is_no_template_that_gives_less(
    company: int, procore: Procore
) -> None:
    change(procore, manifest=LESS)
    found = gaps(procore, company)
    assert causes(found) == {Cause.MANIFEST}
    assert {(right.asked.tool, right.project_id) for right in found} == {
        ("Budget", project) for project in procore.projects()
    }
    assert {right.granted for right in found} == {"None"}
    procore.control("installs", company_id=company, update="1.1.0")
    procore.control("installs", company_id=company, permitted_projects="all")
    assert gaps(procore, company) == []
    change(procore, template=LESS, rejoin=procore.projects())
    found = gaps(procore, company)
    assert causes(found) == {Cause.TEMPLATE}
    assert "Budget: Read-Only, with “Create and Edit" in found[0].remedy_words()


def test_a_membership_older_than_the_template_is_named(company: int, procore: Procore) -> None:
    first, *others = procore.projects()
    change(procore, memberships={str(first): LESS})
    found = gaps(procore, company)
    assert [(right.project_id, right.cause) for right in found] == [(first, Cause.MEMBERSHIP)]
    procore.control("installs", company_id=company, permitted_projects=others)
    procore.control("installs", company_id=company, permitted_projects="all")
    assert gaps(procore, company) == []


def test_a_project_that_is_not_permitted_any_more_is_named_and_not_asked_about(
    synced: int, procore: Procore
) -> None:
    first, *others = procore.projects()
    procore.control("installs", company_id=synced, permitted_projects=others)
    check(company_id=synced, mirrored=[first, *others])
    found = [right for right in rights_of(known(synced)) if right.cause]
    assert {(right.project_id, right.cause) for right in found} == {(first, Cause.NOT_PERMITTED)}
    assert procore.violations() == []


def test_company_tools_are_judged_on_their_own_tab(company: int, procore: Procore) -> None:
    change(procore, template={"company": {"directory": "none", "webhooks_api": "read_only"}})
    found = gaps(procore, company)
    assert [(r.asked.tab, r.asked.tool, r.granted) for r in found] == [
        (Tab.COMPANY, "Directory", "None"),
        (Tab.COMPANY, "Webhooks API", "Read-Only"),
    ]


@pytest.mark.parametrize(
    ("rights", "tools"),
    [
        ({"granular": []}, {"Budget"}),
        ({"granular": [], "project": {"budget": "standard"}}, {"Budget"}),
        ({"granular": [], "project": {"budget": "admin"}}, set()),
        # An undo deletes lines.
        ({"granular": ["create_and_edit_original_budget_amount"]}, {"Budget"}),
    ],
)
def test_both_readings_of_the_budget_permissions_count(
    company: int, procore: Procore, rights: dict[str, Any], tools: set[str]
) -> None:
    change(procore, manifest=rights, template=rights, rejoin=procore.projects())
    assert {right.asked.tool for right in gaps(procore, company)} == tools


def test_where_procore_does_not_answer_nothing_counts_as_granted(
    company: int, procore: Procore
) -> None:
    change(procore, answers=False)
    found = gaps(procore, company)
    assert causes(found) == {Cause.REFUSED}
    assert {right.granted for right in found} == {"Unknown"}
    assert len(found) == len(rights_of(known(company)))


@pytest.mark.parametrize("body", ["null", "[[1]]", '{"tools": 7}', '"<html>"'])
def test_an_answer_that_cannot_be_read_is_a_gap_with_a_remedy_and_no_traceback(
    company: int, procore: Procore, body: str
) -> None:
    procore.control("faults", kind="body", path=PATH, body=body, status=200, times=1000)
    found = gaps(procore, company)
    assert causes(found) == {Cause.UNCLEAR}
    assert all(right.remedy_words() for right in found)


def test_a_tool_that_the_answer_does_not_name_is_no_proof_of_anything(
    company: int, procore: Procore
) -> None:
    tools = [{"name": "rfis", "user_access_level": {"name": "READ ONLY"}}, {"name": "budget"}]
    body = json.dumps({"tools": tools})
    procore.control("faults", kind="body", path=PATH, body=body, status=200, times=1000)
    found = {(r.asked.tool, r.cause) for r in gaps(procore, company) if r.project_id}
    assert ("Commitments", Cause.ABSENT) in found
    assert ("Budget", Cause.UNCLEAR) in found
    assert "RFIs" not in {tool for tool, _ in found}


def test_one_check_is_bounded_and_the_next_one_goes_on_where_it_ended(
    company: int, procore: Procore
) -> None:
    assert len(procore.projects()) > 1
    for round_ in (1, 2):
        procore.control("clear", all=True)
        check(company_id=company, mirrored=[], most=1)
        asked_for = [call for call in procore.ledger() if call["path"] == PATH]
        assert len(asked_for) == 2  # the company, and one project
        assert len(known(company).projects) == round_
    assert A_CHECK < 12


def test_what_was_learned_before_a_limit_stays(company: int, procore: Procore) -> None:
    procore.control("faults", kind="status", path=PATH, status=429, retry_after=1, times=1)
    waited = []

    def wait(moment: Any) -> None:
        waited.append(moment)
        clock.wait_until(moment)

    check(company_id=company, mirrored=[], wait=wait)
    assert waited
    assert {*known(company).projects} == {*procore.projects()}
    assert procore.violations() == []


def test_without_a_service_account_the_administrator_who_connected_is_named(
    procore: Procore,
) -> None:
    place = {"company_id": procore.company_id, "permitted_projects": "all"}
    procore.control("installs", **place, service_account=False)
    frame = Frame(procore, procore.company_id)
    frame.connect()
    frame.choose(frame.company_id)
    check(company_id=frame.company_id, mirrored=[])
    answers = known(frame.company_id)
    assert answers.by_person
    assert not any(right.cause for right in rights_of(answers))  # administrators have every right
    less = {key: replace(each, manifest=NO_RFIS) for key, each in answers.projects.items()}
    found = {right.cause for right in rights_of(replace(answers, projects=less))}
    assert Cause.PERSON in found
    assert not found & {Cause.TEMPLATE, Cause.MANIFEST, Cause.MEMBERSHIP}


def test_after_an_uninstall_nothing_of_the_former_account_is_known(
    company: int, procore: Procore
) -> None:
    check(company_id=company, mirrored=[])
    assert known(company).company
    procore.control("installs", company_id=company, permitted_projects=None)
    discover()
    close_down_all()
    assert known(company).company is None
    assert known(company).projects == {}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_deviation_of_procore_grants_a_right_or_raises(
    company: int, procore: Procore, seed: int
) -> None:
    less = {"project": {"budget": "none", "rfis": "none"}, "company": {"directory": "none"}}
    change(procore, manifest=less)
    procore.control("wild", switches="wild", seed=seed)
    check(company_id=company, mirrored=procore.projects(), wait=clock.wait_until)
    granted = {right.asked.tool for right in rights_of(known(company)) if not right.cause}
    assert not granted & {"Budget", "RFIs", "Directory"}
    assert granted
    checks = first_day(company_id=company)["checks"]
    assert json.dumps(checks, default=str).count('"means"') == 6


def test_every_cause_has_words_and_a_remedy() -> None:
    assert set(CAUSES) == set(Cause)
    assert all(cause and remedy for cause, remedy in CAUSES.values())
