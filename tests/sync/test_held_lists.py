"""Lists inside one record: each is judged, and proved, separately."""

import json
from typing import Any

import pytest

from integrations.procore.resources.change_event_lines import ChangeEventLine
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.sync.models import Absence, DueWork, Reason
from integrations.procore.sync.schedule import make_due, make_read_due
from integrations.procore.sync.services import run_due, sync_now
from integrations.procore.sync.verify import verify
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from tests.procore import Procore
from tests.simulator.calls import as_service

EVENTS = "/rest/v1.0/change_events"
LINES = "change_event_line_items"


def sync(company_id: int) -> dict[str, dict[str, int]]:
    answer = sync_now(company_id=company_id, full=True, only=[], wait=clock.wait_until)
    found: dict[str, dict[str, int]] = answer["resources"]  # type: ignore[assignment]
    return found


def listed(procore: Procore, project: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        as_service(procore).call("GET", f"{EVENTS}?project_id={project}").json()
    )
    return found


def read_once(company: int, procore: Procore, project: int, rows: list[dict[str, Any]]) -> None:
    """Reads the project's list of events once, with these rows as the answer."""
    make_due(company_id=company)
    due = DueWork.objects.filter(company_id=company)
    due.update(due_at=clock.now(), asked_at=None, pace=3600)
    make_read_due(company_id=company, resource="change_event_lines", project_id=project)
    procore.control("faults", kind="body", path=EVENTS, status=200, body=json.dumps(rows))
    run_due(company_id=company, wait=clock.wait_until)
    assert procore.control("faults") == []


def events_of(company: int, project: int) -> dict[int, int | None]:
    with tenant(company):
        rows = ChangeEventLine.objects.filter(project_id=project)
        return dict(rows.values_list("remote_id", "event_id"))


@pytest.fixture
def project(procore: Procore) -> int:
    return procore.projects()[0]


def test_an_event_whose_lines_are_not_shown_keeps_them(
    synced: int, procore: Procore, project: int
) -> None:
    before, rows = events_of(synced, project), listed(procore, project)
    event = rows[0]["id"]
    rows[0][LINES] = []
    read_once(synced, procore, project, rows)
    assert events_of(synced, project) == before
    absence = Absence.objects.get()
    here = sum(holder == event for holder in before.values())
    assert (absence.resource, absence.reason) == ("change_event_lines", Reason.EMPTY)
    assert absence.missing == here > 0
    sync(synced)
    assert not Absence.objects.exists()


def test_an_event_whose_lines_were_all_deleted_loses_them(
    synced: int, procore: Procore, project: int
) -> None:
    event = listed(procore, project)[0]["id"]
    lines = [key for key, holder in events_of(synced, project).items() if holder == event]
    procore.control(f"projects/{project}/change_events/{event}", set={"change_items": []})
    assert sync(synced)["change_event_lines"]["deleted"] == len(lines) > 0
    assert not Absence.objects.exists()
    assert verify(company_id=synced, wait=clock.wait_until)["drift"] == 0
    assert procore.violations() == []


def test_a_line_belongs_to_the_event_that_lists_it(
    synced: int, procore: Procore, project: int
) -> None:
    before, rows = events_of(synced, project), listed(procore, project)
    others: list[Any] = ["n/a", None, [], 7, {"id": 1}]
    for row, other in zip(rows, others, strict=False):
        for line in row[LINES]:
            line["event_id"] = other
    read_once(synced, procore, project, rows)
    assert events_of(synced, project) == before


def test_a_proof_for_one_contract_is_none_for_another(
    synced: int, procore: Procore, project: int
) -> None:
    """The lines of the first and the last are gone; those between are only hidden."""
    contracts = [row["id"] for row in procore.records(project, "work_order_contracts")]
    lines: dict[int, list[int]] = {key: [] for key in contracts}
    for row in procore.records(project, "commitment_line_items"):
        lines.get(row["holder"]["id"], []).append(row["id"])
    filled = [key for key in contracts if lines[key]]
    assert len(filled) > 2
    first, *between, last = filled
    for key in (first, last):
        for line in lines[key]:
            procore.control(f"projects/{project}/commitment_line_items/{line}", delete=True)
    paths = [f"*/work_order_contracts/{key}/line_items" for key in between]
    procore.control("hiding", rules=[{"path": path} for path in paths])
    sync(synced)
    with tenant(synced):
        rows = CommitmentLineItem.objects.filter(project_id=project)
        here = set(rows.values_list("remote_id", flat=True))
    assert here >= {line for key in between for line in lines[key]}
    assert here.isdisjoint({*lines[first], *lines[last]})
