"""Two isolated tenants: every table, address, command and task, tried with the other's ids.

And a check of the check: with any single policy removed, the suite fails.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import (
    DatabaseError,
    ProgrammingError,
    connection,
    connections,
    models,
    transaction,
)
from django.urls import URLPattern, URLResolver, get_resolver

from integrations.procore.resources.budget_views import View
from integrations.procore.sync.pinning import pin_view
from integrations.procore.sync.services import sync_now
from partner_app.accounts.grants import allow_support
from partner_app.accounts.models import SupportGrant
from partner_app.connections.discover import discover
from partner_app.connections.doctor import unguarded_tables
from partner_app.connections.rights import check as check_rights
from partner_app.core import clock
from partner_app.embedded.session import Viewer
from partner_app.estimates.errors import EstimateUnknown, ProjectUnknown
from partner_app.estimates.files import ask_new
from partner_app.estimates.mapping.memory import learn
from partner_app.estimates.models import Estimate, FileReading
from partner_app.estimates.services import import_estimate, take_estimate
from partner_app.handoffs.cli import (
    approve_handoff,
    plan_handoff,
    push_handoff,
    undo_handoff,
)
from partner_app.handoffs.errors import NoPlan
from partner_app.handoffs.models import Handoff, HandoffState
from partner_app.insights.digests import subscribe
from partner_app.insights.models import ExceptionCase, SavedView
from partner_app.tenancy.context import SETTING, tenant
from tests.frame import Frame, text_of
from tests.handoffs.test_handoff import SMALL
from tests.procore import Procore

LIMITS = {
    "over_commitment": 1, "buyout_gap": 1, "pending_exposure": 1, "handoff_drift": 1,
    "invoice_over_contract": 1, "rfi_days": 1, "submittal_days": 1, "event_days": 1,
}  # fmt: skip
OF_A_ROW = r"<(int|uuid):"  # an id in an address; words alone name no tenant's rows
TENANT_MODELS = [m for m in apps.get_models() if getattr(m, "tenant_table", False)]
TABLES = [model._meta.db_table for model in TENANT_MODELS]


@pytest.fixture
def two(procore: Procore, tmp_path: Any) -> tuple[int, int]:
    """Both companies connected, synced, opened, with an estimate, a plan and a grant each."""
    discover()
    for company in (procore.company_id, procore.neighbour_id):
        project = procore.projects(company)[0]
        sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
        # In a project with three tiers, an approved order becomes a package.
        order = procore.records(project, "change_orders")[0]["id"]
        procore.control(f"projects/{project}/change_orders/{order}", set={"status": "approved"})
        procore.control(f"projects/{project}/three-tiers", tiers=3)
        packages = ["change_order_packages", "potential_change_orders"]
        sync_now(company_id=company, full=True, only=packages, wait=clock.wait_until)
        check_rights(company_id=company, mirrored=[])
        pin_view(company_id=company, view=View(1, "Site"), columns=[], actor="test")
        admin = Frame(procore, company).sign_in("admin")
        admin.get("/embedded/home/")
        subscribe(Viewer(company, procore.person("admin", company)["id"]), weekly=True)
        admin.post("/embedded/views/", name="All", path="/embedded/exceptions/")
        admin.post("/embedded/settings/exceptions/", **LIMITS)
        allow_support(company_id=company, granted_by=1, hours=1)
        mapping = tmp_path / "mapping.csv"
        mapping.write_text("item_code,wbs_code,percent\n*,03-100.S,\n")
        answer = import_estimate(
            file=SMALL, company_id=company, project_id=project, mapping=mapping, dry_run=False
        )
        estimate_id = str(answer["estimate_id"])
        plan_handoff(company_id=company, estimate_id=estimate_id)
        with tenant(company):
            learn(company_id=company, estimate_id=UUID(estimate_id))
        take_estimate(
            company_id=company,
            project_id=project,
            name="with-a-bad-cell.csv",
            content=b"Item,Description,Amount\n1,Dig,5\n2,Fill,five\n",
            actor="procore:1",
        )
        ask_new(
            company_id=company,
            project_id=project,
            name="not-read-yet.csv",
            pieces=[b"Item,Description,Amount\n1,Dig,5\n"],
            actor="procore:1",
        )
    return procore.company_id, procore.neighbour_id


def leaks(table: str, mine: int, other: int) -> list[str]:
    """The attacks that reach rows as the runtime role, without a tenant or as another tenant."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        if cursor.fetchone()[0]:
            found.append("read without a tenant")
    [model] = [model for model in TENANT_MODELS if model._meta.db_table == table]
    columns = [f'"{field.column}"' for field in model._meta.concrete_fields]
    # A row of our own, with the other's company id.
    values = [str(other) if column == '"company_id"' else column for column in columns]
    attacks = {
        "read": f"SELECT company_id FROM {table} WHERE company_id = {other}",
        "updated": f"UPDATE {table} SET company_id = company_id WHERE company_id = {other}",
        "deleted": f"DELETE FROM {table} WHERE company_id = {other}",
        "inserted": f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM {table} WHERE company_id = {mine} LIMIT 1",
    }
    for name, statement in attacks.items():
        with tenant(mine), connection.cursor() as cursor:
            cursor.execute("SAVEPOINT attack")
            try:
                cursor.execute(statement)
                if cursor.rowcount:
                    found.append(name)
            except DatabaseError as error:
                # Postgres checks the policy before any constraint.
                if "row-level security" not in str(error):
                    found.append(f"{name}, up to a constraint")
            cursor.execute("ROLLBACK TO SAVEPOINT attack")
    return found


def filled(table: str) -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        cursor.execute(f"SELECT count(DISTINCT company_id) FROM {table}")
        count: int = cursor.fetchone()[0]
        cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    return count


def test_no_table_gives_a_row_to_another_tenant_or_takes_one(two: tuple[int, int]) -> None:
    mine, other = two
    assert len(TABLES) > 15
    assert {table for table in TABLES if filled(table) < 2} == set(), (
        "an empty table proves nothing"
    )
    assert {table: found for table in TABLES if (found := leaks(table, mine, other))} == {}


def test_removing_any_single_policy_is_noticed(two: tuple[int, int]) -> None:
    """Mutation check: each table in turn loses its policy, and the attack above succeeds."""
    mine, other = two
    guard = f"(company_id = NULLIF(current_setting('{SETTING}', true), '')::bigint)"
    unnoticed = []
    for table in TABLES:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"ALTER POLICY tenant ON {table} USING (true) WITH CHECK (true)")
            try:
                if not leaks(table, mine, other):
                    unnoticed.append(table)
            finally:
                cursor.execute(f"ALTER POLICY tenant ON {table} USING {guard} WITH CHECK {guard}")
    assert unnoticed == []


@pytest.mark.parametrize(
    ("harm", "mend"),
    [
        ("NO FORCE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"),
        ("DISABLE ROW LEVEL SECURITY", "ENABLE ROW LEVEL SECURITY"),
    ],
)
def test_the_doctor_names_a_table_that_lost_its_guard(database: None, harm: str, mend: str) -> None:
    for table in TABLES:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} {harm}")
            try:
                assert unguarded_tables() == [table]
            finally:
                cursor.execute(f"ALTER TABLE {table} {mend}")
    assert unguarded_tables() == []


def test_two_tenants_over_one_server_connection_never_see_each_other(two: tuple[int, int]) -> None:
    """As behind a pooler in transaction mode: each transaction may come from another client."""
    first, second = two
    url = settings.DATABASES["default"]
    with psycopg.connect(
        dbname=url["NAME"],
        user=url["USER"],
        host=url["OPTIONS"].get("host") or url["HOST"] or None,
        port=url["PORT"] or None,
        prepare_threshold=None,
    ) as server:
        for company in (first, second, first, None, second, None):
            with server.transaction():
                if company:
                    server.execute("SELECT set_config(%s, %s, true)", [SETTING, str(company)])
                rows = server.execute("SELECT DISTINCT company_id FROM procore_rfi").fetchall()
            assert [row[0] for row in rows] == ([company] if company else [])
        broken = "SELECT set_config(%s, %s, true), 1/0"
        with pytest.raises(psycopg.errors.DivisionByZero), server.transaction():
            server.execute(broken, [SETTING, str(first)])
        assert server.execute("SELECT count(*) FROM procore_rfi").fetchone() == (0,)


def test_a_row_cannot_point_at_another_tenants_row(two: tuple[int, int]) -> None:
    """Each foreign key between tenant tables includes the company."""
    bare = []
    for model in TENANT_MODELS:
        for field in model._meta.concrete_fields:
            target = field.related_model if isinstance(field, models.ForeignKey) else None
            if target in TENANT_MODELS:
                with connection.cursor() as cursor:
                    cursor.execute(
                        """SELECT count(*) FROM pg_constraint WHERE contype = 'f'
                        AND conrelid = %s::regclass AND confrelid = %s::regclass
                        AND array_length(conkey, 1) >= 2""",  # it may include the project too
                        [model._meta.db_table, target._meta.db_table],
                    )
                    if cursor.fetchone()[0] == 0:
                        bare.append(f"{model._meta.label}.{field.name}")
    assert bare == []


def addresses(patterns: list[Any], before: str = "/") -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, before + str(entry.pattern))
        elif isinstance(entry, URLPattern):
            yield before + str(entry.pattern)


def test_every_address_with_an_id_refuses_the_other_tenants(
    two: tuple[int, int], procore: Procore
) -> None:
    """All embedded addresses are found automatically, so that a new one cannot be forgotten."""
    mine, other = two
    viewer = Frame(procore, mine).sign_in("admin")
    project = procore.projects(other)[0]
    rfi = procore.records(project, "rfis")[0]
    ids = {
        "<int:project_id>": str(project),
        "<slug:kind>": "open-rfis",
        "<str:view>": "rfi.detail",
        "<int:record_id>": str(rfi["id"]),
        "<slug:slug>": "divisions",
        "<str:form>": "csv",
    }
    with tenant(other):
        ids["<int:case_id>"] = str(ExceptionCase.objects.filter(closed_at=None)[0].id)
        ids["<int:view_id>"] = str(SavedView.objects.get().id)
        handoff = Handoff.objects.get()
        ids["<uuid:handoff_id>"] = str(handoff.id)
        ids["<uuid:estimate_id>"] = str(handoff.estimate_id)
        ids["<uuid:reading_id>"] = str(FileReading.objects.get().id)
    tried = []
    for address in addresses(get_resolver().url_patterns):
        if not address.startswith("/embedded/") or not re.search(OF_A_ROW, address):
            continue
        for name, value in ids.items():
            address = address.replace(name, value)
        assert "<" not in address, f"teach this test the ids of {address}"
        answer = viewer.get(address)
        if answer.status_code == 405:
            answer = viewer.post(address)
        assert answer.status_code == 404, address
        assert rfi["subject"] not in text_of(answer)
        tried.append(address)
    assert len(tried) >= 20
    with tenant(other):
        assert Handoff.objects.get().state == HandoffState.PLANNED


def test_a_company_named_in_the_address_is_only_a_hint(
    two: tuple[int, int], procore: Procore
) -> None:
    mine, other = two
    viewer = Frame(procore, mine).sign_in("admin")
    for path in ("/embedded/home/", "/embedded/progress/", "/embedded/settings/"):
        answer = viewer.get(path, company_id=other)
        assert "Cormorant" not in text_of(answer)


def test_services_called_with_the_others_ids_refuse(two: tuple[int, int], procore: Procore) -> None:
    mine, other = two
    foreign = procore.projects(other)[0]
    with pytest.raises(ProjectUnknown):
        import_estimate(
            file=SMALL, company_id=mine, project_id=foreign, mapping=None, dry_run=False
        )
    with tenant(other):
        estimate_id = str(Estimate.objects.get(file_name=SMALL.name).id)
    for service in (plan_handoff, approve_handoff, push_handoff, undo_handoff):
        with pytest.raises((EstimateUnknown, NoPlan)):
            service(company_id=mine, estimate_id=estimate_id)


def test_a_session_of_one_company_says_nothing_in_another(
    two: tuple[int, int], procore: Procore
) -> None:
    """A person of both companies needs a sign-in for each: a bearer is for one company."""
    mine, other = two
    viewer = Frame(procore, other).sign_in("admin")
    text = text_of(viewer.get("/embedded/home/"))
    assert "Halden" not in text
    assert str(procore.projects(mine)[0]) not in viewer.get("/embedded/home/").content.decode()


def test_unset_means_no_rows_and_no_writes(two: tuple[int, int]) -> None:
    for model in TENANT_MODELS:
        assert model._base_manager.count() == 0
    now = clock.now()
    grant = SupportGrant(company_id=two[0], granted_by=1, granted_at=now, until=now)
    with pytest.raises(ProgrammingError), transaction.atomic():
        grant.save()
