"""No amount is counted twice, and the page says what is left out or in doubt."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from integrations.procore.api.manifest import Level
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.core.templatetags.show import money
from partner_app.embedded.entitlement import Rights
from partner_app.insights import metrics
from partner_app.insights.listings import KINDS, listing
from partner_app.insights.metrics import ZERO, CodeCost, EventLine
from partner_app.insights.models import (
    Audience,
    ContractFigure,
    CostFigure,
    ExceptionCase,
    ProjectDay,
    Rule,
)
from partner_app.insights.statuses import (
    CONTRACTS,
    DIRECT_COSTS,
    ORDERS,
    ApprovalState,
    plain,
    standing,
)
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.insights.test_metrics import assert_equal
from tests.procore import Procore

Row = dict[str, Any]
AMOUNT = st.decimals(-(10**6), 10**6, places=2)


def line(cost: int, *, ordered: bool = False, covered: int = 0) -> EventLine:
    return EventLine(Decimal(cost), ordered, Decimal(covered))


@pytest.mark.parametrize(
    ("latest", "lines", "expected"),
    [
        (100, [], 100),  # lines unknown
        (100, [line(60), line(40)], 100),  # nothing is linked
        (100, [line(60, ordered=True), line(40)], 40),
        (100, [line(60, ordered=True), line(40, ordered=True)], 0),
        (100, [line(60, covered=20), line(40)], 80),  # a budget change covers a part
        (100, [line(60, covered=90), line(40)], 40),  # or more than the line
        (100, [line(60, ordered=True, covered=60), line(40)], 40),  # both: counted once
        (50, [line(60, ordered=True), line(80)], 50),  # never more than the event's latest cost
        (-100, [line(-60, ordered=True), line(-40)], -40),  # a credit
        (-100, [line(-100, ordered=True)], 0),
    ],
)
def test_what_of_an_event_is_pending(latest: int, lines: list[EventLine], expected: int) -> None:
    assert metrics.event_pending(Decimal(latest), lines) == expected


@given(latest=AMOUNT, lines=st.lists(st.builds(EventLine, AMOUNT, st.booleans(), AMOUNT)))
def test_an_event_is_never_pending_beyond_its_cost(latest: Decimal, lines: list[Any]) -> None:
    found = metrics.event_pending(latest, lines)
    assert min(latest, ZERO) <= found <= max(latest, ZERO)


@pytest.mark.parametrize(
    ("header", "lines", "expected"), [(100, [], 100), (None, [60, 40], 100), (90, [60], 60),
                                      (None, [], 0)],
)  # fmt: skip
def test_a_contract_is_its_lines_or_else_its_header(
    header: int | None, lines: list[int], expected: int
) -> None:
    given_header = None if header is None else Decimal(header)
    assert metrics.contract_sum(given_header, [Decimal(x) for x in lines]) == expected


@pytest.mark.parametrize(("said", "known", "expected"), [(50, 20, 30), (20, 50, 0), (None, 5, 0)])
def test_what_a_contract_reports_beyond_the_orders_read(
    said: int | None, known: int, expected: int
) -> None:
    reported = None if said is None else Decimal(said)
    assert metrics.not_covered(reported, Decimal(known)) == expected


@pytest.mark.parametrize("known", [CONTRACTS, ORDERS, DIRECT_COSTS])
def test_a_status_counts_in_any_spelling_and_an_unknown_one_is_unknown(
    known: dict[str, ApprovalState],
) -> None:
    for name, expected in known.items():
        words = name.split("_")
        for spelled in (" ".join(words).title(), "-".join(words).upper(), f" {name} "):
            assert standing(known, spelled) is expected
    assert standing(known, "Awaiting Blessing") is ApprovalState.UNKNOWN
    assert plain("") == ""


def sync(company: int, *, full: bool = False) -> Row:
    found: Row = sync_now(company_id=company, full=full, only=[], wait=clock.wait_until)
    return found


def day(company: int, project: int, currency: str = "USD") -> ProjectDay:
    with tenant(company):
        return ProjectDay.objects.get(project_id=project, newest=True, currency=currency)


def an_open_event(procore: Procore, project: int) -> Row:
    """The only open event, unlinked and old, of 50,000 in two lines."""
    first, *others = procore.records(project, "change_events")
    for other in others:
        procore.control(f"projects/{project}/change_events/{other['id']}", delete=True)
    items = [
        {"id": 77 + n, "event_id": first["id"], "latest_cost_values": {"amount": cost}}
        for n, cost in enumerate(("30000.00", "20000.00"))
    ]
    opened = {"id": 1, "name": "Open", "mapped_to_status": "Open"}
    body = {"status": opened, "created_at": "2026-01-05T08:00:00Z", "change_items": items}
    procore.control(f"projects/{project}/change_events/{first['id']}", set=body)
    return {**first, **body}


def approved(procore: Procore, project: int) -> Row:
    rows = procore.records(project, "work_order_contracts")
    return next(row for row in rows if row["status"] == "Approved")


def link(procore: Procore, project: int, item: Row, **where: Any) -> None:
    procore.control(f"projects/{project}/event-links", line=item["id"], **where)


def test_an_open_event_whose_order_is_executed_is_counted_in_the_order_alone(
    admin: Frame,
) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    event, contract = an_open_event(procore, project), approved(procore, project)
    first, second = event["change_items"]
    sync(company)
    assert day(company, project).open_event_cost == 50_000
    subject = {"rule": Rule.EVENT_WITHOUT_ORDER, "subject": f"event:{event['id']}"}
    with tenant(company):
        assert ExceptionCase.objects.filter(**subject, closed_at=None).exists()
    link(procore, project, first, contract_id=contract["id"], order_cost="30000.00")
    sync(company)
    assert day(company, project).open_event_cost == 20_000
    panel = text_of(admin.get(f"/embedded/panel/{project}/change_events.detail/{event['id']}/"))
    assert "Of which not ordered yet $20,000.00" in panel
    link(procore, project, second, contract_id=contract["id"], order_cost="21000.00")
    sync(company)
    here = day(company, project)
    assert (here.open_event_cost, here.maybe_ordered) == (0, 0)
    assert here.event_cost == 50_000  # it is still open in Procore
    with tenant(company):
        assert not ExceptionCase.objects.filter(**subject, closed_at=None).exists()


def test_links_that_lead_nowhere_do_not_hide_a_cost(synced: int, procore: Procore) -> None:
    """A rejected order and a draft contract: neither counts anywhere."""
    project = procore.projects()[0]
    event, contract = an_open_event(procore, project), approved(procore, project)
    first, second = event["change_items"]
    key = f"projects/{project}/work_order_contracts/{contract['id']}"
    procore.control(key, set={"status": "Draft"})
    for order in procore.records(project, "change_orders"):
        if order["contract_id"] == contract["id"]:
            procore.control(f"projects/{project}/change_orders/{order['id']}", delete=True)
    link(procore, project, first, contract_id=contract["id"], contract_cost="30000.00")
    link(procore, project, second, contract_id=contract["id"], order_cost="20000.00",
         order_status="Rejected")  # fmt: skip
    sync(synced)
    assert day(synced, project).open_event_cost == 50_000
    procore.control(key, set={"status": "Approved"})
    sync(synced)
    assert day(synced, project).open_event_cost == 0


def test_what_a_budget_change_covers_is_not_exposed(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    event = an_open_event(procore, project)
    link(procore, project, event["change_items"][0], budget_change="12500.50")
    sync(synced)
    assert day(synced, project).open_event_cost == Decimal("37499.50")


@pytest.mark.parametrize(
    ("pending", "events", "waiting", "expected"),
    [(100, 50, 0, 0), (100, 50, 120, 120), (100, 50, 500, 150), (100, 50, -20, 0),
     (-30, 0, 40, 0)],
)  # fmt: skip
def test_pending_changes_of_the_budget_set_off_exposure_of_their_code(
    pending: int, events: int, waiting: int, expected: int
) -> None:
    amounts = {"pending": pending, "events": events, "budget_pending": waiting}
    given_amounts = {name: Decimal(value) for name, value in amounts.items()}
    assert metrics.budget_relief(CodeCost(7, "", "", "USD", **given_amounts)) == expected
    assert metrics.budget_relief(CodeCost(0, "", "", "USD", **given_amounts)) == 0


def test_a_budget_change_that_waits_is_taken_off_the_exposure_of_its_code(
    admin: Frame, tmp_path: Path
) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    before = day(company, project)
    with tenant(company):
        cost = CostFigure.objects.filter(
            project_id=project, pending__gt=1000, wbs_code_id__in=[
                row["wbs_code_id"] for row in procore.records(project, "budget_line_items")
            ],
        )[0]  # fmt: skip
    row = next(
        row
        for row in procore.records(project, "budget_line_items")
        if row["wbs_code_id"] == cost.wbs_code_id
    )
    waiting = {"pending_budget_changes": 1000}
    procore.control(f"projects/{project}/budget_line_items/{row['id']}", set=waiting)
    sync(company)
    after = day(company, project)
    assert after.budget_relief - before.budget_relief == 1000
    assert_equal(company, tmp_path)


def test_without_links_the_page_says_how_much_may_be_ordered(admin: Frame) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    event = an_open_event(procore, project)
    big = [{**item, "latest_cost_values": {"amount": "45000000.00"}}
           for item in event["change_items"]]  # fmt: skip
    procore.control(f"projects/{project}/change_events/{event['id']}", set={"change_items": big})
    sync(company)
    said = "$90,000,000.00 of the pending exposure may already be ordered"
    assert said in text_of(admin.get(f"/embedded/projects/{project}/"))
    assert said in text_of(admin.get(f"/embedded/projects/{project}/insights/"))
    with tenant(company):
        case = ExceptionCase.objects.get(
            rule=Rule.PENDING_EXPOSURE, project_id=project, closed_at=None, audience=Audience.ADMINS
        )
    page = text_of(admin.get(f"/embedded/exceptions/{case.id}/"))
    assert said in page
    assert "May already be ordered" in page  # beside the event's record
    contract = approved(procore, project)
    link(procore, project, big[0], contract_id=contract["id"], order_cost="45000000.00")
    sync(company)
    page = text_of(admin.get(f"/embedded/projects/{project}/"))
    assert "may already be ordered" not in page
    assert "Partly ordered" in text_of(admin.get(f"/embedded/exceptions/{case.id}/"))


def test_events_are_not_in_doubt_where_no_order_is_without_an_event(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    an_open_event(procore, project)
    for order in procore.records(project, "change_orders"):
        procore.control(f"projects/{project}/change_orders/{order['id']}", delete=True)
    sync(synced)
    assert day(synced, project).maybe_ordered == 0
    procore.control("faults", kind="status", status=403, path="/rest/v1.0/change_events", times=99)
    sync(synced, full=True)
    assert day(synced, project).maybe_ordered == 50_000  # the links cannot be read


def test_three_tiers_count_as_one(synced: int, procore: Procore, tmp_path: Path) -> None:
    """The same changes as orders, or as packages with their potential change orders."""
    project = procore.projects()[0]
    before = day(synced, project)
    assert before.committed
    procore.control(f"projects/{project}/three-tiers", tiers=3)
    assert procore.records(project, "change_orders") == []
    assert procore.records(project, "change_order_packages")
    sync(synced, full=True)
    after = day(synced, project)
    assert (after.committed, after.pending_changes) == (before.committed, before.pending_changes)
    assert (after.not_covered, after.orders_unread) == (0, False)
    assert_equal(synced, tmp_path)


def test_a_package_that_is_a_change_order_again_counts_once(synced: int, procore: Procore) -> None:
    first, third = procore.projects()[0], procore.projects()[3]
    package = procore.records(third, "change_order_packages")[0]  # of a project with three tiers
    before = day(synced, third).committed
    order = procore.records(first, "change_orders")[0]
    body = {"legacy_package_id": package["id"], "contract_id": package["contract_id"],
            "status": "approved", "grand_total": package["grand_total"]}  # fmt: skip
    procore.control(f"projects/{third}/change_orders", record={**order, **body})
    sync(synced, full=True)
    assert day(synced, third).committed == before


@pytest.fixture
def withheld(procore: Procore) -> Iterator[int]:
    """A project with three tiers, of which the app may read neither list."""
    for name in ("change_order_packages", "potential_change_orders"):
        fault = {"kind": "status", "status": 403, "path": f"/rest/v1.0/{name}", "times": 999}
        procore.control("faults", **fault)
    yield procore.projects()[3]
    procore.control("clear-faults", all=True)


def test_three_tiers_that_cannot_be_read_are_said_not_to_be_covered(
    withheld: int, procore: Procore, synced: int
) -> None:
    amounts = [
        Decimal(row[name])
        for kind in ("work_order_contracts", "purchase_order_contracts")
        for row in procore.records(withheld, kind)
        for name in ("approved_change_orders", "pending_change_orders",
                     "draft_change_orders_amount")
    ]  # fmt: skip
    reported, here = sum(amounts, ZERO), day(synced, withheld)
    assert (here.not_covered, here.orders_unread) == (reported, True)
    admin = Frame(procore, synced).sign_in("admin")
    page = text_of(admin.get(f"/embedded/projects/{withheld}/"))
    assert f"Not covered: {money(reported, 'USD')} of change orders" in page
    other = text_of(admin.get(f"/embedded/projects/{procore.projects()[0]}/"))
    assert "Not covered: Procore does not let the app read all lists" in other


def test_the_sentences_are_said_in_french(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    an_open_event(admin.procore, project)
    sync(admin.company_id)
    french = Client(headers={"authorization": f"Bearer {admin.bearer}", "accept-language": "fr"})
    page = text_of(french.get(f"/embedded/projects/{project}/"))
    assert "est peut-être déjà commandé" in page


def test_headers_that_are_empty_change_no_figure(
    synced: int, procore: Procore, tmp_path: Path
) -> None:
    project = procore.projects()[0]
    before = day(synced, project)
    procore.wild("empty_headers")
    sync(synced, full=True)
    after = day(synced, project)
    assert procore.struck("empty_headers")
    for name in ("committed", "direct_costs", "invoiced_over", "pending_changes"):
        assert getattr(after, name) == getattr(before, name), name
    assert_equal(synced, tmp_path)


def test_two_currencies_on_one_code_are_two_sums(
    synced: int, procore: Procore, tmp_path: Path
) -> None:
    procore.wild("two_currencies")
    assert sync(synced, full=True)["warnings"] == []
    assert_equal(synced, tmp_path)
    with tenant(synced):
        assert CostFigure.objects.filter(currency="EUR").exclude(committed=0).exists()


def test_a_status_that_nobody_knows_is_counted_nowhere_and_said(
    admin: Frame, tmp_path: Path
) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    contract = approved(procore, project)
    with tenant(company):
        own = ContractFigure.objects.get(contract_id=contract["id"])
    before, amount = day(company, project).committed, own.original + own.approved
    key = f"projects/{project}/work_order_contracts/{contract['id']}"
    procore.control(key, set={"status": "Awaiting Blessing"})
    sync(company)
    here = day(company, project)
    assert (here.committed, here.unknown_cost) == (before - amount, amount)
    assert_equal(company, tmp_path)
    page = text_of(admin.get(f"/embedded/projects/{project}/"))
    assert f"{money(amount, 'USD')} is not counted" in page
    procore.control(key, set={"status": "APPROVED"})
    sync(company)
    assert (day(company, project).committed, day(company, project).unknown_cost) == (before, 0)


def test_what_is_committed_has_one_sum_on_every_page(synced: int, procore: Procore) -> None:
    """Even if a contract's own header gives another sum, or none."""
    contract = approved(procore, procore.projects()[0])
    key = f"projects/{procore.projects()[0]}/work_order_contracts/{contract['id']}"
    procore.control(key, set={"grand_total": "1.00"})
    procore.wild("empty_headers", seed=5)
    sync(synced, full=True)
    for project in procore.projects():
        here = day(synced, project)
        with tenant(synced):
            codes = CostFigure.objects.filter(project_id=project)
            assert codes.aggregate(sum=Sum("committed"))["sum"] == here.committed
            today = clock.now().date()
            rights = Rights(project, 1, dict.fromkeys(Tool, Level.ADMIN))
            listed = listing(synced, rights, KINDS["committed"], today)
            pending = listing(synced, rights, KINDS["pending"], today)
        assert sum(listed.amounts.values()) == here.committed
        assert sum(pending.amounts.values()) == here.pending_changes
