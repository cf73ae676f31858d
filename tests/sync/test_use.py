"""Calls go where people look, over HTTP against the simulator."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from integrations.procore.resources.budget_codes import rows_of
from integrations.procore.resources.registry import RESOURCES
from integrations.procore.resources.spec import Scope
from integrations.procore.sync.errors import Paused
from integrations.procore.sync.fetching import MOST_AT_ONCE
from integrations.procore.sync.models import DueRead, DueWork, ProjectUse, SyncCursor, SyncRun
from integrations.procore.sync.order import Use
from integrations.procore.sync.remaining import remaining
from integrations.procore.sync.schedule import make_due, synced_before
from integrations.procore.sync.services import run_due
from integrations.procore.sync.use import note_opened, uses_of
from partner_app.core import clock
from partner_app.core.broker import broker
from partner_app.insights.models import CostFigure
from partner_app.insights.procore_check import procore_columns, project_check
from partner_app.insights.refresh import compute_due
from partner_app.insights.refresh import make_due as figures_due
from partner_app.insights.unread import unread_sums
from partner_app.tenancy.context import tenant
from tests.procore import Procore

INNER = {name for name, model in RESOURCES.items() if model.spec.scope is Scope.PROJECT}
COMPANY_LISTS = {
    "/oauth/token", "/rest/v1.0/companies", "/rest/v1.1/projects", "/rest/v1.0/vendors",
    "/rest/v1.0/line_item_types",
}  # fmt: skip
ROUNDS = 200


def leave(until: datetime) -> None:
    raise Paused(until)


def read_lists(company_id: int) -> dict[int, set[str]]:
    """By project, the lists read so far."""
    found: dict[int, set[str]] = {}
    rows = SyncCursor.objects.filter(company_id=company_id).exclude(fresh_at=None)
    for name, project in rows.exclude(project_id=0).values_list("resource", "project_id"):
        found.setdefault(project, set()).add(name)
    return found


def a_few_calls(company_id: int, procore: Procore) -> None:
    """Reads as much as a narrow window allows; then the worker leaves."""
    procore.control("rates", per_spike=8)
    broker().flushdb()
    with suppress(Paused):
        run_due(company_id=company_id, wait=leave)


@pytest.fixture
def narrow(company: int, procore: Procore) -> int:
    make_due(company_id=company)
    return company


def test_what_somebody_opens_is_complete_before_any_other_project(
    narrow: int, procore: Procore
) -> None:
    """Opened during the first sync, the last project by id comes first."""
    opened = max(procore.projects())
    a_few_calls(narrow, procore)
    others = [key for key in procore.projects() if key != opened]
    before = {key: read_lists(narrow).get(key) for key in others}
    note_opened(company_id=narrow, project_id=opened)
    for _ in range(ROUNDS):
        a_few_calls(narrow, procore)
        found = read_lists(narrow)
        if found.get(opened) == INNER:
            return
        assert {key: found.get(key) for key in others} == before
    pytest.fail("the open project was never complete")


def test_the_budget_of_every_project_is_read_before_the_other_lists(
    narrow: int, procore: Procore
) -> None:
    """Except for lists that threads without a budget to read start at the same time."""
    procore.control("clear", all=True)
    run_due(company_id=narrow, wait=clock.wait_until)
    paths = [call["path"] for call in procore.ledger()]
    inner = [path for path in paths if path not in COMPANY_LISTS and "/users" not in path]
    views = [path for path in inner if path == "/rest/v1.0/budget_views"]
    budgets = [place for place, path in enumerate(inner) if path.endswith("/detail_rows")]
    assert len(budgets) == len(procore.projects())
    assert max(budgets) < len(budgets) + len(views) + 2 * MOST_AT_ONCE


def test_until_records_are_read_procores_own_columns_are_shown(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    with tenant(synced):
        theirs = procore_columns(rows_of(synced, project))
    SyncCursor.objects.filter(
        company_id=synced, project_id=project, resource="commitment_line_items"
    ).update(fresh_at=None)
    figures_due(synced, [project])
    compute_due(company_id=synced)
    with tenant(synced):
        figures = CostFigure.objects.filter(company_id=synced, project_id=project)
        shown = {(f.currency, f.wbs_code_id): f.committed for f in figures}
        rows, unread = rows_of(synced, project), unread_sums(synced, project)
        checked = project_check(synced, project, rows, unread=unread)
    for key, columns in theirs.items():
        assert shown[key] == columns["committed_costs"]
    assert checked is not None
    assert [str(row.label) for row in checked.rows] == ["Direct costs"]  # the others are Procore's


def test_a_project_without_contracts_is_not_asked_for_what_hangs_on_them(
    company: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    for kind in ("work_order_contracts", "purchase_order_contracts"):
        for row in procore.records(project, kind):
            procore.control(f"projects/{project}/{kind}/{row['id']}", delete=True)
    for kind in ("change_orders", "requisitions"):
        for row in procore.records(project, kind):
            procore.control(f"projects/{project}/{kind}/{row['id']}", delete=True)
    procore.control("clear", all=True)
    make_due(company_id=company)
    run_due(company_id=company, wait=clock.wait_until)
    path = f"/rest/v1.0/projects/{project}/commitment_change_orders"
    assert path not in {call["path"] for call in procore.ledger()}
    fresh = SyncCursor.objects.get(
        company_id=company, project_id=project, resource="change_orders"
    ).fresh_at
    assert fresh is not None


def test_opening_a_project_makes_it_open_and_wakes_its_company_once(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    later = clock.now() + timedelta(hours=1)
    make_due(company_id=synced)
    due = DueWork.objects.filter(company_id=synced)
    due.update(due_at=later)
    DueRead.objects.create(company_id=synced, resource="rfis", project_id=project, due_at=later)
    note_opened(company_id=synced, project_id=project)
    assert uses_of(synced)[project] is Use.OPEN
    assert due.get().due_at <= clock.now()
    assert DueRead.objects.get(company_id=synced).due_at <= clock.now()
    due.update(due_at=later)
    note_opened(company_id=synced, project_id=project)
    assert due.get().due_at == later
    assert ProjectUse.objects.filter(company_id=synced, project_id=project).count() == 1


def test_what_is_left_of_a_reading_falls_to_nothing(narrow: int, procore: Procore) -> None:
    """The number of complete projects only grows; at the end nothing is left."""
    complete, rounds = [], 0
    while not synced_before(narrow) and (rounds := rounds + 1) < ROUNDS:
        a_few_calls(narrow, procore)
        run = SyncRun.objects.get(company_id=narrow)
        complete.append(remaining(run).complete)
    left = remaining(SyncRun.objects.get(company_id=narrow))
    assert complete == sorted(complete)
    assert (left.complete, left.calls) == (left.projects, 0)
    assert left.projects == len(procore.projects())
