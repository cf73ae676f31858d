"""Exceptions open with their cause, change with it, and close when it is gone."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from integrations.procore.api.manifest import Level
from integrations.procore.resources.rfis import Rfi
from integrations.procore.resources.tools import Tool
from integrations.procore.sync.services import sync_now
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.embedded.entitlement import Rights
from partner_app.insights.labels import cause, sentence
from partner_app.insights.models import Audience, ExceptionCase, LastVisit, Rule
from partner_app.insights.refresh import compute_due, make_due
from partner_app.insights.rules import TIERS, TOOLS
from partner_app.insights.selectors import cases_of, not_snoozed
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.procore import Procore

Row = dict[str, Any]


def sync(company: int) -> None:
    sync_now(company_id=company, full=False, only=[], wait=clock.wait_until)


def case_of(
    company: int, rule: Rule, subject: str, project: int | None = None
) -> ExceptionCase | None:
    with tenant(company):
        rows = ExceptionCase.objects.filter(rule=rule, subject=subject, closed_at=None)
        return (rows.filter(project_id=project) if project else rows).first()


def days_ago(days: int) -> str:
    return (clock.now() - timedelta(days=days)).isoformat()


def a_day(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def approved(procore: Procore, project: int) -> Row:
    rows = procore.records(project, "work_order_contracts")
    return next(row for row in rows if row["status"] == "Approved")


def rfi(procore: Procore, project: int) -> tuple[str, int, Row, Row]:
    row = procore.records(project, "rfis")[0]
    overdue = {
        "status": "open", "due_date": a_day(-9),
        "cost_impact": {"status": "yes_known", "value": 5000},
    }  # fmt: skip
    return "rfis", row["id"], overdue, {"status": "closed", "time_resolved": days_ago(0)}


def submittal(procore: Procore, project: int) -> tuple[str, int, Row, Row]:
    row = procore.records(project, "submittals")[0]
    opened = {"id": 2, "name": "Open", "status": "Open"}
    closed = {"id": 3, "name": "Closed", "status": "Closed"}
    return "submittals", row["id"], {"status": opened, "due_date": a_day(-3)}, {"status": closed}


def event(procore: Procore, project: int) -> tuple[str, int, Row, Row]:
    row = procore.records(project, "change_events")[0]
    opened = {"id": 1, "name": "Open", "mapped_to_status": "Open"}
    pending = {"id": 2, "name": "Pending", "mapped_to_status": "Pending"}
    return (
        "change_events", row["id"], {"status": opened, "created_at": days_ago(40)},
        {"status": pending},
    )  # fmt: skip


def invoice(procore: Procore, project: int) -> tuple[str, int, Row, Row]:
    contract = approved(procore, project)
    row = procore.records(project, "requisitions")[0]
    claimed = Decimal(contract["revised_contract"]) + 1000
    return (
        "requisitions", row["id"],
        {
            "commitment_id": contract["id"], "status": "approved",
            "total_claimed_amount": str(claimed),
        },
        {"status": "draft"},
    )  # fmt: skip


Change = Callable[[Procore, int], tuple[str, int, Row, Row]]


@pytest.mark.parametrize(
    ("rule", "kind", "change"),
    [
        (Rule.RFI_OVERDUE, "rfi", rfi),
        (Rule.SUBMITTAL_LATE, "submittal", submittal),
        (Rule.EVENT_WITHOUT_ORDER, "event", event),
    ],
)
def test_a_records_case_opens_and_closes_with_its_cause(
    synced: int, procore: Procore, rule: Rule, kind: str, change: Change
) -> None:
    project = procore.projects()[0]
    name, key, begins, ends = change(procore, project)
    procore.control(f"projects/{project}/{name}/{key}", set=begins)
    sync(synced)
    found = case_of(synced, rule, f"{kind}:{key}")
    assert found is not None
    assert sentence(found)
    procore.control(f"projects/{project}/{name}/{key}", set=ends)
    sync(synced)
    assert case_of(synced, rule, f"{kind}:{key}") is None
    with tenant(synced):
        assert ExceptionCase.objects.get(id=found.id).closed_at is not None


def test_an_invoice_beyond_its_contract(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    name, key, begins, ends = invoice(procore, project)
    for other in procore.records(project, "requisitions")[1:]:
        procore.control(f"projects/{project}/{name}/{other['id']}", set=ends)
    procore.control(f"projects/{project}/{name}/{key}", set=begins)
    sync(synced)
    subject = f"contract:{begins['commitment_id']}"
    found = case_of(synced, Rule.INVOICE_OVER_CONTRACT, subject)
    assert found is not None
    assert found.amount == 1000
    assert "approved against a contract of" in cause(found)
    procore.control(f"projects/{project}/{name}/{key}", set=ends)
    sync(synced)
    assert case_of(synced, Rule.INVOICE_OVER_CONTRACT, subject) is None


def test_a_code_committed_over_budget_changes_and_then_is_a_gap(
    synced: int, procore: Procore
) -> None:
    """More is committed than budgeted; then the contract shrinks; then it is far below."""
    project = procore.projects()[0]
    contract = approved(procore, project)
    lines = procore.records(project, "commitment_line_items")
    line = next(row for row in lines if row["holder"]["id"] == contract["id"])
    code = line["wbs_code"]["id"]

    def amount(value: int) -> None:
        body = {"amount": str(value), "total_amount": str(value)}
        procore.control(f"projects/{project}/commitment_line_items/{line['id']}", set=body)
        sync(synced)

    amount(50_000_000)
    first = case_of(synced, Rule.OVER_COMMITMENT, f"wbs:{code}:USD")
    assert first is not None
    assert first.before is None
    assert first.amount is not None
    amount(40_000_000)
    second = case_of(synced, Rule.OVER_COMMITMENT, f"wbs:{code}:USD")
    assert second is not None
    assert (second.id, second.before) == (first.id, first.amount)
    assert second.amount is not None
    assert second.amount < first.amount
    assert second.opened_at == first.opened_at
    budgeted = {row["wbs_code_id"] for row in procore.records(project, "budget_line_items")}
    amount(1)
    assert case_of(synced, Rule.OVER_COMMITMENT, f"wbs:{code}:USD") is None
    gap = case_of(synced, Rule.BUYOUT_GAP, f"wbs:{code}:USD")
    assert (gap is not None) or code not in budgeted


def test_what_is_pending_beyond_what_the_budget_can_spare(synced: int, procore: Procore) -> None:
    project = procore.projects()[0]
    name, key, begins, _ends = event(procore, project)
    items = [{"id": 1, "event_id": key, "latest_cost_values": {"amount": "90000000.00"}}]
    procore.control(f"projects/{project}/{name}/{key}", set={**begins, "change_items": items})
    sync(synced)
    found = case_of(synced, Rule.PENDING_EXPOSURE, "currency:USD", project)
    assert found is not None
    assert found.amount is not None
    assert found.amount > 90_000_000
    assert "in open change events" in cause(found)


def test_a_snoozed_case_comes_back_when_it_has_grown(admin: Frame) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    name, key, begins, _ = rfi(procore, project)
    procore.control(f"projects/{project}/{name}/{key}", set=begins)
    sync(company)
    found = case_of(company, Rule.RFI_OVERDUE, f"rfi:{key}")
    assert found is not None
    refused = text_of(admin.post(f"/embedded/exceptions/{found.id}/snooze/", days=30))
    assert "Give a reason" in refused
    page = admin.post(f"/embedded/exceptions/{found.id}/snooze/", days=30, reason="Owner knows")
    assert "Snoozed until" in text_of(page)
    assert "Owner knows" in text_of(page)
    assert AuditEvent.objects.filter(event="exception.snoozed", company_id=company).exists()

    def shown() -> bool:
        with tenant(company):
            return not_snoozed(ExceptionCase.objects.filter(id=found.id)).exists()

    assert not shown()
    listed = text_of(admin.get("/embedded/exceptions/", state="snoozed"))
    assert f"RFI {found.facts['number']} overdue" in listed
    more = {"cost_impact": {"status": "yes_known", "value": 5400}}
    procore.control(f"projects/{project}/{name}/{key}", set=more)
    sync(company)
    assert not shown()  # less than a tenth more
    more = {"cost_impact": {"status": "yes_known", "value": 5600}}
    procore.control(f"projects/{project}/{name}/{key}", set=more)
    sync(company)
    assert shown()
    assert "Snoozed until" not in text_of(admin.get(f"/embedded/exceptions/{found.id}/"))
    admin.post(f"/embedded/exceptions/{found.id}/wake/")
    with tenant(company):
        assert ExceptionCase.objects.get(id=found.id).snoozed_until is None


def test_a_note_stands_with_its_author(admin: Frame) -> None:
    with tenant(admin.company_id):
        found = ExceptionCase.objects.filter(closed_at=None).order_by("id")[0]
    admin.post(f"/embedded/exceptions/{found.id}/note/", note="Asked the vendor <b>today</b>")
    page = admin.get(f"/embedded/exceptions/{found.id}/").content.decode()
    assert "Asked the vendor &lt;b&gt;today" in page
    assert "Company Admin" in page
    assert "has a note" in text_of(admin.get("/embedded/exceptions/", rule=found.rule))


def test_what_is_new_since_the_last_visit_is_marked(admin: Frame) -> None:
    procore, company = admin.procore, admin.company_id
    project = procore.projects()[0]
    name, key, begins, ends = rfi(procore, project)
    procore.control(f"projects/{project}/{name}/{key}", set=ends)
    sync(company)
    admin.get("/embedded/home/")
    with tenant(company):
        LastVisit.objects.update(visited_at=clock.now() - timedelta(hours=2))
        ExceptionCase.objects.filter(closed_at=None).update(
            opened_at=clock.now() - timedelta(hours=3)
        )
    huge = {"cost_impact": {"status": "yes_known", "value": 99_000_000}}
    procore.control(f"projects/{project}/{name}/{key}", set={**begins, **huge})
    sync(company)
    page = text_of(admin.get("/embedded/home/"))
    assert "1 new, 0 changed, 0 closed" in page
    assert "new" in text_of(admin.get("/embedded/exceptions/", rule="rfi_overdue"))


def test_limits_are_the_companys_own(admin: Frame) -> None:
    company = admin.company_id
    with tenant(company):
        before = ExceptionCase.objects.filter(rule=Rule.BUYOUT_GAP, closed_at=None).count()
    assert before
    given = {
        "over_commitment": "1000", "buyout_gap": "999999999", "pending_exposure": "10000",
        "handoff_drift": "0", "invoice_over_contract": "0", "rfi_days": "0",
        "submittal_days": "0", "event_days": "14",
    }  # fmt: skip
    refused = admin.post("/embedded/settings/exceptions/", **{**given, "rfi_days": "-1"})
    assert refused.status_code == 422
    assert admin.post("/embedded/settings/exceptions/", **given).status_code == 200
    compute_due()
    with tenant(company):
        assert not ExceptionCase.objects.filter(rule=Rule.BUYOUT_GAP, closed_at=None).exists()
    assert AuditEvent.objects.filter(event="exception.limits_changed").exists()


def test_only_an_administrator_sets_limits(engineer: Frame) -> None:
    assert engineer.post("/embedded/settings/exceptions/", rfi_days=3).status_code == 403


def test_two_who_draw_at_once_make_no_case_twice(synced: int, procore: Procore) -> None:
    with tenant(synced):
        before = ExceptionCase.objects.filter(closed_at=None).count()
        make_due(synced, procore.projects())
    compute_due()
    with tenant(synced):
        assert ExceptionCase.objects.filter(closed_at=None).count() == before


def test_a_viewer_hears_of_no_rule_whose_tools_procore_withholds(engineer: Frame) -> None:
    page = text_of(engineer.get("/embedded/exceptions/"))
    assert "Overdue RFI with cost" in page
    for rule in (Rule.OVER_COMMITMENT, Rule.BUYOUT_GAP, Rule.EVENT_WITHOUT_ORDER):
        assert str(rule.label) not in page
    with tenant(engineer.company_id):
        hidden = ExceptionCase.objects.filter(rule=Rule.BUYOUT_GAP, closed_at=None)[0]
    answer = engineer.get(f"/embedded/exceptions/{hidden.id}/")
    assert answer.status_code in {403, 404}
    assert "$" not in text_of(answer)
    assert set(TOOLS) == set(TIERS) == set(Rule)


def test_a_case_about_a_record_that_turns_private_is_for_its_people_and_keeps_what_was_said(
    synced: int, procore: Procore
) -> None:
    with tenant(synced):
        case = ExceptionCase.objects.filter(
            rule=Rule.RFI_OVERDUE, closed_at=None, audience=Audience.EVERYONE
        )[0]
        rows = ExceptionCase.objects.filter(subject=case.subject, project_id=case.project_id)
        rows.update(note="Asked the architect", snoozed_until=clock.now().date(), before=7)

    def draw(*, private: bool) -> ExceptionCase:
        with tenant(synced):
            rfi = Rfi.objects.filter(remote_id=case.subject.partition(":")[2])
            rfi.update(private=private, named=[77])
            make_due(synced, [case.project_id])
        compute_due(company_id=synced)
        with tenant(synced):
            return rows.get(closed_at=None)

    kept = draw(private=True)
    assert (kept.audience, kept.named) == (Audience.ADMINS, [77])
    with tenant(synced):
        for person, level, count in (
            (77, Level.READ, 1),
            (78, Level.READ, 0),
            (78, Level.ADMIN, 1),
        ):
            rights = Rights(case.project_id, person, {Tool.RFIS: level})
            mine = cases_of(synced, {case.project_id: rights})
            assert mine.filter(subject=case.subject).count() == count
    again = draw(private=False)
    assert again.audience == Audience.EVERYONE
    assert again.id != case.id
    for each in (kept, again):
        assert each.note == "Asked the architect"
        assert each.snoozed_until
        assert each.before is None  # the value from when others could not see it
