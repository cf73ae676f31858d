import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from partner_app.connections.doctor import examine, unguarded_tables
from partner_app.core import clock
from partner_app.estimates.models import Estimate
from partner_app.tenancy.context import tenant
from partner_app.tenancy.models import Company


@pytest.fixture
def two_companies(database: None) -> tuple[int, int]:
    for number in (1, 2):
        Company.objects.create(id=number, name=f"Company {number}", state_since=clock.now())
    return 1, 2


def estimate(company_id: int) -> Estimate:
    return Estimate.objects.create(
        company_id=company_id,
        project_id=9,
        file_name="a.csv",
        file_hash=b"x",
        total=1,
        created_at=clock.now(),
    )


def test_without_a_tenant_no_row_is_seen_and_none_can_be_written(
    two_companies: tuple[int, int],
) -> None:
    with tenant(1):
        estimate(1)
    assert Estimate.objects.count() == 0
    with pytest.raises(ProgrammingError), transaction.atomic():
        estimate(1)


def test_one_tenant_never_sees_or_writes_another(two_companies: tuple[int, int]) -> None:
    with tenant(1):
        mine = estimate(1)
    with tenant(2):
        assert not Estimate.objects.filter(id=mine.id).exists()
        assert Estimate.objects.filter(id=mine.id).update(file_name="stolen") == 0
    with pytest.raises(ProgrammingError), tenant(2):
        estimate(1)


def test_the_guard_ends_with_its_transaction_and_a_nested_one_restores_the_outer(
    two_companies: tuple[int, int],
) -> None:
    with tenant(1):
        estimate(1)
        with tenant(2):
            assert Estimate.objects.count() == 0
        assert Estimate.objects.count() == 1
        with pytest.raises(IntegrityError), tenant(2), connection.cursor() as cursor:
            cursor.execute("INSERT INTO tenancy_company (id) VALUES (1)")
        assert Estimate.objects.count() == 1
    assert Estimate.objects.count() == 0


def test_even_the_owner_of_the_schema_is_bound(two_companies: tuple[int, int]) -> None:
    with tenant(1):
        estimate(1)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM estimates_estimate")
        assert cursor.fetchone()[0] == 0


def test_every_tenant_table_is_guarded_and_the_doctor_says_so(procore: object) -> None:
    assert unguarded_tables() == []
    assert examine()["ok"] is True


def test_the_doctor_finds_a_table_that_lost_its_guard(procore: object) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE procore_rfi NO FORCE ROW LEVEL SECURITY")
        try:
            assert unguarded_tables() == ["procore_rfi"]
            assert examine()["ok"] is False
        finally:
            cursor.execute("ALTER TABLE procore_rfi FORCE ROW LEVEL SECURITY")


def test_the_audit_log_cannot_be_rewritten_by_the_app(database: None) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
