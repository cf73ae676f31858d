"""From a dropped file to the budget and back, by two people in the frame."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from integrations.procore.sync.services import sync_now
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.estimates.models import EstimateOriginal, LineMapping
from partner_app.handoffs.models import Handoff, HandoffState
from partner_app.tenancy.context import tenant
from partner_app.tenancy.lifecycle import change_duties
from tests.frame import text_of
from tests.handoffs.people import EXAMPLE, Desk, budget, carry_on, group_of_first, lines
from tests.handoffs.test_handoff import Road
from tests.procore import Procore

TWO = lines(("202-000", "Remove railing", "LF", "100.10"), ("205-000", "Silt fence", "LF", "50.05"))


@pytest.fixture
def manager(synced: int, procore: Procore) -> Desk:
    return Desk(procore, synced, "manager")


@pytest.fixture
def approver(synced: int, procore: Procore) -> Desk:
    return Desk(procore, synced, "admin")


def handed_off(manager: Desk, approver: Desk, content: bytes = TWO) -> None:
    manager.drop(content)
    manager.plan()
    manager.act("submit")
    approver.estimate_id = manager.estimate_id
    approver.act("approve")
    carry_on()
    assert manager.handoff.state == HandoffState.DONE


def test_an_estimate_with_known_codes_needs_no_mapping_and_equals_the_budget(
    manager: Desk, approver: Desk
) -> None:
    before = budget(manager)
    page = manager.drop(EXAMPLE.read_bytes(), EXAMPLE.name)
    assert "100 of 100" in text_of(page)
    assert "Make the plan" in text_of(page)
    plan = text_of(manager.plan())
    assert "All rows add up to the estimate’s total, to the cent." in plan
    assert "$6,703,536.86" in plan
    assert "Someone else who may edit the budget decides" in text_of(manager.act("submit"))
    approver.estimate_id = manager.estimate_id
    assert "River" not in text_of(approver.frame.get("/embedded/home/")).split("Projects")[0]
    assert "river-street.csv" in text_of(approver.frame.get("/embedded/home/"))
    assert "Being written to Procore" in text_of(approver.act("approve"))
    carry_on()
    assert "Procore budget equals the estimate: $6,703,536.86" in text_of(approver.see())
    after = budget(manager)
    added = {code: amount for code, amount in after.items() if code not in before}
    assert sum(added.values()) == Decimal("6703536.86")
    assert manager.procore.violations() == []
    for desk in (manager, approver):
        assert "49 budget lines would be restored" in text_of(desk.see("undo/"))
        desk.act("undo/ask" if desk is manager else "undo/now")
    carry_on()
    assert budget(manager) == before
    assert "The budget is as it was before" in text_of(approver.see())
    events = list(AuditEvent.objects.order_by("at").values_list("event", flat=True))
    for name in (
        "estimate.imported", "handoff.submitted", "handoff.approved", "handoff.undo_requested",
        "handoff.undone",
    ):  # fmt: skip
        assert name in events


def test_whoever_submits_may_not_approve_unless_the_company_wants_it_so(
    manager: Desk, approver: Desk
) -> None:
    manager.drop(TWO)
    assert "Approve" not in text_of(manager.plan())
    manager.act("submit")
    refused = manager.act("approve")
    assert refused.status_code == 403
    assert "someone else has to approve it" in text_of(refused)
    assert manager.handoff.state == HandoffState.SUBMITTED
    assert approver.frame.post("/embedded/settings/duties/").status_code == 200
    assert manager.frame.post("/embedded/settings/duties/").status_code == 403
    manager.act("approve")
    carry_on()
    assert manager.handoff.state == HandoffState.DONE


def test_one_person_alone_where_the_company_has_switched_it_off(manager: Desk, synced: int) -> None:
    change_duties(company_id=synced, apart=False, actor="operator")
    manager.drop(TWO)
    assert "Approve and write to Procore" in text_of(manager.plan())
    manager.act("approve")
    carry_on()
    assert manager.handoff.state == HandoffState.DONE


def test_a_rejection_needs_words_and_ends_the_plan(manager: Desk, approver: Desk) -> None:
    manager.drop(TWO)
    manager.plan()
    manager.act("submit", comment="please look")
    approver.estimate_id = manager.estimate_id
    assert "please look" in text_of(approver.see())
    assert approver.act("reject").status_code == 422
    assert manager.handoff.state == HandoffState.SUBMITTED
    page = text_of(approver.act("reject", comment="the railing is twice in it"))
    assert "the railing is twice in it" in page
    assert approver.act("approve").status_code == 409
    assert budget(manager).get("205-000.S") is None


def test_somebody_who_may_only_see_the_budget_can_submit_and_not_approve(
    manager: Desk, approver: Desk, procore: Procore
) -> None:
    approver.drop(TWO)
    approver.plan()
    approver.act("submit")
    procore.control("people", id=procore.person("manager")["id"], edits_budget=False)
    manager = Desk(procore, manager.company_id, "manager")
    manager.estimate_id = approver.estimate_id
    assert "Waiting for someone who may edit the budget" in text_of(manager.see())
    for verb in ("approve", "reject", "cancel", "undo/ask", "undo/decline", "undo/now"):
        answer = manager.act(verb, comment="no")
        assert answer.status_code == 403
        assert "you have Budget: Standard, without “Create and Edit" in text_of(answer)
    assert manager.handoff.state == HandoffState.SUBMITTED
    assert manager.see("undo/").status_code == 403


def test_without_the_budget_tool_nothing_of_it_is_seen(
    manager: Desk, synced: int, procore: Procore
) -> None:
    manager.drop(TWO)
    manager.plan()
    engineer = Desk(procore, synced, "engineer")
    engineer.estimate_id = manager.estimate_id
    project = f"/embedded/projects/{manager.project_id}"
    for answer in (
        engineer.frame.get(f"{project}/estimates/"),
        engineer.frame.get(f"/embedded/estimates/{manager.estimate_id}/"),
        engineer.frame.get(f"/embedded/estimates/{manager.estimate_id}/mapping/"),
        engineer.see(),
        engineer.see("report/"),
        engineer.see("workbook/"),
    ):
        assert answer.status_code == 403
        assert "$" not in text_of(answer)
    assert engineer.drop(TWO).status_code == 403
    assert "Estimates" not in text_of(engineer.frame.get(f"{project}/"))


def test_lines_are_mapped_by_hand_by_suggestion_and_shared_out(
    manager: Desk, approver: Desk
) -> None:
    handed_off(manager, approver, lines(("202-000", "Remove timber fence posts", "LF", "100.00")))
    manager.drop(
        lines(
            ("A1", "Remove timber fence post", "LF", "10.00"),
            ("A2", "Bronze plaque", "EA", "20.00"),
            ("A3", "Traffic control, night", "DAY", "0.10"),
        )
    )
    page = text_of(manager.of_estimate("mapping/"))
    assert "0 of 3 lines mapped" in page
    assert "which was mapped here before" in page
    assert "Accept 1 suggestion" in page
    assert "1 of 3" in text_of(
        manager.frame.post(f"/embedded/estimates/{manager.estimate_id}/mapping/accept/")
    )
    first = group_of_first(manager)
    wrong = manager.of_estimate("mapping/choose/", group=first, code="999-999.S")
    assert "not an active WBS code" in text_of(wrong)
    assert "2 of 3" in text_of(
        manager.of_estimate("mapping/choose/", group=first, code="999-000.S")
    )
    second = group_of_first(manager)
    uneven = manager.of_estimate(
        "mapping/choose/", group=second, code_1="801-000.S", percent_1="60"
    )
    assert "add up to 60 percent" in text_of(uneven)
    shares = {
        "code_1": "801-000.S",
        "percent_1": "33.3",
        "code_2": "802-000.S",
        "percent_2": "66.7",
    }
    assert "3 of 3" in text_of(manager.of_estimate("mapping/choose/", group=second, **shares))
    with tenant(manager.company_id):
        rows = LineMapping.objects.filter(line__estimate_id=manager.estimate_id)
        split = rows.filter(line__item_code="A3")
        assert sum(row.amount for row in split) == Decimal("0.10")
        assert {row.evidence for row in rows} == {"suggestion", "person"}
    reopened = text_of(manager.of_estimate("mapping/open/", group=second))
    assert "2 of 3" in reopened
    assert "Find the code" in reopened


def test_a_cost_type_column_tells_codes_of_one_cost_code_apart(
    synced: int, procore: Procore
) -> None:
    """On a building job each cost code has labor, materials and more."""
    manager = Desk(procore, synced, "manager")
    manager.project_id = procore.projects()[0]
    codes = procore.records(manager.project_id, "wbs_codes")
    twin = {"flat_code": "03-100.L", "flat_name": "Concrete forming.Labor"}
    path = f"projects/{manager.project_id}/wbs_codes/{codes[-2]['id']}"
    procore.control(path, set=twin)
    sync_now(company_id=synced, full=True, only=[], wait=clock.wait_until)
    rows = "Cost Code,Description,Cost Type,Amount\n"
    rows += "03-100,Forms,S,10\n03-100,Forms,labor,20\n03-100,Forms,,30\n"
    assert "2 of 3" in text_of(manager.drop(rows.encode()))
    with tenant(synced):
        found = LineMapping.objects.filter(line__estimate_id=manager.estimate_id)
        assert dict(found.values_list("line__row", "wbs_code")) == {2: "03-100.S", 3: "03-100.L"}


def test_codes_are_found_by_code_and_by_words(manager: Desk) -> None:
    manager.drop(lines(("A2", "Bronze plaque", "EA", "20.00")))
    group = group_of_first(manager)

    def found(text: str) -> str:
        path = f"/embedded/estimates/{manager.estimate_id}/codes/"
        return text_of(manager.frame.get(path, group=group, q=text))

    assert "202-000.S" in found("202")
    assert "Concrete barrier" in found("barrier conc")
    assert "No active WBS code" in found("nothing like it")
    assert "00-000.S" not in found("retired")


def test_a_bad_cell_is_mended_in_the_browser_and_mapping_work_stays(manager: Desk) -> None:
    content = lines(
        ("A1", "Bronze plaque", "EA", "20.00"), ("A2", "Flag pole", "EA", "twelve"),
        ("A3", "Bench", "EA", "#REF!"),
    )  # fmt: skip
    page = text_of(manager.drop(content))
    assert "“twelve” is not a number" in page
    group = group_of_first(manager)
    manager.of_estimate("mapping/choose/", group=group, code="999-000.S")
    blocked = text_of(manager.plan())
    assert "2 cells of the file cannot be read" in blocked
    assert manager.act("submit").status_code == 409
    manager.of_estimate("answer/", row="3", column="amount", text="12.00")
    page = text_of(manager.of_estimate("answer/", leave_out="4"))
    assert "Left out" in page
    assert "$32.00" in page
    with tenant(manager.company_id):
        kept = LineMapping.objects.get(line__estimate_id=manager.estimate_id)
        assert (kept.wbs_code, kept.evidence) == ("999-000.S", "person")
    assert "3" in text_of(manager.of_estimate("answer/", take_back="4"))
    mended = content.replace(b"twelve", b"13.00").replace(b"#REF!", b"14.00")
    page = text_of(manager.of_estimate("file/", file=SimpleUploadedFile("again.csv", mended)))
    assert "$47.00" in page
    assert "1 of 3" in page


def test_a_file_with_two_contracts_asks_which_and_forgets_nothing(manager: Desk) -> None:
    rows = ["Contract,Item,Description,Amount"]
    rows += [f"{c},{n},Work {n},{n}.00" for c in ("Alpha", "Beta") for n in range(1, 6)]
    page = text_of(manager.drop("\n".join(rows).encode()))
    assert "The file contains 2 estimates" in page
    assert manager.frame.post(f"/embedded/estimates/{manager.estimate_id}/plan/").status_code == 200
    assert "contains 2 estimates" in text_of(manager.see())
    page = text_of(manager.of_estimate("answer/", part="Beta"))
    assert "$15.00" in page


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"%PDF-1.4", "PDF"), (b"PK\x03\x04broken", "damaged or incomplete")],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(
    manager: Desk, content: bytes, words: str
) -> None:
    answer = manager.drop(content)
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_a_column_that_was_recognised_wrongly_is_changed_by_one_choice(manager: Desk) -> None:
    content = b"Item,Description,Amount,Cost\n1,Dig,10.00,7.00\n2,Fill,5.00,3.00\n"
    assert "Which column should be used?" in text_of(manager.drop(content))
    assert "$15.00" in text_of(manager.of_estimate("answer/", column="amount", place="2"))
    assert "$10.00" in text_of(manager.of_estimate("answer/", column="amount", place="3"))


def test_a_revision_proposes_only_the_difference_and_spares_what_people_changed(
    manager: Desk, approver: Desk
) -> None:
    handed_off(manager, approver)
    first = manager.estimate_id
    codes = {
        c["flat_code"]: c["id"] for c in manager.procore.records(manager.project_id, "wbs_codes")
    }
    edited = next(
        row
        for row in manager.procore.records(manager.project_id, "budget_line_items")
        if row["wbs_code_id"] == codes["202-000.S"]
    )
    path = f"projects/{manager.project_id}/budget_line_items/{edited['id']}"
    manager.procore.control(path, set={"original_budget_amount": "111.00"})
    revised = lines(
        ("202-000", "Remove railing", "LF", "120.00"), ("206-000", "Excavation", "CY", "9.00")
    )
    page = text_of(manager.drop(revised, "revised.csv", revision_of=first))
    assert "2 of 2" in page
    plan = text_of(manager.plan())
    assert "Left as it is" in plan
    assert "was 100.10, is now 111.00" in plan
    assert "No longer in the estimate" in plan
    plan = text_of(manager.plan(override="202-000.S"))
    assert "Left as it is" not in plan
    manager.act("submit")
    approver.estimate_id = manager.estimate_id
    approver.act("approve")
    carry_on()
    now = budget(manager)
    assert (now["202-000.S"], now["205-000.S"], now["206-000.S"]) == (
        Decimal("120.00"), Decimal("0.00"), Decimal("9.00"),
    )  # fmt: skip


def test_a_later_edit_in_procore_is_shown_as_drift(manager: Desk, approver: Desk) -> None:
    handed_off(manager, approver)
    assert "was changed in Procore since" not in text_of(manager.see())
    row = manager.procore.records(manager.project_id, "budget_line_items")[-1]
    path = f"projects/{manager.project_id}/budget_line_items/{row['id']}"
    manager.procore.control(path, set={"original_budget_amount": "1.00"})
    sync_now(company_id=manager.company_id, full=False, only=[], wait=clock.wait_until)
    page = text_of(manager.see())
    assert "The budget was changed in Procore since the handoff" in page
    assert "$1.00" in page


def test_an_estimate_that_was_never_written_can_be_deleted_another_cannot(
    manager: Desk, approver: Desk
) -> None:
    handed_off(manager, approver)
    assert manager.of_estimate("delete/", yes="1").status_code == 409
    manager.drop(TWO)
    manager.plan()
    assert manager.of_estimate("delete/", yes="1").status_code == 200
    with tenant(manager.company_id):
        assert Handoff.objects.count() == 1


def test_the_original_is_kept_sealed(manager: Desk) -> None:
    manager.drop(lines(("A1", "A very private description", "EA", "20.00")))
    with tenant(manager.company_id):
        content = bytes(EstimateOriginal.objects.get().content)
    assert b"private" not in content
    assert b"Description" not in content


def test_the_report_is_one_page_and_the_workbook_computes_nothing(
    manager: Desk, approver: Desk
) -> None:
    evil = '=HYPERLINK("http://x")'
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerows([["Item", "Description", "Amount"], ["202-000", evil, "5.00"],
                      ["205-000", "عربي and emoji 🏗", "6.00"]])  # fmt: skip
    handed_off(manager, approver, rows.getvalue().encode())
    report = manager.see("report/")
    assert AuditEvent.objects.filter(event="handoff.exported").count() == 1
    assert report["Content-Type"] == "application/pdf"
    assert report.content.count(b"/Type /Page\n") == 1
    answer = manager.see("workbook/")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(evil in str(cell.value) for cell in cells)


def test_a_plan_against_a_locked_budget_says_so_at_once(manager: Desk) -> None:
    manager.procore.control(f"projects/{manager.project_id}/lock", locked=True)
    manager.drop(TWO)
    assert "The budget is locked in Procore" in text_of(manager.plan())
    assert manager.act("submit").status_code == 409
    manager.procore.control(f"projects/{manager.project_id}/lock", locked=False)
    assert "locked" not in text_of(manager.plan())


@pytest.mark.parametrize("path", ["*/detail_rows", "*/budget_views", "*/wbs_codes"])
def test_an_empty_budget_where_one_was_is_no_plan_to_create_every_line_again(
    manager: Desk, path: str
) -> None:
    manager.procore.control("hiding", rules=[{"path": path}])
    manager.drop(TWO)
    assert "Procore shows an empty budget, but Tieback has read one before" in text_of(
        manager.plan()
    )
    assert manager.act("submit").status_code == 409


def test_nothing_is_asked_of_a_project_that_is_not_permitted_any_more(manager: Desk) -> None:
    procore, company = manager.procore, manager.company_id
    manager.drop(TWO)
    stay = [key for key in procore.projects(company) if key != manager.project_id]
    procore.control("installs", company_id=company, permitted_projects=stay)
    sync_now(company_id=company, full=False, only=[], wait=clock.wait_until)
    procore.control("clear", all=True)
    refused = text_of(manager.plan())
    assert "permitted projects" in refused
    service = [call for call in procore.ledger() if call["credential"] == "service"]
    assert not [call for call in service if str(manager.project_id) in call["path"]]


def test_a_description_cannot_bring_markup_into_the_page(manager: Desk) -> None:
    content = lines(("A1", "<img src=x onerror=alert(1)>", "EA", "20.00"))
    manager.drop(content, "<b>bold</b>.csv")
    for page in (manager.of_estimate(), manager.of_estimate("mapping/"), manager.plan()):
        assert b"<img src=x" not in page.content
        assert b"<b>bold" not in page.content


def test_the_command_line_and_the_frame_see_the_same_handoff(
    manager: Desk, synced: int, procore: Procore, tmp_path: object
) -> None:
    road = Road(synced, procore, tmp_path)  # type: ignore[arg-type]  # a folder
    road.step("plan", estimate := road.estimate())
    manager.estimate_id = estimate
    assert "Operator" in text_of(manager.see())
    road.step("approve", estimate)
    road.step("push", estimate)
    assert "Procore budget equals the estimate" in text_of(manager.see())
