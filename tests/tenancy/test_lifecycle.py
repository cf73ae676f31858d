"""From installed to purged and back: only valid transitions, calls end at once, no data left."""

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from django.db import connections

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.schedule import claim_due, make_due
from integrations.procore.sync.services import sync_now
from integrations.procore.sync.tasks import housekeeping
from partner_app.audit.models import AuditEvent
from partner_app.connections.discover import discover
from partner_app.connections.models import Connection
from partner_app.core import clock
from partner_app.embedded.models import Entitlement
from partner_app.tenancy import lifecycle
from partner_app.tenancy.context import tenant
from partner_app.tenancy.errors import CompanyUnknown, MoveUnlawful
from partner_app.tenancy.export import export_company
from partner_app.tenancy.lifecycle import MOVES, company_or_error, note_installed
from partner_app.tenancy.models import Company, CompanyState, Installation
from tests.frame import Frame, text_of
from tests.procore import Procore


def leave(procore: Procore) -> None:
    procore.control("installs", company_id=procore.company_id, permitted_projects=None)


def come_back(procore: Procore) -> None:
    procore.control("installs", company_id=procore.company_id, permitted_projects="all")


def state(company_id: int) -> str:
    return Company.objects.get(id=company_id).state


def grace_over(company_id: int) -> None:
    Company.objects.filter(id=company_id).update(purge_after=clock.now() - timedelta(seconds=1))


@pytest.mark.parametrize(("before", "after"), list(product(CompanyState, repeat=2)))
def test_only_lawful_moves_are_made(
    database: None, before: CompanyState, after: CompanyState
) -> None:
    company = Company(id=1, name="A", state=before, state_since=clock.now())
    if after in MOVES[before]:
        lifecycle._move(company, after)
        assert company.state == after
    else:
        with pytest.raises(MoveUnlawful):
            lifecycle._move(company, after)


def test_every_state_can_be_left_and_reached() -> None:
    assert set(MOVES) == set(CompanyState)
    assert set().union(*MOVES.values()) == set(CompanyState)


def test_an_uninstall_ends_calls_sessions_and_tokens_at_once(admin: Frame) -> None:
    procore, company = admin.procore, admin.company_id
    make_due(company_id=company)
    leave(procore)
    assert discover()["gone"] == 1
    assert state(company) == "grace"
    procore.control("clear", all=True)
    assert claim_due() == []
    refused = admin.get("/embedded/home/")
    assert refused.status_code in {401, 409}
    assert "Lakefront" not in text_of(refused)
    with tenant(company):
        assert not Connection.objects.exists()
    calls = [c for c in procore.ledger() if c["company_id"] == company]
    assert calls == []


def test_not_connected_in_the_middle_of_a_sync_ends_it_there(synced: int, procore: Procore) -> None:
    procore.control("installs", company_id=synced, permitted_projects=None, service_account=False)
    with pytest.raises(Exception, match="not installed"):
        sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    assert state(synced) == "grace"
    assert procore.violations() == []


def test_a_return_within_the_grace_goes_on_with_the_data_that_is_there(
    synced: int, procore: Procore
) -> None:
    leave(procore)
    discover()
    come_back(procore)
    assert discover()["new"] == 1
    assert state(synced) == "active"
    assert Company.objects.get(id=synced).purge_after is None
    with tenant(synced):
        assert RESOURCES["rfis"]._base_manager.exists()
    history = Installation.objects.filter(company_id=synced).order_by("installed_at")
    assert [bool(row.uninstalled_at) for row in history] == [True, False]
    assert AuditEvent.objects.filter(event="company.reinstalled").count() == 1


def test_after_the_grace_no_row_of_the_company_is_left_in_any_table(
    admin: Frame, tmp_path: Path
) -> None:
    """Searches every table for the company's id and for words that only it has."""
    company = admin.company_id
    admin.get("/embedded/home/")
    leave(admin.procore)
    discover()
    assert traces(company)
    housekeeping()
    assert state(company) == "grace"
    grace_over(company)
    housekeeping()
    assert traces(company) == {"audit_auditevent"}
    with pytest.raises(CompanyUnknown):
        company_or_error(company)
    kept = AuditEvent.objects.filter(company_id=company).values_list("event", "facts", "subject")
    assert "Lakefront" not in str(list(kept))
    come_back(admin.procore)
    assert discover()["new"] == 1
    assert state(company) == "active"


def traces(company_id: int) -> set[str]:
    """Tables with a row that mentions the company, read without row-level security."""
    found = set()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            try:
                cursor.execute(
                    f"SELECT count(*) FROM {table} t WHERE to_jsonb(t)::text ~ %s",
                    [rf"\y{company_id}\y|Lakefront|Halden Bay"],
                )
                if cursor.fetchone()[0]:
                    found.add(table)
            finally:
                cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [table])
                if cursor.fetchone()[0]:
                    cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    return found


def test_a_company_that_wants_no_grace_is_purged_at_the_next_housekeeping(
    synced: int, procore: Procore
) -> None:
    Company.objects.filter(id=synced).update(grace_days=0)
    leave(procore)
    discover()
    housekeeping()
    assert not Company.objects.filter(id=synced).exists()


def test_an_interrupted_closing_down_is_finished_by_housekeeping(
    synced: int, procore: Procore
) -> None:
    leave(procore)
    lifecycle.note_gone(company_id=synced)
    assert state(synced) == "disconnected"
    housekeeping()
    assert state(synced) == "grace"


def test_no_permitted_project_degrades_and_permitting_them_again_recovers(
    synced: int, procore: Procore
) -> None:
    procore.control("installs", company_id=synced, update="1.1.0")
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    company = Company.objects.get(id=synced)
    assert (company.state, company.state_reason) == (
        "degraded",
        "No project is permitted for the app in Procore.",
    )
    come_back(procore)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert state(synced) == "active"
    assert procore.violations() == []


def test_a_tool_that_procore_takes_away_degrades_with_its_name(
    synced: int, procore: Procore
) -> None:
    procore.control("service-tools", tools=["rfis", "submittals", "change_events", "commitments"])
    sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    company = Company.objects.get(id=synced)
    assert company.state == "degraded"
    assert "Budget rows" in company.state_reason


def test_what_is_past_its_time_is_deleted(admin: Frame) -> None:
    admin.get("/embedded/home/")
    old = clock.now() - timedelta(days=3)
    with tenant(admin.company_id):
        assert Entitlement.objects.update(checked_at=old)
    housekeeping()
    with tenant(admin.company_id):
        assert not Entitlement.objects.exists()


def test_an_export_is_recorded(synced: int, tmp_path: Path) -> None:
    export_company(company_id=synced, output=tmp_path)
    assert AuditEvent.objects.filter(event="company.exported", company_id=synced).exists()


def test_a_second_word_of_the_same_install_is_no_news(database: None) -> None:
    assert note_installed(company_id=5, name="A") is True
    assert note_installed(company_id=5, name="B") is False
    assert Company.objects.get(id=5).name == "B"
