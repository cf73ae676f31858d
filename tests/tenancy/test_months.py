"""Operational tables are partitioned by month; the app creates and drops partitions safely."""

from datetime import date, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection

from integrations.procore.sync.models import SyncRun, SyncStep
from integrations.procore.webhooks.inbox import NO_MONTH, Payload, Told, accept, month_of_ulid
from integrations.procore.webhooks.models import WebhookEvent
from partner_app.core import clock
from partner_app.core.partitions import keep_months, month_of
from tests.environment import SUPERUSER_URL

EVENTS = WebhookEvent._meta.db_table
STEPS = SyncStep._meta.db_table
EXAMPLE = "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # from ULID's specification, of July 2016
PARTS = """
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = %s::regclass
"""


def ask(statement: str, *values: str | date) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [found for (found,) in cursor.fetchall()] if cursor.description else []


def part_of(ulid: str) -> str:
    return ask(f"SELECT tableoid::regclass::text FROM {EVENTS} WHERE ulid = %s", ulid)[0]


def deliver(company_id: int, ulid: str) -> None:
    accept([Told(company_id, Payload(id=ulid, resource_type="RFIs", project_id=5))])


def test_this_month_and_the_next_two_have_parts(database: None) -> None:
    keep_months()
    month = month_of(clock.now().date())
    for _ in range(3):
        for table in (EVENTS, STEPS):
            assert f"{table}_{month:%Y%m}" in ask(PARTS, table)
        month = month_of(month + timedelta(days=31))


def test_an_event_of_a_month_without_a_part_is_kept_and_moved(synced: int) -> None:
    deliver(synced, EXAMPLE)
    assert part_of(EXAMPLE) == f"{EVENTS}_rest"
    ask("SELECT tieback_make_month(%s, %s)", EVENTS, date(2016, 7, 30))
    assert part_of(EXAMPLE) == f"{EVENTS}_201607"
    deliver(synced, EXAMPLE)
    assert WebhookEvent.objects.count() == 1


def test_a_part_is_dropped_when_its_month_is_past(synced: int) -> None:
    ask("SELECT tieback_make_month(%s, %s)", EVENTS, date(2016, 7, 1))
    deliver(synced, EXAMPLE)
    assert f"{EVENTS}_201607" in keep_months()
    assert f"{EVENTS}_201607" not in ask(PARTS, EVENTS)
    assert not WebhookEvent.objects.exists()


def test_a_clock_that_is_wrong_drops_no_young_part(database: None) -> None:
    keep_months()
    before = ask(PARTS, EVENTS)
    ask("SELECT tieback_drop_months(%s, %s)", EVENTS, date(2100, 1, 1))
    ninety_days_ago = month_of(clock.now().date() - timedelta(days=90))
    young = [part for part in before if part[-6:] >= f"{ninety_days_ago:%Y%m}"]
    assert len(young) >= 3
    assert set(young) <= set(ask(PARTS, EVENTS))


def test_steps_lie_in_the_month_of_their_run(synced: int) -> None:
    [month] = ask(f"SELECT DISTINCT month FROM {STEPS}")
    assert month == month_of(clock.now().date())
    assert ask(f"SELECT DISTINCT tableoid::regclass::text FROM {STEPS}") == [
        f"{STEPS}_{month:%Y%m}"
    ]


@pytest.mark.parametrize(
    "statement",
    [
        f"SELECT count(*) FROM {EVENTS}_rest",
        f"DROP TABLE {EVENTS}_rest",
        "CREATE TABLE of_its_own (id bigint)",
        f"ALTER TABLE {EVENTS} DETACH PARTITION {EVENTS}_rest",
    ],
)
def test_the_apps_role_owns_no_part(database: None, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        ask(statement)


def test_a_table_without_parts_gets_none(database: None) -> None:
    with pytest.raises(Exception, match="has no parts"):
        ask("SELECT tieback_make_month(%s, %s)", "procore_project", date(2026, 7, 1))


@pytest.mark.parametrize(
    ("ulid", "month"),
    [
        (EXAMPLE, date(2016, 7, 1)),
        ("01KB4A9G00ZZZZZZZZZZZZZZZZ", date(2025, 11, 1)),
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", NO_MONTH),  # the year 10889
        ("00000000000000000000000000", NO_MONTH),
        ("unreadable-0a1b", NO_MONTH),
        ("", NO_MONTH),
    ],
)
def test_the_month_of_a_ulid_is_that_of_its_own_time(ulid: str, month: date) -> None:
    assert month_of_ulid(ulid) == month


OLD_STEP = """
INSERT INTO procore_syncstep (run_id, company_id, resource, project_id, sweep, done, error,
    error_code, error_remedy, fetched, created, updated, deleted, unchanged, requests)
VALUES (%s, %s, 'rfis', 5, false, true, '', '', '', 7, 7, 0, 0, 0, 1)
"""
OLD_EVENT = """
INSERT INTO procore_webhookevent (company_id, ulid, resource_type, reason, received_at)
VALUES (%s, %s, 'RFIs', 'update', now())
"""


def test_what_the_release_before_wrote_is_taken_over_and_goes_with_its_run(synced: int) -> None:
    run = SyncRun.objects.filter(company_id=synced).latest("started_at")
    with psycopg.connect(SUPERUSER_URL, autocommit=True) as before:
        before.execute(OLD_STEP, [run.id, synced])
        before.execute(OLD_EVENT, [synced, EXAMPLE])
        try:
            call_command("migrate", "procore", "0012", database="owner", verbosity=0)
        finally:
            call_command("migrate", "procore", database="owner", verbosity=0)
            call_command("provision_database", stdout=StringIO())  # for the tables created again
        step = SyncStep.objects.get(run=run)
        assert (step.resource, step.fetched, step.month) == ("rfis", 7, run.month)
        assert WebhookEvent.objects.get().ulid == EXAMPLE
        deliver(synced, "01KB4A9G00ZZZZZZZZZZZZZZZZ")
        assert WebhookEvent.objects.count() == 2
        run.delete()
        assert before.execute("SELECT count(*) FROM procore_syncstep").fetchone() == (0,)
