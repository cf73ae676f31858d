"""Unreadable values cost one field or one record, are counted, and are tried again."""

import json
from typing import Any

import pytest
from django.core.management import call_command

from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.users import User
from integrations.procore.sync import quarantine
from integrations.procore.sync.models import Incident, Quarantine
from integrations.procore.sync.services import sync_now
from integrations.procore.sync.status import status
from integrations.procore.sync.verify import verify
from partner_app.accounts.models import Role
from partner_app.core import clock
from partner_app.tenancy.context import tenant
from partner_app.tenancy.purge import purge_company
from tests.dashboard.people import admin_of
from tests.frame import Frame, text_of
from tests.procore import Procore


def sync(company_id: int, *, full: bool = True, only: tuple[str, ...] = ()) -> dict[str, Any]:
    return sync_now(company_id=company_id, full=full, only=list(only), wait=clock.wait_until)


def change(procore: Procore, record: dict[str, Any], **values: Any) -> None:
    project = procore.projects()[0]
    procore.control(f"projects/{project}/rfis/{record['id']}", set=values)


def rfis(procore: Procore) -> list[dict[str, Any]]:
    return procore.records(procore.projects()[0], "rfis")


def answer_with(procore: Procore, path: str, body: object, **more: Any) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    procore.control(
        "faults", kind="body", path=path, status=200, body=text, **{"times": 50, **more}
    )


def stored(company_id: int, key: int) -> Rfi | None:
    with tenant(company_id):
        return Rfi.objects.filter(company_id=company_id, remote_id=key).first()


def test_a_field_that_cannot_be_read_is_empty_counted_and_read_again(
    synced: int, procore: Procore
) -> None:
    record = next(row for row in rfis(procore) if row["due_date"])
    before = stored(synced, record["id"])
    assert before is not None
    change(procore, record, due_date="when it is done", subject="Now readable")
    answer = sync(synced, full=False)
    assert answer["resources"]["rfis"]["unreadable"] == 1
    assert not answer["problems"]
    after = stored(synced, record["id"])
    assert after is not None
    assert (after.due_date, after.subject) == (None, "Now readable")
    row = Quarantine.objects.get()
    assert (row.resource, row.project_id) == ("rfis", procore.projects()[0])
    assert (row.remote_id, row.field) == (record["id"], "due_date")
    assert row.shape == "text where a date was expected"
    assert not row.set_aside
    assert status(synced)["companies"][0]["resources"]["rfis"]["unreadable"] == 1  # type: ignore[index]
    checked = verify(company_id=synced, wait=clock.wait_until)
    assert checked["drift"] == 0
    assert checked["resources"]["rfis"]["unreadable"] == 1  # type: ignore[index]
    change(procore, record, due_date="2027-01-31")
    assert sync(synced, full=False)["resources"]["rfis"]["unreadable"] == 0
    assert not Quarantine.objects.exists()


def test_a_record_that_was_set_aside_keeps_its_former_copy(synced: int, procore: Procore) -> None:
    with tenant(synced):
        everybody = list(User.objects.filter(company_id=synced).order_by("remote_id"))
    rows = [
        {"id": user.remote_id, "name": user.name, "is_active": user.is_active} for user in everybody
    ]
    path = f"/rest/v1.3/companies/{synced}/users"
    rows[0] |= {"is_active": "perhaps", "name": "Somebody else"}
    for _ in range(2):  # neither sync nor verify treats it as deleted
        answer_with(procore, path, rows)
        assert sync(synced, only=("users",))["resources"]["users"]["unreadable"] == 1
    with tenant(synced):
        kept = User.objects.get(company_id=synced, remote_id=everybody[0].remote_id)
        assert User.objects.filter(company_id=synced).count() == len(rows)
    assert kept.name == everybody[0].name
    [row] = Quarantine.objects.all()
    assert row.set_aside
    assert row.field == "is_active"
    checked = verify(company_id=synced, wait=clock.wait_until)
    assert checked["drift"] == 0
    procore.control("clear-faults", all=True)
    sync(synced, only=("users",))
    assert not Quarantine.objects.exists()


def test_records_without_an_id_are_counted_and_delete_nothing(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    rows = rfis(procore)
    broken = [{**row, "id": 0} for row in rows[:2]]
    answer_with(procore, f"/rest/v1.0/projects/{project}/rfis", [*broken, *rows[2:], None])
    answer = sync(synced)
    assert answer["resources"]["rfis"]["unreadable"] == 3
    assert answer["resources"]["rfis"]["deleted"] == 0
    assert all(stored(synced, row["id"]) for row in rows)
    assert {(row.field, row.records) for row in Quarantine.objects.all()} == {
        ("id", 2),
        ("record", 1),
    }
    procore.control("clear-faults", all=True)
    sync(synced)
    assert not Quarantine.objects.exists()


def test_other_reading_code_reads_everything_of_that_list_again(
    synced: int, procore: Procore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = rfis(procore)[0]
    change(procore, record, due_date="soon")
    sync(synced, full=False)
    quiet = sync(synced, full=False)
    assert quiet["resources"]["rfis"]["fetched"] < len(rfis(procore))
    assert Quarantine.objects.count() == 1
    monkeypatch.setattr(quarantine, "RELEASE", "another")
    assert sync(synced, full=False)["resources"]["rfis"]["fetched"] >= len(rfis(procore))
    assert Quarantine.objects.get().release == "another"


def test_a_purge_takes_the_quarantine_with_it(synced: int, procore: Procore) -> None:
    change(procore, rfis(procore)[0], due_date="soon")
    sync(synced, full=False)
    assert Quarantine.objects.exists()
    purge_company(company_id=synced)
    assert not Quarantine.objects.exists()


def test_a_date_in_the_far_future_does_not_stop_incremental_syncs(
    synced: int, procore: Procore
) -> None:
    first, second = rfis(procore)[:2]
    for stamp in ("2150-01-01T00:00:00Z", "9999-12-31T00:00:00Z"):
        change(procore, first, updated_at=stamp, subject=stamp)
        sync(synced)
        change(procore, second, subject=f"after {stamp}")
        sync(synced, full=False)
        assert getattr(stored(synced, second["id"]), "subject", "") == f"after {stamp}"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html><h1>Maintenance</h1></html>", "a web page"),
        ('[{"id": 5, "subj', "an answer that breaks off"),
        ("null", "nothing"),
        ("[[1, 2], [3]]", "a list of lists"),
        ('"please wait"', "text"),
        ("{}", "an object without a list"),
        ("", "an empty answer"),
    ],
)
def test_a_list_that_is_none_is_an_incident_in_words_and_loses_nothing(
    synced: int, procore: Procore, body: str, words: str
) -> None:
    project = procore.projects()[0]
    rows = rfis(procore)
    answer_with(procore, f"/rest/v1.0/projects/{project}/rfis", body)
    change(procore, rows[0], subject="Changed meanwhile")
    answer = sync(synced)
    assert [problem["resource"] for problem in answer["problems"]] == ["rfis"]
    assert words in answer["problems"][0]["error"]
    incident = Incident.objects.get(closed_at=None)
    assert (incident.resource, incident.code) == ("rfis", "procore.unreadable")
    assert words in incident.message
    assert all(stored(synced, row["id"]) for row in rows)
    assert answer["resources"]["submittals"]["fetched"]
    procore.control("clear-faults", all=True)
    sync(synced)
    assert getattr(stored(synced, rows[0]["id"]), "subject", "") == "Changed meanwhile"
    assert not Incident.objects.filter(closed_at=None).exists()
    assert verify(company_id=synced, wait=clock.wait_until)["drift"] == 0


@pytest.mark.parametrize("total", [None, 40])
def test_a_page_that_repeats_for_ever_ends_with_an_incident(
    synced: int, procore: Procore, total: int | None
) -> None:
    project = procore.projects()[0]
    path = f"/rest/v1.0/projects/{project}/rfis"
    headers = {"Link": f'<{procore.announcement["api"]}{path}?page=2>; rel="next"'}
    if total is not None:
        headers |= {"Total": str(total), "Per-Page": "20"}
    procore.control("clear", all=True)
    answer_with(procore, path, rfis(procore), headers=headers, times=1000)
    answer = sync(synced)
    assert "does not end" in answer["problems"][0]["error"]
    assert all(stored(synced, row["id"]) for row in rfis(procore))
    calls = [call for call in procore.ledger() if call["path"] == path]
    assert len(calls) < 6


def test_more_pages_than_the_total_allows_end_with_an_incident(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    path = f"/rest/v1.0/projects/{project}/rfis"
    rows = rfis(procore)
    headers = {"Link": f'<{path}>; rel="next"', "Total": "2", "Per-Page": "1"}
    for row in rows[:10]:  # each page has another record
        answer_with(procore, path, [row], headers=headers, times=1)
    answer = sync(synced)
    assert "does not end" in answer["problems"][0]["error"]
    assert all(stored(synced, row["id"]) for row in rows)


def test_the_command_counts_what_could_not_be_read_and_ends_well(
    synced: int, procore: Procore, capsys: pytest.CaptureFixture[str]
) -> None:
    change(procore, rfis(procore)[0], due_date=[{"day": 1}], cost_impact={"value": "9e99"})
    call_command("sync", str(synced))
    answer = json.loads(capsys.readouterr().out)
    assert answer["resources"]["rfis"]["unreadable"] == 1
    assert all("unreadable" in counts for counts in answer["resources"].values())


def test_it_is_shown_on_pages_and_in_the_dashboard(synced: int, procore: Procore) -> None:
    change(procore, rfis(procore)[0], due_date="soon")
    change(procore, rfis(procore)[1], due_date="later", cost_impact={"value": "9e99"})
    sync(synced, full=False)
    home = Frame(procore, synced).sign_in("admin").get("/embedded/home/")
    with tenant(synced):
        total = Rfi.objects.filter(company_id=synced).count()
    assert f"2 of {total} records could not be read in full: RFIs." in text_of(home)
    page = text_of(admin_of(Role.VIEWER).get("/dashboard/unreadable/"))
    assert "RFIs, 1 project due_date text where a date was expected 2 field empty" in page
    assert "cost_impact an amount out of range 1 field empty" in page
    assert "soon" not in page
    tenant_page = admin_of(Role.VIEWER).get(f"/dashboard/tenants/{synced}/")
    assert f"/dashboard/unreadable/?company={synced}" in tenant_page.content.decode()


def test_bad_input_over_the_wire_costs_fields_and_no_record(synced: int, procore: Procore) -> None:
    """Each on its own record, all in one page, with a record that comes twice."""
    rows = rfis(procore)
    assert len(rows) > 9
    bad: list[dict[str, Any]] = [
        {"due_date": "0001-01-01"},
        {"due_date": "9999-12-31"},
        {"subject": "x" * 10_000_000},
        {"cost_impact": {"value": "9" * 30}},
        {"updated_at": "9999-12-31T23:59:59Z"},
        {"deleted_at": "0001-01-01T00:00:00Z"},
    ]
    page = [{**row, **change} for row, change in zip(rows, bad, strict=False)]
    first, second = rows[6], rows[7]
    later = {**first, "updated_at": "2031-01-01T00:00:00Z", "subject": "changed later"}
    page += [later, {**first, "subject": "changed before"}, *rows[7:]]
    page += [{**second, "id": key} for key in (0, -1, 2**63, 2**70)]
    answer_with(procore, f"/rest/v1.0/projects/{procore.projects()[0]}/rfis", page)
    answer = sync(synced)
    assert not answer["problems"]
    assert answer["resources"]["rfis"]["deleted"] == 0
    assert answer["resources"]["rfis"]["unreadable"] == len(bad) + 4
    assert all(stored(synced, row["id"]) for row in rows)
    assert getattr(stored(synced, first["id"]), "subject", "") == "changed later"
    assert getattr(stored(synced, rows[2]["id"]), "subject", None) == ""
    assert {row.shape for row in Quarantine.objects.all()} == {
        "a date out of range",
        "text that is too long",
        "an amount out of range",
        "a date and time out of range",
        "no usable id",
    }
    assert verify(company_id=synced, wait=clock.wait_until)["drift"] == 0
