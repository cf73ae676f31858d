import json
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.procore.resources.change_events import ChangeEvent
from integrations.procore.resources.projects import Project
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.source import kept_fields
from integrations.procore.sync.errors import SyncInProgress
from integrations.procore.sync.models import SyncRun
from integrations.procore.sync.runs import holder_name, take_run
from integrations.procore.sync.services import sync_now
from integrations.procore.sync.verify import verify
from partner_app.connections.discover import discover
from partner_app.connections.models import AppToken
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.export import export_company
from partner_app.tenancy.models import Company
from tests.frame import Frame, text_of
from tests.natures import both_natures
from tests.procore import Procore


def sync(
    company_id: int, *, full: bool = False, only: list[str] | None = None
) -> dict[str, dict[str, int]]:
    answer = sync_now(company_id=company_id, full=full, only=only or [], wait=clock.wait_until)
    resources: dict[str, dict[str, int]] = answer["resources"]  # type: ignore[assignment]
    return resources


def drift(company_id: int) -> object:
    return verify(company_id=company_id, wait=clock.wait_until)["drift"]


@both_natures
def test_a_first_sync_reads_everything_and_breaks_no_promise(synced: int, procore: Procore) -> None:
    assert drift(synced) == 0
    assert procore.violations() == []
    with tenant(synced):
        for name, model in RESOURCES.items():
            assert model._base_manager.filter(company_id=synced).exists(), name


@both_natures
def test_a_second_sync_reads_only_what_changed(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    rfi = procore.records(project, "rfis")[3]
    procore.control(f"projects/{project}/rfis/{rfi['id']}", set={"subject": "Changed"})
    resources = sync(synced)
    assert resources["rfis"]["updated"] == 1
    assert resources["rfis"]["fetched"] < 10
    assert drift(synced) == 0


@both_natures
def test_a_project_that_becomes_inactive_is_kept_and_marked(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    procore.control(f"projects/{project}", set={"active": False})
    assert sync(synced)["projects"]["deleted"] == 0
    with tenant(synced):
        assert Project.objects.get(company_id=synced, remote_id=project).active is False
        assert Rfi.objects.filter(company_id=synced, project_id=project).exists()
    page = Frame(procore, synced).sign_in("admin").get(f"/embedded/projects/{project}/")
    assert "inactive in Procore" in text_of(page)
    assert drift(synced) == 0


@both_natures
def test_what_is_deleted_in_procore_is_erased_here(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    event = procore.records(project, "change_events")[0]
    rfi = procore.records(project, "rfis")[0]
    procore.control(f"projects/{project}/change_events/{event['id']}", delete=True)
    procore.control(f"projects/{project}/rfis/{rfi['id']}", delete=True)
    assert sync(synced)["change_events"]["deleted"] == 1
    with tenant(synced):
        assert not ChangeEvent.objects.filter(remote_id=event["id"]).exists()
    sync(synced, full=True)
    with tenant(synced):
        assert not Rfi.objects.filter(remote_id=rfi["id"]).exists()
    assert drift(synced) == 0


@both_natures
def test_a_project_no_longer_permitted_keeps_its_records_and_is_not_asked(
    synced: int, procore: Procore
) -> None:
    keep, *others = procore.projects()
    procore.control("installs", company_id=synced, permitted_projects=[keep])
    assert sync(synced)["projects"]["suspect"] == len(others)
    with tenant(synced):
        assert Project.objects.count() == 1 + len(others)
        assert Rfi.objects.exclude(project_id=keep).exists()
    procore.control("clear", all=True)
    sync(synced)
    assert not [call for call in procore.ledger() if call["status"] >= 400]


@pytest.mark.parametrize("kind", ["status", "truncate", "reset_before", "html", "reset_after"])
def test_a_passing_fault_costs_nothing(company: int, procore: Procore, kind: str) -> None:
    status = 500 if kind == "status" else 502
    procore.control("faults", kind=kind, path="/rest/v1.0/projects/*/rfis", times=2, status=status)
    sync(company)
    assert drift(company) == 0


def test_a_lasting_fault_of_one_resource_neither_hides_nor_stops_the_others(
    company: int, procore: Procore
) -> None:
    procore.control(
        "faults", kind="status", path="/rest/v1.1/projects/*/submittals", times=1000, status=500
    )
    answer = sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    assert {problem["resource"] for problem in answer["problems"]} == {"submittals"}  # type: ignore[attr-defined]
    resources: dict[str, dict[str, int]] = answer["resources"]  # type: ignore[assignment]
    assert resources["commitments"]["created"] > 0
    procore.control("clear", all=True)
    sync(company)
    assert drift(company) == 0


def test_it_waits_as_long_as_procore_asks_and_never_calls_too_early(
    company: int, procore: Procore
) -> None:
    procore.control("rates", per_hour=1_000_000, per_spike=30)
    sync(company)
    assert procore.violations() == []
    assert not [call for call in procore.ledger() if call["status"] == 429]


def test_a_second_sync_at_the_same_time_is_refused(company: int) -> None:
    run = take_run(company_id=company, mode="full", only=[], holder=holder_name())
    with pytest.raises(SyncInProgress):
        sync(company)
    SyncRun.objects.filter(id=run.id).update(leased_until=clock.now())
    sync(company)
    run.refresh_from_db()
    assert run.state == "done"  # taken over, not started again


def test_an_expired_token_is_renewed_before_procore_refuses_it(
    company: int, procore: Procore
) -> None:
    AppToken.objects.update(expires_at=clock.now())
    procore.control("clear", all=True)
    sync(company)
    assert [call["path"] for call in procore.ledger()].count("/oauth/token") == 1
    assert not [call for call in procore.ledger() if call["status"] == 401]


@both_natures
def test_the_export_gives_back_exactly_the_kept_fields(
    synced: int, procore: Procore, tmp_path: Path
) -> None:
    export_company(company_id=synced, output=tmp_path)
    for name, model in RESOURCES.items():
        lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        names = {field.name for field, _ in kept_fields(model)}
        assert lines
        assert all(set(json.loads(line)["fields"]) == names for line in lines)
    project = procore.projects()[0]
    wanted = {
        row["id"]: Decimal(row["grand_total"])
        for row in procore.records(project, "work_order_contracts")
    }
    rows = [
        json.loads(line, parse_float=Decimal)
        for line in (tmp_path / "commitments.jsonl").read_text().splitlines()
    ]
    got = {row["id"]: row["fields"]["grand_total"] for row in rows if row["id"] in wanted}
    assert got.keys() == wanted.keys()
    lost = procore.struck("nulls", "missing_keys")  # these may lack their amount
    assert [key for key in wanted if got[key] != wanted[key] and key not in lost] == []


@both_natures
def test_leaving_procore_ends_the_calls_and_starts_the_grace(synced: int, procore: Procore) -> None:
    procore.control("installs", company_id=synced, permitted_projects=None)
    assert discover()["gone"] == 1
    company = Company.objects.get(id=synced)
    assert company.state == "grace"
    assert company.purge_after is not None
