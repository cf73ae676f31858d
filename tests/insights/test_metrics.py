"""Each metric by a table of its own; all of them against a recomputation from exported files."""

import json
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.sync.models import Absence
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.insights import metrics
from partner_app.insights.metrics import CodeCost, RfiTiming
from partner_app.insights.models import CostFigure, ProjectDay
from partner_app.insights.refresh import compute_due
from partner_app.tenancy.context import tenant
from partner_app.tenancy.export import export_company
from tests.procore import Procore

ROOT = Path(__file__).resolve().parents[2]
MONDAY = date(2026, 6, 1)
AMOUNTS = st.decimals(min_value=-(10**8), max_value=10**8, places=2)


def code(**amounts: int) -> CodeCost:
    return CodeCost(1, "03-300.S", "Concrete", "USD", **{k: Decimal(v) for k, v in amounts.items()})


@pytest.mark.parametrize(
    ("cost", "started", "expected"),
    [
        (code(original=100, changes=20, committed=70, direct=10), False, 40),
        (code(original=100, direct=10), False, 0),  # nothing committed, not started
        (code(original=100, direct=10), True, 90),
        (code(original=100, committed=130), True, 0),  # over, so no gap
    ],
)
def test_buyout_gap(cost: CodeCost, *, started: bool, expected: int) -> None:
    assert metrics.buyout_gap(cost, started=started) == expected


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (code(original=100, committed=130), 30),
        (code(original=100, committed=90, direct=20), 10),
        (code(committed=5), 5),  # without a budget
        (code(original=100, changes=-40, committed=60), 0),
    ],
)
def test_over_commitment(cost: CodeCost, expected: int) -> None:
    assert metrics.over_commitment(cost) == expected


def test_projected_and_exposure() -> None:
    exposure = metrics.pending_exposure(Decimal(30), Decimal(17), Decimal(5))
    assert exposure == 42
    assert metrics.projected(Decimal(100), Decimal(70), exposure) == -12


def test_covered_budget_counts_codes_with_any_cost() -> None:
    costs = [code(original=100, committed=1), code(original=50, direct=1), code(original=25)]
    assert metrics.covered_budget(costs) == 150
    assert metrics.share(Decimal(150), Decimal(175)) == Decimal("85.7")
    assert metrics.share(Decimal(1), Decimal(0)) is None


@pytest.mark.parametrize(
    ("invoiced", "expected"), [(Decimal(120), 10), (Decimal(110), 0), (Decimal(0), 0)]
)
def test_invoiced_over(invoiced: Decimal, expected: int) -> None:
    assert metrics.invoiced_over(Decimal(100), Decimal(10), invoiced) == expected


def test_handoff_drift_adds_what_differs_either_way() -> None:
    pairs = [(Decimal(100), Decimal(90)), (Decimal(50), Decimal(55)), (Decimal(7), None)]
    assert metrics.handoff_drift(pairs) == 22


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (MONDAY, MONDAY, 0),
        (MONDAY, date(2026, 6, 2), 1),
        (date(2026, 6, 5), date(2026, 6, 8), 1),  # Friday to Monday
        (date(2026, 6, 6), date(2026, 6, 7), 0),  # a weekend
        (MONDAY, date(2026, 6, 15), 10),
        (date(2026, 6, 2), MONDAY, 0),  # in the wrong order
    ],
)
def test_business_days(begin: date, end: date, expected: int) -> None:
    assert metrics.business_days(begin, end) == expected


@given(begin=st.dates(date(2020, 1, 1), date(2030, 1, 1)), length=st.integers(0, 800))
def test_business_days_equal_a_count_day_by_day(begin: date, length: int) -> None:
    days = [date.fromordinal(begin.toordinal() + n) for n in range(1, length + 1)]
    expected = sum(1 for day in days if day.weekday() < 5)
    assert metrics.business_days(begin, date.fromordinal(begin.toordinal() + length)) == expected


def question(**own: Any) -> RfiTiming:
    given: dict[str, Any] = {
        "begun": MONDAY, "ended": None, "due": None, "is_open": True, "impact": "no_impact",
        "value": None, **own,
    }  # fmt: skip
    return RfiTiming(**given)


def test_questions() -> None:
    asked = [
        question(due=date(2026, 6, 9), impact="yes_known", value=Decimal(4800)),
        question(due=date(2026, 6, 10), impact="yes_unknown"),
        question(is_open=False, ended=date(2026, 6, 5), value=Decimal(99), impact="yes_known"),
    ]
    today = date(2026, 6, 10)
    assert metrics.overdue(asked, today) == [asked[0]]
    assert metrics.rfi_cost(asked) == 4800
    assert metrics.cost_unknown(asked) == 1
    assert metrics.rfi_age(asked, today) == 7
    assert metrics.rfi_turnaround(asked) == 4
    assert metrics.rfi_age([], today) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Open", date(2026, 6, 2)), ("Draft", date(2026, 5, 20)), ("Closed", None)],
)
def test_a_submittal_is_late_by_its_own_day(status: str, expected: date | None) -> None:
    found = metrics.submittal_late(status, date(2026, 6, 2), date(2026, 5, 20), date(2026, 6, 10))
    assert found == expected
    assert metrics.submittal_late(status, None, None, MONDAY) is None


@given(amount=AMOUNTS, weights=st.lists(AMOUNTS, min_size=1, max_size=8))
def test_what_is_spread_adds_up_again(amount: Decimal, weights: list[Decimal]) -> None:
    assert sum(metrics.spread(amount, weights), Decimal(0)) == amount


def recomputed(company_id: int, folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Computed by the script alone, from the exported files alone."""
    export_company(company_id=company_id, output=folder)
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "recompute_metrics.py", folder],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(done.stdout)
    return found


def kept(company_id: int) -> dict[str, dict[str, ProjectDay]]:
    found: dict[str, dict[str, ProjectDay]] = {}
    with tenant(company_id):
        for row in ProjectDay.objects.filter(company_id=company_id):
            found.setdefault(str(row.project_id), {})[row.currency] = row
    return found


def assert_equal(company_id: int, folder: Path) -> None:
    expected, found = recomputed(company_id, folder), kept(company_id)
    assert found.keys() == expected.keys()
    for project, currencies in expected.items():
        assert found[project].keys() == currencies.keys()
        for currency, values in currencies.items():
            row = found[project][currency]
            for name, value in values.items():
                ours = getattr(row, name)
                wanted = None if value is None else Decimal(str(value))
                assert ours == wanted, (project, currency, name)


def test_every_metric_equals_its_recomputation_from_exported_files(
    synced: int, procore: Procore, tmp_path: Path
) -> None:
    assert_equal(synced, tmp_path / "first")
    procore.control("mutations", changes=300, seed=11, company_id=synced)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert_equal(synced, tmp_path / "second")


def test_currencies_are_kept_apart(synced: int, procore: Procore, tmp_path: Path) -> None:
    project = procore.projects()[0]
    approved = {
        row["id"]
        for row in procore.records(project, "work_order_contracts")
        if row["status"] == "Approved"
    }
    lines = procore.records(project, "commitment_line_items")
    line = next(row for row in lines if row["holder"]["id"] in approved)
    procore.control(
        f"projects/{project}/commitment_line_items/{line['id']}",
        set={"currency_configuration": {"currency_iso_code": "EUR"}},
    )
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert_equal(synced, tmp_path)
    with tenant(synced):
        assert CostFigure.objects.filter(project_id=project, currency="EUR").count() == 1


def test_figures_of_a_project_that_is_no_longer_permitted_are_gone(
    synced: int, procore: Procore
) -> None:
    gone, *stay = procore.projects()
    procore.control("installs", company_id=synced, permitted_projects=stay)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    Absence.objects.update(since=clock.now() - timedelta(days=31))
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert str(gone) not in kept(synced)
    assert {str(key) for key in stay} == set(kept(synced))


def test_nothing_is_drawn_twice_for_nothing(synced: int) -> None:
    assert compute_due() == 0
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    assert compute_due() == 0
