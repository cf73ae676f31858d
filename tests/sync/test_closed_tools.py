"""Tools that Procore denies the app on a project cost one call a project, not one a list."""

from datetime import timedelta

import pytest

from integrations.procore.resources.registry import RESOURCES
from integrations.procore.sync.models import SyncCursor
from integrations.procore.sync.schedule import make_due
from integrations.procore.sync.services import run_due, sync_now
from partner_app.core import clock
from tests.procore import Procore

OPEN = ["budget", "rfis", "submittals", "directory", "observations", "punch_list"]
PERMISSIONS = "/rest/v1.0/settings/permissions"
CLOSED = {name for name, model in RESOURCES.items() if model.spec.tool == "commitments"}


def paths(procore: Procore) -> list[str]:
    return [call["path"] for call in procore.ledger() if call["path"].startswith("/rest/")]


def refusals(procore: Procore) -> list[str]:
    return [call["path"] for call in procore.ledger() if call["status"] in {403, 404}]


def read_all(company: int) -> None:
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)


def a_day_passes(company: int) -> None:
    day = timedelta(days=1, minutes=1)
    for cursor in SyncCursor.objects.filter(company_id=company).exclude(refused_at=None):
        cursor.refused_at = cursor.refused_at - day if cursor.refused_at else None
        cursor.save(update_fields=["refused_at"])


@pytest.fixture
def closed(company: int, procore: Procore) -> int:
    """Synced once while contracts, change events and direct costs are denied."""
    procore.control("service-tools", tools=OPEN)
    procore.control("clear", all=True)
    read_all(company)
    return company


def test_a_first_reading_asks_each_project_once_what_is_closed(
    closed: int, procore: Procore
) -> None:
    asked = paths(procore)
    assert asked.count(PERMISSIONS) == len(procore.projects())
    refused = SyncCursor.objects.filter(company_id=closed, resource__in=CLOSED)
    lists = refused.exclude(refused_at=None)
    assert set(lists.values_list("resource", flat=True)) >= {"commitments", "change_orders"}
    assert set(lists.values_list("trouble", flat=True)) == {"procore.forbidden"}


@pytest.mark.parametrize("full", [True, False])
def test_a_day_later_the_tools_are_asked_for_and_not_the_lists(
    closed: int, procore: Procore, *, full: bool
) -> None:
    a_day_passes(closed)
    procore.control("clear", all=True)
    before = clock.now()
    if full:
        read_all(closed)
    else:
        make_due(company_id=closed)
        run_due(company_id=closed, wait=clock.wait_until)
    assert refusals(procore) == []
    assert paths(procore).count(PERMISSIONS) == len(procore.projects())
    refused = SyncCursor.objects.filter(company_id=closed, resource="commitments")
    assert all(cursor.refused_at and cursor.refused_at >= before for cursor in refused)


def test_within_the_day_neither_is_asked(closed: int, procore: Procore) -> None:
    procore.control("clear", all=True)
    make_due(company_id=closed)
    run_due(company_id=closed, wait=clock.wait_until)
    assert refusals(procore) == []
    assert PERMISSIONS not in paths(procore)


def test_a_tool_that_is_opened_again_is_read(closed: int, procore: Procore) -> None:
    procore.control("service-tools", tools=[*OPEN, "commitments", "change_events", "direct_costs"])
    a_day_passes(closed)
    read_all(closed)
    assert not SyncCursor.objects.filter(company_id=closed).exclude(refused_at=None).exists()
    model = RESOURCES["commitments"]
    assert procore.records(procore.projects()[0], "work_order_contracts")
    assert (
        SyncCursor.objects.filter(
            company_id=closed, resource=model.spec.name, fresh_at=None
        ).count()
        == 0
    )


def test_where_procore_does_not_say_the_lists_are_asked(company: int, procore: Procore) -> None:
    """A service account that cannot read permissions: one try in a run, then the lists."""
    procore.control("service-account", company_id=company, answers=False)
    procore.control("service-tools", tools=OPEN)
    read_all(company)
    a_day_passes(company)
    procore.control("clear", all=True)
    read_all(company)
    asked = paths(procore)
    assert asked.count(PERMISSIONS) == 1
    assert len([path for path in refusals(procore) if path != PERMISSIONS]) > 1
