"""What a sync must survive: people who change records meanwhile, and a faulty Procore."""

import os
import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import connections

from integrations.procore.api import pages
from integrations.procore.api.errors import ProcoreError
from integrations.procore.resources.commitment_line_items import CommitmentLineItem
from integrations.procore.resources.rfis import Rfi
from integrations.procore.sync.errors import Paused
from integrations.procore.sync.models import DueRead, DueWork, Incident, Mode, SyncRun
from integrations.procore.sync.reading import Reader
from integrations.procore.sync.runs import finish, take_run
from integrations.procore.sync.schedule import (
    due_now,
    make_due,
    make_full_due,
    wake_companies_with_pending_events,
)
from integrations.procore.sync.services import run_due, sync_now
from integrations.procore.sync.verify import verify
from partner_app.connections.access import app_client
from partner_app.core import clock
from partner_app.core.broker import broker
from partner_app.tenancy.context import tenant
from tests.frame import Frame
from tests.natures import both_natures
from tests.procore import Procore

FAULTS = (
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503, "retry_after": 1},
    {"kind": "html", "status": 502},
    {"kind": "html", "status": 200},
    {"kind": "truncate"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "delay", "seconds": 0.1},
    {"kind": "bad_link"},
)
ROUNDS = 2  # syncs with faults
SEEDS = int(os.environ.get("CHAOS_SEEDS", "20"))


def incremental(company_id: int) -> dict[str, dict[str, int]]:
    answer = sync_now(company_id=company_id, full=False, only=[], wait=clock.wait_until)
    resources: dict[str, dict[str, int]] = answer["resources"]  # type: ignore[assignment]
    return resources


def drift(company_id: int) -> int:
    """Lists with unreadable records delete nothing, so their deleted records may still be here."""
    found = verify(company_id=company_id, wait=clock.wait_until)["resources"]
    counts: dict[str, dict[str, int]] = found  # type: ignore[assignment]
    return sum(
        each["missing"] + each["different"] + (0 if each["unreadable"] else each["extra"])
        for each in counts.values()
    )


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "LARGEST_PAGE_V1", 10)


@both_natures
def test_after_a_thousand_changes_an_incremental_leaves_no_drift(
    synced: int, procore: Procore
) -> None:
    procore.control("mutations", changes=1000, seed=5)
    resources = incremental(synced)
    assert drift(synced) == 0
    assert sum(counts["deleted"] for counts in resources.values()) > 100
    assert procore.violations() == []


@both_natures
def test_what_is_deleted_while_a_list_is_read_does_not_hide_another_record(
    company: int, procore: Procore, small_pages: None
) -> None:
    project = procore.projects()[0]
    reader = Reader(app_client(company), Rfi, company_id=company, project_id=project)
    pieces = reader.pieces()
    first = next(pieces)
    seen = set(first.ids)
    gone = first.records[0].remote_id
    procore.control(f"projects/{project}/rfis/{gone}", delete=True)
    for piece in pieces:
        seen.update(piece.ids)
    living = {row["id"] for row in procore.records(project, "rfis") if not row["deleted"]}
    assert seen >= living
    assert reader.restarts == 0  # by now the count is of the next list


def test_a_list_of_many_pages_is_read_to_its_end(
    company: int, procore: Procore, small_pages: None
) -> None:
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    assert drift(company) == 0


@both_natures
def test_lines_are_read_again_for_contracts_that_changed_and_no_others(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    line = procore.records(project, "commitment_line_items")[0]
    procore.control(f"projects/{project}/commitment_line_items/{line['id']}", delete=True)
    procore.control("clear", all=True)
    resources = incremental(synced)
    assert resources["commitment_line_items"]["deleted"] == 1
    asked = [
        call
        for call in procore.ledger()
        if "_contracts/" in call["path"] and call["path"].endswith("/line_items")
    ]
    assert len(asked) == 1
    with tenant(synced):
        lines = CommitmentLineItem.objects.filter(company_id=synced)
        assert not lines.filter(remote_id=line["id"]).exists()
        others = lines.filter(contract_id=line["holder"]["id"])
        assert others.exists()


@both_natures
def test_the_lines_of_a_deleted_contract_go_with_it(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    contract = procore.records(project, "work_order_contracts")[0]["id"]
    procore.control(f"projects/{project}/work_order_contracts/{contract}", delete=True)
    incremental(synced)
    with tenant(synced):
        lines = CommitmentLineItem.objects.filter(company_id=synced, contract_id=contract)
        assert not lines.exists()
    assert drift(synced) == 0


def test_what_procore_told_us_of_is_read_and_nothing_else(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    rfi = procore.records(project, "rfis")[2]
    procore.control(f"projects/{project}/rfis/{rfi['id']}", delete=True)
    make_due(company_id=synced)
    DueWork.objects.filter(company_id=synced).update(asked_at=None, pace=3600)
    DueRead.objects.create(
        company_id=synced, resource="rfis", project_id=project, sweep=True, due_at=clock.now()
    )
    procore.control("clear", all=True)
    run_due(company_id=synced, wait=clock.wait_until)
    assert SyncRun.objects.filter(company_id=synced).latest("started_at").mode == Mode.TARGETED
    assert {call["path"] for call in procore.ledger()} == {f"/rest/v1.0/projects/{project}/rfis"}
    with tenant(synced):
        assert not Rfi.objects.filter(company_id=synced, remote_id=rfi["id"]).exists()
    assert drift(synced) == 0


def test_what_was_told_while_a_run_was_concluded_is_found_by_the_next_look(
    synced: int, procore: Procore
) -> None:
    project, later = procore.projects()[0], clock.now() + timedelta(hours=1)
    make_due(company_id=synced)
    DueWork.objects.filter(company_id=synced).update(due_at=later)
    DueRead.objects.create(
        company_id=synced, resource="rfis", project_id=project, due_at=clock.now()
    )
    run = take_run(company_id=synced, mode=Mode.INCREMENTAL, only=["rfis"], holder="-")
    wake_companies_with_pending_events()
    assert not due_now().filter(company_id=synced).exists()  # an open run reads it, when it may
    finish(run)
    wake_companies_with_pending_events()
    assert due_now().filter(company_id=synced).exists()


def test_a_project_that_is_not_ours_is_not_asked_for(synced: int, procore: Procore) -> None:
    make_due(company_id=synced)
    DueWork.objects.filter(company_id=synced).update(asked_at=None, pace=3600)
    DueRead.objects.create(
        company_id=synced, resource="rfis", project_id=4_400_000_001, due_at=clock.now()
    )
    procore.control("clear", all=True)
    run_due(company_id=synced, wait=clock.wait_until)
    assert procore.ledger() == []


def connections_open() -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_what_reads_for_somebody_who_looks_leaves_no_connection_open(
    synced: int, procore: Procore
) -> None:
    """Lists of an open project are read first, with calls reserved for people."""
    frame = Frame(procore, synced).sign_in("admin")
    assert frame.get(f"/embedded/projects/{procore.projects()[0]}/").status_code == 200
    before = connections_open()
    sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    assert connections_open() == before


def leave(until: datetime) -> None:
    raise Paused(until)


def test_lists_longer_than_a_window_of_calls_come_to_their_end(
    company: int, procore: Procore, small_pages: None
) -> None:
    """A worker does not block while it waits: it leaves, and the next one continues."""
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    at_once = SyncRun.objects.get(company_id=company).requests
    procore.control("mutations", changes=100, seed=9)
    make_full_due(company_id=company)
    procore.control("clear", all=True)
    rounds = 0
    while due_now().filter(company_id=company).exists() and (rounds := rounds + 1) < at_once:
        procore.control("rates", per_spike=8)  # each round gets what is left of them
        broker().flushdb()
        with suppress(Paused):
            run_due(company_id=company, wait=leave)
    # Then lists may be read whose missing records could not be proved gone within the limit.
    full, *later = SyncRun.objects.filter(company_id=company).order_by("started_at")[1:]
    assert (full.mode, full.state) == (Mode.FULL, "done")
    assert {(run.mode, run.state) for run in later} <= {(Mode.TARGETED, "done")}
    assert rounds > 5
    asked = full.requests + sum(run.requests for run in later)
    assert asked == len(procore.ledger())
    assert asked < 1.1 * at_once
    procore.control("rates", per_spike=100)
    assert drift(company) == 0


def test_a_run_that_has_to_wait_goes_on_where_it_was(company: int, procore: Procore) -> None:
    make_due(company_id=company)
    fault = {"kind": "status", "status": 429, "retry_after": 1, "times": 1}
    procore.control("faults", path="/rest/*/submittals", **fault)
    with pytest.raises(Paused) as caught:
        run_due(company_id=company, wait=leave)
    [paused] = SyncRun.objects.filter(company_id=company)
    clock.wait_until(caught.value.until)
    run_due(company_id=company, wait=clock.wait_until)
    [finished] = SyncRun.objects.filter(company_id=company)
    assert finished.id == paused.id
    assert finished.state == "done"
    assert drift(company) == 0


def test_trouble_opens_an_incident_and_its_end_closes_it(synced: int, procore: Procore) -> None:
    procore.control("faults", kind="status", status=500, path="/rest/*/submittals", times=1000)
    incremental(synced)
    [incident] = Incident.objects.filter(company_id=synced, closed_at=None)
    assert incident.resource == "submittals"
    assert incident.remedy
    procore.control("clear-faults", all=True)
    incremental(synced)
    incident.refresh_from_db()
    assert incident.closed_at


@pytest.mark.parametrize("seed", range(SEEDS))
def test_chaos_delays_a_sync_and_loses_nothing(
    company: int, procore: Procore, seed: int, small_pages: None
) -> None:
    """Small pages, so that faults occur in the middle of lists."""
    rng = random.Random(seed)
    procore.control("clear", all=True)
    for _ in range(6):
        fault = rng.choice(FAULTS)
        path = rng.choice(["/rest/*", "/rest/v1.0/*", "/rest/v1.1/*", "*line_items*", "*/rfis"])
        times = 1 if "retry_after" in fault else rng.randint(1, 12)
        procore.control("faults", method="GET", path=path, times=times, **fault)
    for number in range(ROUNDS):
        try:
            incremental(company)
        except ProcoreError:
            continue
        procore.control("mutations", changes=rng.randint(0, 30), seed=seed * 100 + number)
    procore.control("clear-faults", all=True)
    incremental(company)
    assert drift(company) == 0
    assert procore.violations() == []
