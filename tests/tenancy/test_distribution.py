"""Every tenant table can be distributed by company, as Citus requires.

Citus itself is not here: the plan's statements run on the migrated schema with the rows of two
companies, and the catalog is then checked against the rules that Citus documents.
"""

import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.tenancy.distribution import COMPANIES, DistributionPlan
from tests.environment import SUPERUSER_URL
from tests.frame import Frame
from tests.procore import Procore

TENANT_TABLES = {m._meta.db_table for m in apps.get_models() if getattr(m, "tenant_table", False)}
UNIQUE = """
SELECT cls.relname::text, idx.indexrelid::regclass::text,
    EXISTS (SELECT FROM pg_attribute att WHERE att.attrelid = idx.indrelid
        AND att.attname = 'company_id' AND att.attnum = ANY (idx.indkey::int2[]))
FROM pg_index idx JOIN pg_class cls ON cls.oid = idx.indrelid WHERE idx.indisunique
"""
REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text, conname::text,
    (SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[place]),
    (SELECT attname::text FROM pg_attribute WHERE attrelid = confrelid AND attnum = confkey[place])
FROM pg_constraint, generate_subscripts(conkey, 1) AS place
WHERE contype = 'f' AND conparentid = 0
"""


@pytest.fixture
def planned(synced: int) -> DistributionPlan:
    out = StringIO()
    call_command("distribution_plan", stdout=out)
    return DistributionPlan(
        **{name: tuple(rows) for name, rows in json.loads(out.getvalue()).items()}
    )


@pytest.fixture
def changed(planned: DistributionPlan) -> Iterator[psycopg.Connection[Any]]:
    """The schema that Citus requires, with a synced company's rows; rolled back afterwards."""
    with psycopg.connect(SUPERUSER_URL) as owner:
        for statement in planned.statements:
            if "create_distributed_table" not in statement:
                owner.execute(statement)
        yield owner
        owner.rollback()


def test_every_table_with_customer_content_is_distributed(planned: DistributionPlan) -> None:
    assert set(planned.distributed) >= TENANT_TABLES
    assert COMPANIES in planned.distributed
    created = [text for text in planned.statements if "create_distributed_table" in text]
    assert len(created) == len(planned.distributed)
    assert f"'{COMPANIES}', 'id'" in created[0]


def test_the_schema_of_today_is_not_yet_what_citus_wants(planned: DistributionPlan) -> None:
    """Otherwise the plan would prove nothing."""
    with connection.cursor() as cursor:
        cursor.execute(UNIQUE)
        lacking = [index for table, index, has in cursor.fetchall()
                   if table in set(planned.distributed) - {COMPANIES} and not has]  # fmt: skip
    assert lacking


def test_after_the_plan_every_unique_key_of_a_distributed_table_has_the_company(
    planned: DistributionPlan, changed: psycopg.Connection[Any]
) -> None:
    rest = set(planned.distributed) - {COMPANIES}
    rows = changed.execute(UNIQUE).fetchall()
    assert [index for table, index, has in rows if table in rest and not has] == []


def test_after_the_plan_references_join_rows_of_one_company(
    planned: DistributionPlan, changed: psycopg.Connection[Any]
) -> None:
    distributed = set(planned.distributed)
    pairs: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for table, target, name, column, to in changed.execute(REFERENCES).fetchall():
        pairs.setdefault((table, target, name), set()).add((column, to))
    assert pairs
    for (table, target, name), columns in pairs.items():
        assert (table in distributed) is (target in distributed), name
        if target == COMPANIES:
            assert columns == {("company_id", "id")}, name
        elif target in distributed:
            assert ("company_id", "company_id") in columns, name


def test_after_the_plan_the_rows_are_all_there_and_the_references_hold(
    synced: int, planned: DistributionPlan, changed: psycopg.Connection[Any], procore: Procore
) -> None:
    changed.execute("SET CONSTRAINTS ALL IMMEDIATE")
    [row] = changed.execute(
        "SELECT count(*) FROM procore_project WHERE company_id = %s", [synced]
    ).fetchall()
    assert row[0] == len(procore.projects())


def test_no_table_of_a_tenant_is_referred_to_from_the_coordinator(
    planned: DistributionPlan,
) -> None:
    """Tables that lose a foreign key are operational and contain no customer content."""
    tables = {text.split(".")[0] for text in planned.unbound}
    assert not tables & TENANT_TABLES, planned.unbound


PAGES = (
    "home/", "exceptions/", "insights/", "search/?q=stair", "settings/", "projects/{p}/",
    "projects/{p}/insights/", "projects/{p}/open-rfis/", "projects/{p}/committed/",
    "projects/{p}/budget/", "projects/{p}/estimates/", "panel/{p}/budget/",
)  # fmt: skip
NAMED = re.compile(r'(?:FROM|JOIN|UPDATE|INTO)\s+"?(\w+)"?', re.IGNORECASE)


def test_a_page_and_a_sync_ask_for_one_company_in_each_statement(
    admin: Frame, planned: DistributionPlan
) -> None:
    """So that Citus sends each to one server: it names the company, or inserts rows that do."""
    asked: set[str] = set()

    def note(execute: Any, text: str, *rest: Any) -> Any:
        asked.add(text)
        return execute(text, *rest)

    with connection.execute_wrapper(note):
        for page in PAGES:
            answer = admin.get("/embedded/" + page.format(p=admin.procore.projects()[0]))
            assert answer.status_code == 200, page
        sync_now(company_id=admin.company_id, full=True, only=[], wait=clock.wait_until)
    of_tenants = [text for text in asked if set(NAMED.findall(text)) & TENANT_TABLES]
    assert len(of_tenants) > len(PAGES)
    assert [text for text in of_tenants if "company_id" not in text] == []
