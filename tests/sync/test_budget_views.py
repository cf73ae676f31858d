"""Budget rows come from the right view, with its columns, and no amount is lost or doubled."""

from decimal import Decimal
from typing import Any

from integrations.procore.resources.budget_codes import rows_of, tied_rows, untied
from integrations.procore.resources.budget_columns import BudgetColumn
from integrations.procore.resources.budget_rows import BudgetRow
from integrations.procore.resources.budget_views import View
from integrations.procore.sync.budget_choice import lacks_pinned_view
from integrations.procore.sync.models import Incident, SyncCursor
from integrations.procore.sync.pinning import pin_view, unpin_view
from integrations.procore.sync.status import status
from partner_app.audit.models import AuditEvent
from partner_app.core import clock
from partner_app.insights.facts import ProjectFacts
from partner_app.tenancy.context import tenant
from tests.insights.test_pages import total
from tests.procore import Procore
from tests.sync.test_sync import drift, sync


def rows(company: int, project: int) -> list[BudgetRow]:
    with tenant(company):
        return list(BudgetRow.objects.filter(company_id=company, project_id=project))


def paths(procore: Procore) -> list[str]:
    return [call["path"] for call in procore.ledger() if call["path"].endswith("detail_rows")]


def pin(company: int, view: dict[str, Any], **columns: str) -> None:
    pinned = [BudgetColumn(meaning, "", name) for meaning, name in columns.items()]
    pin_view(company_id=company, view=View(view["id"], view["name"]), columns=pinned, actor="test")


def test_the_standard_view_is_read_with_its_cost_columns_and_costs_without_budget(
    synced: int, procore: Procore
) -> None:
    own, standard, _forecast = procore.budget_views()
    assert own["role"] != "budgeting", "the standard view is not the first"
    assert all(f"/{standard['id']}/" in path for path in paths(procore))
    asked = [c["query"] for c in procore.ledger() if c["path"].endswith("detail_rows")]
    assert all("budget_row_type" in params for params in asked)
    project = procore.projects()[0]
    found = rows(synced, project)
    spent = [
        line
        for line in procore.records(project, "direct_cost_line_items")
        if any(
            cost["id"] == line["holder"]["id"] and cost["status"] == "approved"
            for cost in procore.records(project, "direct_costs")
        )
    ]
    assert total(row.direct_costs or Decimal(0) for row in found) == total(
        Decimal(line["amount"]) for line in spent
    )
    assert all(row.committed_costs is not None for row in found)
    assert any(row.unbudgeted_reason for row in found)
    assert drift(synced) == 0
    assert procore.violations() == []


def test_a_pinned_view_is_read_by_all_projects_with_the_columns_as_they_were_pinned(
    synced: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    before = {row.remote_id: row.committed_costs for row in rows(synced, project)}
    own = procore.budget_views()[0]
    pin(synced, own, committed_costs="Signed Contracts", direct_costs="Spent on Site")
    procore.control("clear", all=True)
    sync(synced)
    assert len(paths(procore)) == len(procore.projects())
    assert all(f"/{own['id']}/" in path for path in paths(procore))
    after = rows(synced, project)
    assert {row.remote_id: row.committed_costs for row in after} == before
    assert all(row.pending_cost_changes is None for row in after), "not pinned, so not known"
    assert drift(synced) == 0
    event = AuditEvent.objects.get(event="company.budget_view_chosen")
    assert event.facts["view"] == own["name"]
    unpin_view(company_id=synced, actor="test")
    sync(synced)
    assert all(row.pending_cost_changes is not None for row in rows(synced, project))


def test_a_project_without_the_pinned_view_keeps_the_standard_one_and_says_so(
    synced: int, procore: Procore
) -> None:
    first, second, *_ = procore.projects()
    own, standard, _forecast = procore.budget_views()
    where = f"companies/{synced}/budget-views"
    procore.control(where, project_id=first, hide=[own["id"]])
    pin(synced, own, committed_costs="Signed Contracts")
    procore.control("clear", all=True)
    sync(synced)
    ids = {path.split("/")[4] for path in paths(procore)}
    assert ids == {str(own["id"]), str(standard["id"])}
    with tenant(synced):
        assert lacks_pinned_view(synced, first)
        assert not lacks_pinned_view(synced, second)
    assert all(row.pending_cost_changes is not None for row in rows(synced, first))
    assert status(synced)["companies"][0]["budget"]["projects_with_another_view"] == 1  # type: ignore[index]
    assert not Incident.objects.filter(code="budget.view_gone").exists()
    procore.control(where, project_id=first, hide=[0])
    sync(synced, full=True)
    with tenant(synced):
        assert not lacks_pinned_view(synced, first), "a full look finds it"


def test_a_pinned_view_that_is_deleted_is_replaced_at_once_and_told_once(
    synced: int, procore: Procore
) -> None:
    own = procore.budget_views()[0]
    pin(synced, own, committed_costs="Signed Contracts")
    sync(synced)
    procore.control(f"companies/{synced}/budget-views", delete=own["id"])
    sync(synced)
    sync(synced)
    [incident] = Incident.objects.filter(code="budget.view_gone")
    assert incident.closed_at is None
    assert own["name"] in incident.message
    assert all(row.pending_cost_changes is not None for row in rows(synced, procore.projects()[0]))
    unpin_view(company_id=synced, actor="test")
    sync(synced)
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_columns_are_read_in_any_spelling(company: int, procore: Procore) -> None:
    procore.wild("budget_columns_in_other_spelling")
    sync(company, full=True)
    found = rows(company, procore.projects()[0])
    assert found
    assert all(row.committed_costs is not None for row in found)
    assert all(row.projected_over_under is not None for row in found)


def test_rows_of_the_older_kind_count_under_their_code_once(company: int, procore: Procore) -> None:
    project = procore.projects()[0]
    sync(company, full=True)
    before = figures(company, project)
    procore.wild("budget_rows_without_wbs_code")
    sync(company)
    old = [row for row in rows(company, project) if row.wbs_code_id is None]
    assert old
    with tenant(company):
        assert len(tied_rows(company, project)) == len(old)
        assert untied(rows_of(company, project)) == (0, {})
    assert figures(company, project) == before
    assert drift(company) == 0


def test_money_of_a_row_that_belongs_to_no_code_stays_in_the_totals_and_is_counted(
    company: int, procore: Procore
) -> None:
    project = procore.projects()[0]
    sync(company, full=True)
    before = figures(company, project)
    procore.wild("budget_rows_without_wbs_code")
    line = procore.records(project, "budget_line_items")
    for code in procore.records(project, "wbs_codes"):
        procore.control(f"projects/{project}/wbs_codes/{code['id']}", set={"flat_code": "X"})
    sync(company)
    with tenant(company):
        count, sums = untied(rows_of(company, project))
    assert 0 < count <= len(line) + 40
    found = figures(company, project)
    assert sum(b for b, *_ in found.values()) == sum(b for b, *_ in before.values())
    assert found[0][0] == sums["USD"]
    told = status(company)["companies"][0]["budget"]  # type: ignore[index]
    assert (told["rows_without_code"], told["without_code"]) == (count, sums)


def figures(company: int, project: int) -> dict[int, tuple[Decimal, Decimal, Decimal]]:
    from integrations.procore.resources.projects import Project

    with tenant(company):
        found = Project.objects.get(company_id=company, remote_id=project)
        costs = ProjectFacts(found, clock.now()).costs
    return {cost.wbs_code_id: (cost.budget, cost.committed, cost.direct) for cost in costs}


def view_lists(procore: Procore) -> list[str]:
    return [c["path"] for c in procore.ledger() if c["path"] == "/rest/v1.0/budget_views"]


def forget_projects_but(company: int, *known: int) -> None:
    """As if the other projects' budgets had never been read."""
    cursors = SyncCursor.objects.filter(company_id=company, resource="budget_rows")
    cursors.exclude(project_id__in=known).delete()


def test_a_project_is_read_in_the_view_of_the_others_without_asking_which_it_has(
    synced: int, procore: Procore
) -> None:
    first, *others = procore.projects()
    standard = procore.budget_views()[1]
    forget_projects_but(synced, first)
    procore.control("clear", all=True)
    sync(synced)
    assert view_lists(procore) == []
    assert all(f"/{standard['id']}/" in path for path in paths(procore))
    cursors = SyncCursor.objects.filter(company_id=synced, project_id__in=others)
    views = cursors.filter(resource="budget_rows").values_list("via_id", "via_fallback")
    assert set(views) == {(standard["id"], False)}
    assert drift(synced) == 0


def test_a_project_without_that_view_or_without_rows_in_it_is_asked_which_it_has(
    synced: int, procore: Procore
) -> None:
    first, second, *_ = procore.projects()
    own, standard, _forecast = procore.budget_views()
    where = f"companies/{synced}/budget-views"
    procore.control(where, project_id=second, hide=[standard["id"]])
    forget_projects_but(synced, first)
    procore.control("clear", all=True)
    sync(synced)
    assert len(view_lists(procore)) == 1
    cursor = SyncCursor.objects.get(company_id=synced, resource="budget_rows", project_id=second)
    assert (cursor.via_id, cursor.via_fallback) == (own["id"], True)
    assert drift(synced) == 0
