"""Ids in a body belong to the same project, and only people with the right make changes."""

import uuid

import pytest
from django.db import IntegrityError

from partner_app.core import clock
from partner_app.estimates.models import Estimate
from partner_app.handoffs.models import Handoff
from partner_app.tenancy.context import tenant
from tests.frame import text_of
from tests.handoffs.people import Desk, group_of_first, lines
from tests.procore import Procore

FILE = lines(("1", "Concrete", "m3", "100"), ("2", "Steel", "t", "200"))


@pytest.fixture
def admin_desk(synced: int, procore: Procore) -> Desk:
    return Desk(procore, synced, "admin")


def test_a_revision_of_another_projects_estimate_is_refused(admin_desk: Desk) -> None:
    desk = admin_desk
    first, second = desk.procore.projects(desk.company_id)[:2]
    desk.project_id = first
    assert desk.drop(FILE).status_code == 200
    elsewhere = desk.estimate_id
    desk.project_id = second
    assert desk.drop(FILE, revision_of=elsewhere).status_code == 404
    with tenant(desk.company_id):
        assert Estimate.objects.count() == 1
    assert desk.drop(FILE).status_code == 200
    assert desk.drop(FILE, revision_of=desk.estimate_id).status_code == 200


def test_the_database_takes_no_row_that_points_into_another_project(admin_desk: Desk) -> None:
    desk = admin_desk
    first, second = desk.procore.projects(desk.company_id)[:2]
    desk.project_id = first
    desk.drop(FILE)
    assert desk.plan().status_code == 200
    with tenant(desk.company_id):
        there, handoff = Estimate.objects.get(), Handoff.objects.get()
    for move in (
        lambda: Estimate.objects.create(
            company_id=desk.company_id, project_id=second, revision_of=there, file_name="x",
            file_hash=b"x", total=0, created_at=clock.now(),
        ),
        lambda: Handoff.objects.filter(id=handoff.id).update(project_id=second),
    ):  # fmt: skip
        with pytest.raises(IntegrityError), tenant(desk.company_id):
            move()


def test_who_only_reads_the_budget_changes_nobody_elses_estimate(
    admin_desk: Desk, synced: int, procore: Procore
) -> None:
    theirs = admin_desk
    theirs.drop(FILE)
    theirs.plan()
    procore.control("people", id=procore.person("manager")["id"], edits_budget=False)
    reader = Desk(procore, synced, "manager")
    reader.project_id = theirs.project_id
    reader.estimate_id = theirs.estimate_id
    group = group_of_first(theirs)
    for verb in ("delete/", "plan/", "file/", "answer/", "mapping/choose/", "mapping/accept/",
                 "mapping/open/"):  # fmt: skip
        refused = reader.of_estimate(verb, group=group, code="", part="x")
        assert refused.status_code == 403, verb
        assert "This estimate was imported by someone else" in text_of(refused)
    assert reader.of_estimate().status_code == 200
    with tenant(synced):
        assert Handoff.objects.get().state == "planned"
    assert reader.drop(FILE).status_code == 200
    assert reader.of_estimate("delete/", sure="1").status_code == 200
    assert theirs.of_estimate("mapping/accept/", all="1").status_code == 200


def test_an_estimate_of_nobody_is_not_there(admin_desk: Desk) -> None:
    assert admin_desk.drop(FILE, revision_of=str(uuid.uuid4())).status_code == 404
