"""Records that a list no longer shows stay, unless Procore proves that they are gone."""

import json
import os
import random
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.sync import proof
from integrations.procore.sync.absence import judge
from integrations.procore.sync.errors import NotMissing
from integrations.procore.sync.missing import confirm_deletion, missing_records
from integrations.procore.sync.models import (
    Absence,
    DueWork,
    Incident,
    Permission,
    Reason,
    SyncCursor,
)
from integrations.procore.sync.parts import withheld_projects
from integrations.procore.sync.schedule import make_due, make_read_due
from integrations.procore.sync.services import run_due, sync_now
from integrations.procore.sync.verify import verify
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.settings import Doubt
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company
from tests.procore import Procore


def sync(company_id: int, *, full: bool = False) -> dict[str, dict[str, int]]:
    answer = sync_now(company_id=company_id, full=full, only=[], wait=clock.wait_until)
    found: dict[str, dict[str, int]] = answer["resources"]  # type: ignore[assignment]
    return found


def drift(company_id: int) -> object:
    return verify(company_id=company_id, wait=clock.wait_until)["drift"]


def held(company_id: int) -> dict[str, int]:
    with tenant(company_id):
        return {
            name: model._base_manager.filter(company_id=company_id).count()
            for name, model in RESOURCES.items()
        }


def hide(procore: Procore, *rules: dict[str, Any]) -> None:
    procore.control("hiding", rules=list(rules))


def retry_now(company_id: int) -> None:
    past = clock.now() - timedelta(seconds=1)
    Absence.objects.filter(company_id=company_id).update(retry_at=past)


LISTS = {
    "users": "*/users",
    "vendors": "*/vendors",
    "cost_types": "*/line_item_types",
    "rfis": "*/rfis",
    "submittals": "*/submittals",
    "change_events": "*/change_events",
    "change_event_lines": "/rest/v1.0/change_events",
    "change_order_packages": "*/change_order_packages",
    "potential_change_orders": "*/potential_change_orders",
    "commitments": "*_order_contracts",
    "wbs_codes": "*/wbs_codes",
    "budget_rows": "*/detail_rows",
    "change_orders": "*/commitment_change_orders",
    "direct_costs": "*/direct_costs",
    "direct_cost_line_items": "*/direct_costs/line_items",
    "requisitions": "*/requisitions",
    "observations": "*/observations/items",
    "punch_items": "*/punch_items",
    "commitment_line_items": "*_order_contracts/*/line_items",
}


def test_every_list_is_among_those_that_are_tried_here() -> None:
    assert {*LISTS, "projects"} == {*RESOURCES}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("rule", [{}, {"status": 404}, {"status": 403}, {"keep": 0.5}])
def test_a_list_that_hides_its_records_costs_none_of_them(
    synced: int, procore: Procore, name: str, rule: dict[str, Any], settings: Any
) -> None:
    settings.DOUBT = Doubt(share=0, floor=0, close_at_most=3)
    before = held(synced)
    hide(procore, {"path": LISTS[name], **rule})
    sync(synced)
    again = sync(synced, full=True)
    assert held(synced) == before
    assert again[name]["suspect"] > 0
    assert Absence.objects.filter(resource=name).exists()
    assert Incident.objects.filter(resource=name, closed_at=None).exists()
    hide(procore)
    retry_now(synced)
    sync(synced, full=True)
    assert not Absence.objects.exists()
    assert not Incident.objects.filter(closed_at=None).exists()
    assert drift(synced) == 0
    assert procore.violations() == []


def by_id(procore: Procore) -> list[str]:
    """Paths of calls for a single record, in order."""
    shows = re.compile(r"/(?!companies/)[a-z_]+/\d+$")
    return [c["path"] for c in procore.ledger() if c["status"] and shows.search(c["path"])]


def delete(procore: Procore, project: int, kind: str, number: int) -> list[int]:
    rows = [row["id"] for row in procore.records(project, kind) if not row.get("deleted_at")]
    for key in rows[:number]:
        procore.control(f"projects/{project}/{kind}/{key}", delete=True)
    return rows[:number]


def biggest(procore: Procore, kind: str) -> int:
    return max(procore.projects(), key=lambda project: len(procore.records(project, kind)))


@pytest.mark.parametrize(
    ("shown", "missing", "earlier", "found"),
    [
        (10, 0, 0, None),
        (0, 1, 0, Reason.EMPTY),
        (0, 5000, 0, Reason.EMPTY),
        (1, 5, 0, None),  # not above the floor
        (1, 6, 0, Reason.SHRUNK),
        (80, 20, 0, None),  # not above the share
        (79, 21, 0, Reason.SHRUNK),
        (90, 10, 20, Reason.SHRUNK),  # with its earlier losses
    ],
)
def test_a_list_is_doubted_when_it_is_empty_or_lacks_many(
    shown: int, missing: int, earlier: int, found: Reason | None
) -> None:
    assert judge(shown=shown, missing=missing, earlier=earlier) is found


def test_what_is_in_the_recycle_bin_is_gone_however_much_it_is(
    synced: int, procore: Procore
) -> None:
    project = biggest(procore, "rfis")
    gone = delete(procore, project, "rfis", 12)
    procore.control("clear", all=True)
    assert sync(synced)["rfis"]["deleted"] == len(gone)
    assert by_id(procore) == []
    assert not Absence.objects.exists()
    assert drift(synced) == 0


@pytest.mark.parametrize("kind", ["direct_costs", "requisitions", "submittals", "change_orders"])
def test_records_that_are_404_while_their_list_answers_are_gone(
    synced: int, procore: Procore, kind: str
) -> None:
    project = biggest(procore, kind)
    number = len(procore.records(project, kind)) - 2
    delete(procore, project, kind, number)
    procore.control("clear", all=True)
    assert sync(synced, full=True)[kind]["deleted"] == number
    assert len(by_id(procore)) <= proof.SAMPLE
    assert drift(synced) == 0
    assert procore.violations() == []


def test_the_last_records_of_a_list_are_gone_when_permission_is_there_and_they_are_404(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    number = len(procore.records(project, "observations"))
    while number > 4:
        number -= len(delete(procore, project, "observations", 4))
        sync(synced)
        SyncCursor.objects.update(unproved=0)  # a day passes
    delete(procore, project, "observations", number)
    assert sync(synced)["observations"]["deleted"] == number
    assert drift(synced) == 0


def test_small_losses_of_one_day_are_doubted_together(
    synced: int, procore: Procore, settings: Any
) -> None:
    settings.DOUBT = Doubt(share=20, floor=2, close_at_most=3)
    project = biggest(procore, "submittals")
    number, before = len(procore.records(project, "submittals")), held(synced)["submittals"]
    assert number > 8
    for step in range(1, 9):
        keep = 1 - step * 0.1
        hide(procore, {"path": "*/submittals", "keep": keep, "project_id": project})
        sync(synced, full=True)
    assert before - held(synced)["submittals"] <= number * 0.2  # in all, not each time


def test_a_list_in_doubt_costs_few_calls_and_none_at_the_next_poll(
    synced: int, procore: Procore
) -> None:
    project = biggest(procore, "submittals")
    usual = calls_of(synced, procore)
    hide(procore, {"path": "*/submittals", "project_id": project})
    first = calls_of(synced, procore)
    again = calls_of(synced, procore)
    assert first <= usual + 4  # the whole list, the permissions, and one record
    assert again <= usual
    assert Absence.objects.get().resource == "submittals"
    hide(procore)
    sync(synced)  # the count shows that all are back
    assert not Absence.objects.exists()
    assert drift(synced) == 0


def calls_of(company_id: int, procore: Procore) -> int:
    procore.control("clear", all=True)
    sync(company_id)
    return len(procore.ledger())


def test_a_list_that_comes_back_in_part_deletes_nothing(synced: int, procore: Procore) -> None:
    before = held(synced)
    for keep in (0.0, 0.5, 0.9, 0.97):
        hide(procore, {"path": "*/rfis", "keep": keep})
        retry_now(synced)
        sync(synced, full=True)
        assert held(synced) == before
    hide(procore)
    sync(synced)
    assert not Absence.objects.exists()
    assert drift(synced) == 0


def test_without_permission_an_empty_list_is_withheld_and_comes_back(
    synced: int, procore: Procore
) -> None:
    before = held(synced)
    tools = ["submittals", "change_events", "commitments", "budget", "direct_costs"]
    procore.wild("empty_without_permission")
    procore.control("service-tools", tools=[*tools, "observations", "punch_list"])
    procore.control("clear", all=True)
    assert sync(synced)["rfis"]["suspect"] == before["rfis"]
    assert held(synced) == before
    assert {row.permission for row in Absence.objects.all()} == {Permission.DENIED}
    assert by_id(procore) == []  # each would be a 404 that Procore counts against us
    company = Company.objects.get(id=synced)
    assert (company.state, "RFIs" in company.state_reason) == ("degraded", True)
    sync(synced)
    assert Company.objects.get(id=synced).state == "degraded"
    procore.control("service-tools", tools=[*tools, "rfis", "observations", "punch_list"])
    sync(synced)
    assert not Absence.objects.exists()
    assert Company.objects.get(id=synced).state == "active"
    assert drift(synced) == 0


def test_a_list_that_is_not_found_does_not_stop_the_others_of_its_project(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    hide(procore, {"path": "*/submittals", "status": 404, "project_id": project})
    event = procore.records(project, "punch_items")[0]["id"]
    procore.control(f"projects/{project}/punch_items/{event}", set={"name": "Changed"})
    resources = sync(synced, full=True)
    assert resources["punch_items"]["updated"] == 1
    assert resources["submittals"]["suspect"] > 0
    assert procore.violations() == []


@pytest.mark.parametrize("rule", [{}, {"status": 404}])
def test_the_lines_of_a_contract_stay_when_its_list_hides_them(
    synced: int, procore: Procore, rule: dict[str, Any]
) -> None:
    project = procore.projects()[0]
    contract = procore.records(project, "work_order_contracts")[0]["id"]
    path = f"*/work_order_contracts/{contract}/line_items"
    hide(procore, {"path": path, **rule})
    procore.control(f"projects/{project}/work_order_contracts/{contract}", set={"title": "Changed"})
    before = held(synced)
    assert sync(synced)["commitment_line_items"]["suspect"] > 0
    procore.control("clear", all=True)
    again = sync(synced)
    assert again["commitment_line_items"]["suspect"] > 0
    assert not [c for c in procore.ledger() if str(contract) in c["path"]]  # not at every poll
    assert held(synced) == before
    hide(procore)
    retry_now(synced)
    sync(synced)
    assert not Absence.objects.exists()
    assert drift(synced) == 0


def test_the_lines_of_a_contract_that_were_all_deleted_go(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    contract = procore.records(project, "work_order_contracts")[0]["id"]
    lines = [
        row["id"]
        for row in procore.records(project, "commitment_line_items")
        if row["holder"]["id"] == contract
    ]
    for line in lines:
        procore.control(f"projects/{project}/commitment_line_items/{line}", delete=True)
    assert sync(synced)["commitment_line_items"]["deleted"] == len(lines)
    assert not Absence.objects.exists()
    assert drift(synced) == 0


def test_a_project_without_its_budget_views_keeps_its_budget(synced: int, procore: Procore) -> None:
    before = held(synced)
    hide(procore, {"path": "*/budget_views"})
    SyncCursor.objects.update(via_id=None)  # the view is looked up again
    assert sync(synced)["budget_rows"]["suspect"] == before["budget_rows"]
    assert held(synced) == before
    hide(procore)
    sync(synced)
    assert drift(synced) == 0


def test_an_update_of_the_app_costs_no_project_its_records(synced: int, procore: Procore) -> None:
    before, projects = held(synced), procore.projects()
    procore.control("installs", company_id=synced, update="1.1.0")
    procore.control("clear", all=True)
    assert sync(synced)["projects"]["suspect"] == len(projects)
    sync(synced, full=True)
    assert held(synced) == before
    asked = {c["path"] for c in procore.ledger()}
    assert not [path for path in asked if any(str(key) in path for key in projects)]
    assert verify(company_id=synced, wait=clock.wait_until)["drift"] == 0
    rfi = procore.records(projects[0], "rfis")[0]["id"]
    procore.control(f"projects/{projects[0]}/rfis/{rfi}", delete=True)
    procore.control("installs", company_id=synced, permitted_projects="all")
    sync(synced)
    assert not Absence.objects.exists()
    assert drift(synced) == 0
    assert procore.violations() == []


def test_a_project_that_stays_unpermitted_is_erased_after_the_grace(
    synced: int, procore: Procore
) -> None:
    keep, *others = procore.projects()
    procore.control("installs", company_id=synced, permitted_projects=[keep])
    sync(synced)
    long_ago = clock.now() - timedelta(days=29)
    Absence.objects.update(since=long_ago)
    sync(synced)
    assert Absence.objects.count() == len(others)
    Company.objects.update(grace_days=0)  # still at least a week
    Absence.objects.update(since=clock.now() - timedelta(days=6))
    sync(synced)
    assert Absence.objects.count() == len(others)
    Absence.objects.update(since=clock.now() - timedelta(days=8))
    assert sync(synced)["projects"]["deleted"] == len(others)
    with tenant(synced):
        assert list(Project.objects.values_list("remote_id", flat=True)) == [keep]
        assert not Rfi.objects.exclude(project_id=keep).exists()
    assert AuditEvent.objects.filter(event="project.erased").count() == len(others)
    assert not Absence.objects.exists()
    assert drift(synced) == 0
    assert procore.violations() == []


def test_a_project_withdrawn_between_two_events_is_asked_for_once(
    synced: int, procore: Procore
) -> None:
    gone, *rest = procore.projects()
    make_due(company_id=synced)
    procore.control("installs", company_id=synced, permitted_projects=rest)
    for resource in ("rfis", "submittals"):
        DueWork.objects.filter(company_id=synced).update(
            due_at=clock.now(), asked_at=None, pace=3600
        )
        make_read_due(company_id=synced, resource=resource, project_id=gone)
        run_due(company_id=synced, wait=clock.wait_until)
        clock.pause(1.2)  # then the app knows the first answer
    assert withheld_projects(synced) == {gone}
    assert procore.violations() == []


def test_an_operator_confirms_what_nothing_proves(
    synced: int, procore: Procore, capsys: Any
) -> None:
    before = held(synced)
    hide(procore, {"path": "*/vendors", "by_id": True})  # as if all were deleted
    sync(synced, full=True)
    [row] = missing_records(synced)
    assert (row["resource"], row["records"]) == ("vendors", before["vendors"])
    with pytest.raises(NotMissing):
        confirm_deletion(company_id=synced, ids=[0], actor="operator")
    call_command("missing_records", synced, "--confirm", row["id"])
    assert json.loads(capsys.readouterr().out)["confirmed"] == 1
    assert AuditEvent.objects.get(event="records.deletion_confirmed").actor == "operator"
    assert held(synced) == before  # not before the next sync
    assert sync(synced)["vendors"]["deleted"] == before["vendors"]
    assert missing_records(synced) == []
    assert Incident.objects.filter(resource="vendors", closed_at=None).count() == 0


def test_a_confirmation_covers_no_more_than_was_missing_then(synced: int, procore: Procore) -> None:
    hide(procore, {"path": "*/vendors", "keep": 0.4, "by_id": False})
    sync(synced, full=True)
    [row] = missing_records(synced)
    confirm_deletion(company_id=synced, ids=[int(str(row["id"]))], actor="operator")
    before = held(synced)
    hide(procore, {"path": "*/vendors"})
    sync(synced, full=True)
    assert held(synced) == before
    assert missing_records(synced)[0]["confirmed_at"] is None


SEEDS = int(os.environ.get("CHAOS_SEEDS", "12"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_sequence_of_hiding_deletes_what_exists(
    synced: int, procore: Procore, seed: int, settings: Any
) -> None:
    """Whatever lists do, and people delete meanwhile: existing records stay in the mirror."""
    settings.DOUBT = Doubt(share=0, floor=0, close_at_most=3)
    rng = random.Random(seed)
    for _ in range(4):
        rules: list[dict[str, Any]] = [
            {
                "path": LISTS[rng.choice(list(LISTS))],
                **rng.choice([{}, {"status": 404}, {"status": 403}, {"keep": rng.random()}]),
            }
            for _ in range(rng.randint(0, 4))
        ]
        if rng.random() < 0.3:
            rules.append({"path": "/rest/v1.1/projects", "keep": rng.random()})
        hide(procore, *rules)
        project = rng.choice(procore.projects())
        kind = rng.choice(["rfis", "submittals", "punch_items", "work_order_contracts"])
        delete(procore, project, kind, rng.randint(0, 2))
        if rng.random() < 0.5:
            retry_now(synced)
        sync(synced, full=rng.random() < 0.5)
        assert_nothing_lost(synced, procore)
    hide(procore)
    retry_now(synced)
    sync(synced, full=True)
    assert_nothing_lost(synced, procore)
    assert not Absence.objects.exists()
    assert drift(synced) == 0
    assert procore.violations() == []


KINDS = {
    "rfis": "rfis", "submittals": "submittals", "change_events": "change_events",
    "wbs_codes": "wbs_codes", "change_orders": "change_orders", "direct_costs": "direct_costs",
    "direct_cost_line_items": "direct_cost_line_items", "requisitions": "requisitions",
    "observations": "observations", "punch_items": "punch_items",
}  # fmt: skip


def assert_nothing_lost(company_id: int, procore: Procore) -> None:
    projects = procore.projects()
    with tenant(company_id):
        for name, kind in KINDS.items():
            living = {
                row["id"]
                for project in projects
                for row in procore.records(project, kind)
                if not (row.get("deleted") or row.get("deleted_at"))
            }
            rows = RESOURCES[name]._base_manager.filter(company_id=company_id)
            assert living <= set(rows.values_list("remote_id", flat=True)), name
        living = {
            row["id"]
            for project in projects
            for kind in ("work_order_contracts", "purchase_order_contracts")
            for row in procore.records(project, kind)
            if not row.get("deleted_at")
        }
        contracts = RESOURCES["commitments"]._base_manager.filter(company_id=company_id)
        assert living <= set(contracts.values_list("remote_id", flat=True))
        lines = {
            row["id"]
            for project in projects
            for row in procore.records(project, "commitment_line_items")
            if row["holder"]["id"] in living
        }
        kept = CommitmentLineItem.objects.filter(company_id=company_id)
        assert lines <= set(kept.values_list("remote_id", flat=True))
        assert {*projects} <= set(Project.objects.values_list("remote_id", flat=True))
