"""Our sums against Procore's columns: equal where all records are read, named where not."""

from decimal import Decimal

from integrations.procore.resources.budget_codes import rows_of
from partner_app.insights.procore_check import ProjectCheck, compare, project_check
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.procore import Procore
from tests.sync.test_sync import sync

D = Decimal
NAMES = {1: ("01-011.L", "Concrete · Labor"), 2: ("01-012.M", "Steel · Materials")}


def checks(company: int, project: int) -> ProjectCheck:
    with tenant(company):
        found = project_check(company, project, rows_of(company, project), unread=())
    assert found
    return found


def test_all_sums_of_all_projects_are_equal_to_the_stand_ins_own(admin: Frame) -> None:
    *others, project = admin.procore.projects()
    for key in (*others, project):
        found = checks(admin.company_id, key)
        assert [row.label for row in found.rows] == ["Committed", "Direct costs", "Pending changes"]
        assert found.apart == []
        assert all(row.ours for row in found.rows), "something was compared"
    page = text_of(admin.get(f"/embedded/projects/{project}/"))
    assert "Checked against Procore’s budget view: equal." in page


def test_contracts_that_we_do_not_see_are_named_by_their_codes(
    company: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    signed = {
        row["id"]: D(row["grand_total"]) + D(row["approved_change_orders"])
        for row in procore.records(project, "work_order_contracts")
        if row["status"] in {"Approved", "Complete"}
    }
    lines = [
        line
        for line in procore.records(project, "commitment_line_items")
        if line["holder"]["id"] in signed
    ]
    rule = {"path": "/rest/v1.0/work_order_contracts", "project_id": project}
    procore.control("hiding", rules=[rule])
    sync(company, full=True)
    [committed, *_] = checks(company, project).apart
    assert committed.label == "Committed"
    assert committed.difference == -sum(signed.values(), D(0))
    codes = {line["wbs_code"]["flat_code"] for line in lines}
    assert {code.code for code in committed.codes} == codes
    page = text_of(Frame(procore, company).sign_in("admin").get(f"/embedded/projects/{project}/"))
    assert "differs." in page or "differ." in page
    assert min(codes) in page


def test_equal_in_total_and_apart_by_code_is_no_equality() -> None:
    ours = {1: {"committed": D(10)}, 2: {"committed": D(5)}}
    theirs = {1: {"committed_costs": D(5)}, 2: {"committed_costs": D(10)}}
    [row] = compare("USD", ours, theirs, NAMES)
    assert row.difference == D(0)
    assert not row.equal
    assert [code.code for code in row.codes] == ["01-011.L", "01-012.M"]


def test_a_column_that_the_view_does_not_have_is_not_compared() -> None:
    assert compare("USD", {1: {"committed": D(10)}}, {1: {"budget": D(5)}}, NAMES) == []


def test_who_sees_only_some_tools_is_told_nothing_of_the_sums(engineer: Frame) -> None:
    project = engineer.procore.projects()[0]
    page = text_of(engineer.get(f"/embedded/projects/{project}/"))
    assert "Checked against" not in page
