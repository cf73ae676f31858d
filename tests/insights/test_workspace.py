"""Insights, search, saved views and the panel: what a viewer may see, and nothing else."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from integrations.procore.sync.models import Absence
from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.insights.charts import KINDS
from partner_app.insights.models import CostFigure, ProjectDay, SavedView, SearchWord
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of

COST_WORDS = ("budget", "commit", "exposure", "direct cost", "invoice", "change event")
PAGES = (
    "home/", "projects/{p}/", "projects/{p}/open-rfis/", "exceptions/", "insights/",
    "projects/{p}/insights/", "search/?q=concrete", "settings/", "panel/{p}/rfi.detail/{rfi}/",
    "panel/{p}/submittal_logs.detail/{submittal}/", "panel/{p}/daily_log.x/1/",
)  # fmt: skip
REFUSED = (
    "projects/{p}/budget/", "projects/{p}/committed/", "projects/{p}/direct-costs/",
    "projects/{p}/open-change-events/", "insights/divisions.csv", "insights/cost-curve.xlsx",
    "insights/trend.csv", "projects/{p}/insights/pipeline.csv", "panel/{p}/budgeting.detail/",
    "panel/{p}/change_events.detail/{event}/",
    "panel/{p}/commitments.work_order_contracts.detail/{contract}/",
)  # fmt: skip


def filled(frame: Frame, path: str) -> str:
    project = frame.procore.projects()[0]
    first = {
        name: frame.procore.records(project, kind)[0]["id"]
        for name, kind in (
            ("rfi", "rfis"),
            ("submittal", "submittals"),
            ("event", "change_events"),
            ("contract", "work_order_contracts"),
        )
    }
    return "/embedded/" + path.format(p=project, **first)


@pytest.mark.parametrize("path", PAGES)
def test_without_budget_access_no_page_names_a_cost_figure(engineer: Frame, path: str) -> None:
    """Not even for an RFI that has one, is overdue and is listed among the exceptions."""
    project = engineer.procore.projects()[0]
    rfi = engineer.procore.records(project, "rfis")[0]["id"]
    change = {
        "status": "open",
        "due_date": (clock.now() - timedelta(days=3)).date().isoformat(),
        "cost_impact": {"status": "yes_known", "value": "15000.00"},
    }
    engineer.procore.control(f"projects/{project}/rfis/{rfi}", set=change)
    sync_now(company_id=engineer.company_id, full=False, only=["rfis"], wait=clock.wait_until)
    answer = engineer.get(filled(engineer, path))
    assert answer.status_code == 200
    text = text_of(answer).lower()
    assert "15,000" not in text
    if path != "settings/":  # it says what the app as a whole reads
        assert not [word for word in (*COST_WORDS, "$") if word in text], text


@pytest.mark.parametrize("path", REFUSED)
def test_what_needs_a_withheld_tool_is_refused_with_words(engineer: Frame, path: str) -> None:
    answer = engineer.get(filled(engineer, path))
    assert answer.status_code == 403
    assert "Procore does not give you access to this tool" in text_of(answer)


def test_each_chart_is_the_same_as_its_table_and_its_files(admin: Frame) -> None:
    page = admin.get("/embedded/insights/").content.decode()
    for slug in KINDS:
        assert f'id="figure-{slug}"' in page
        table = admin.get(f"/embedded/insights/{slug}.csv")
        assert table["Content-Disposition"] == f'attachment; filename="{slug}.csv"'
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
        book = load_workbook(io.BytesIO(admin.get(f"/embedded/insights/{slug}.xlsx").content))
        sheet = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        assert [str(cell) for cell in sheet[0]] == rows[0]
        assert [float(row[1]) for row in rows[1:]] == [
            float(str(row[1])) for row in sheet[1 : len(rows)]
        ]
    assert admin.get("/embedded/insights/nonsense.csv").status_code == 404
    assert admin.get("/embedded/insights/trend.exe").status_code == 404


def test_the_divisions_add_up_to_the_projects_metrics(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    rows = list(
        csv.DictReader(
            io.StringIO(
                admin.get(f"/embedded/projects/{project}/insights/divisions.csv").content.decode(
                    "utf-8-sig"
                )
            )
        )
    )
    with tenant(admin.company_id):
        day = ProjectDay.objects.get(project_id=project, newest=True)
    assert sum(float(row["Revised budget (USD)"]) for row in rows) == pytest.approx(
        float(day.original_budget + day.budget_changes)
    )
    assert sum(float(row["Committed and direct (USD)"]) for row in rows) == pytest.approx(
        float(day.committed + day.direct_costs)
    )


def test_a_snapshot_a_day_is_kept_and_former_days_stay(
    admin: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = admin.company_id
    later = clock.now().replace(year=clock.now().year + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    project = admin.procore.projects()[0]
    admin.procore.control(
        f"projects/{project}/rfis/{admin.procore.records(project, 'rfis')[0]['id']}",
        set={"subject": "Another"},
    )
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    with tenant(company):
        days = ProjectDay.objects.filter(project_id=project).order_by("day")
        assert days.count() == 2
        assert [day.newest for day in days] == [False, True]


@pytest.mark.parametrize(
    ("view", "kind", "words"),
    [
        ("rfi.detail", "rfis", "Status"),
        ("submittal_logs.detail", "submittals", "Submit by"),
        ("change_events.detail", "change_events", "Latest cost"),
        ("commitments.work_order_contracts.detail", "work_order_contracts", "Change orders"),
        ("commitments.purchase_order_contracts.edit", "purchase_order_contracts", "Invoices"),
        ("commitments.requisitions.detail", "requisitions", "With approved changes"),
    ],
)
def test_the_panel_shows_what_hangs_on_a_record(
    admin: Frame, view: str, kind: str, words: str
) -> None:
    project = admin.procore.projects()[0]
    record = admin.procore.records(project, kind)[0]["id"]
    text = text_of(admin.get(f"/embedded/panel/{project}/{view}/{record}/"))
    assert words in text
    missing = text_of(admin.get(f"/embedded/panel/{project}/{view}/1/"))
    assert "has not been synced yet" in missing


def test_the_panel_on_the_budget_needs_no_record(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    text = text_of(admin.get(f"/embedded/panel/{project}/budgeting.detail/"))
    assert "Revised budget" in text
    assert "About to cost money" in text


def test_an_rfi_and_the_change_event_that_came_from_it_name_each_other(admin: Frame) -> None:
    for project in admin.procore.projects():
        for event in admin.procore.records(project, "change_events"):
            if event["event_origin"]:
                origin = event["event_origin"]["origin_id"]
                path = f"/embedded/panel/{project}/rfi.detail/{origin}/"
                assert event["title"] in text_of(admin.get(path))
                path = f"/embedded/panel/{project}/change_events.detail/{event['id']}/"
                assert "Created from this RFI" in text_of(admin.get(path))
                return
    raise AssertionError("no change event in this world came from an RFI")


def hits(frame: Frame, **query: Any) -> list[str]:
    page = frame.get("/embedded/search/", **query).content.decode()
    return re.findall(r'<a href="[^"]+/project/([^"/]+)', page)


def test_search_finds_by_the_beginnings_of_words_in_any_order(admin: Frame) -> None:
    procore = admin.procore
    project = procore.projects()[0]
    row = procore.records(project, "rfis")[0]
    procore.control(
        f"projects/{project}/rfis/{row['id']}", set={"subject": "Zircon lintel at Querétaro wall"}
    )
    sync_now(company_id=admin.company_id, full=False, only=[], wait=clock.wait_until)
    assert hits(admin, q="zirc") == ["rfi"]
    assert hits(admin, q="WALL zircon") == ["rfi"]
    assert hits(admin, q="querét") == ["rfi"]
    assert hits(admin, q="zircon nowhere") == []
    assert hits(admin, q="zircon", kind="submittals") == []
    assert hits(admin, q="zircon", project=procore.projects()[1]) == []
    assert hits(admin, q="' OR 1=1 --") == []
    procore.control(f"projects/{project}/rfis/{row['id']}", set={"subject": "Renamed"})
    sync_now(company_id=admin.company_id, full=False, only=[], wait=clock.wait_until)
    assert hits(admin, q="zircon") == []


def test_search_shows_no_record_of_a_withheld_tool(admin: Frame, engineer: Frame) -> None:
    contract = admin.procore.records(admin.procore.projects()[0], "work_order_contracts")[0]
    assert hits(admin, q=contract["number"])
    assert hits(engineer, q=contract["number"]) == []
    page = engineer.get("/embedded/search/").content.decode()
    assert "commitments" not in page


def test_a_view_is_saved_opened_replaced_and_removed(admin: Frame) -> None:
    path = "/embedded/exceptions/?rule=rfi_overdue"
    assert "Late RFIs" in text_of(admin.post("/embedded/views/", name="Late RFIs", path=path))
    admin.post("/embedded/views/", name="Late RFIs", path=path + "&state=snoozed")
    page = admin.get("/embedded/exceptions/").content.decode()
    assert page.count("Late RFIs") >= 1
    for bad in ("https://evil.example/", "/dashboard/", "/embedded//evil.example"):
        answer = text_of(admin.post("/embedded/views/", name="Bad", path=bad))
        assert "This page cannot be saved" in answer
    assert "Name the view" in text_of(admin.post("/embedded/views/", name=" ", path=path))
    with tenant(admin.company_id):
        [view] = SavedView.objects.all()
    assert view.path.endswith("state=snoozed")
    other = Frame(admin.procore, admin.company_id).sign_in("manager")
    assert "Late RFIs" not in text_of(other.get("/embedded/exceptions/"))
    assert other.post(f"/embedded/views/{view.id}/remove/").status_code == 404
    assert admin.post(f"/embedded/views/{view.id}/remove/").status_code == 200
    with tenant(admin.company_id):
        assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("asked", "opened"),
    [
        ("exceptions/?rule=rfi_overdue", "exceptions/?rule=rfi_overdue"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("../dashboard/", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_deep_link_opens_pages_of_the_frame_alone(
    web: None, database: None, asked: str, opened: str
) -> None:
    page = Client().get("/embedded/", {"company_id": "1", "open": asked}).content.decode()
    found = re.search(r'data-open="([^"]*)"', page)
    assert found
    assert found[1] == opened


def test_the_tour_ends_for_good(admin: Frame) -> None:
    assert "Three things to know" in text_of(admin.get("/embedded/home/"))
    assert admin.post("/embedded/tour/").status_code == 200
    assert "Three things to know" not in text_of(admin.get("/embedded/home/"))


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("home/", 34),
        ("projects/{p}/", 34),
        ("exceptions/", 32),
        ("insights/", 38),
        ("projects/{p}/insights/", 34),
        ("search/?q=concrete", 32),
        ("panel/{p}/rfi.detail/{rfi}/", 24),
        ("progress/?seen=0", 8),
    ],
)
def test_a_page_asks_the_database_a_bounded_number_of_times(
    admin: Frame, django_assert_max_num_queries: Any, path: str, most: int
) -> None:
    address = filled(admin, path)
    admin.get(address)  # caches the rights
    with django_assert_max_num_queries(most):
        admin.get(address)


def test_what_is_drawn_up_of_a_project_is_gone_with_it(admin: Frame) -> None:
    gone, *stay = admin.procore.projects()
    admin.procore.control("installs", company_id=admin.company_id, permitted_projects=stay)
    sync_now(company_id=admin.company_id, full=False, only=[], wait=clock.wait_until)
    with tenant(admin.company_id):
        assert CostFigure.objects.filter(project_id=gone).exists()  # kept for the grace period
    assert "no longer permitted" in text_of(admin.get("/embedded/home/"))
    Absence.objects.update(since=clock.now() - timedelta(days=31))
    sync_now(company_id=admin.company_id, full=False, only=[], wait=clock.wait_until)
    with tenant(admin.company_id):
        for model in (CostFigure, ProjectDay, SearchWord):
            assert not model._default_manager.filter(project_id=gone).exists()
            assert model._default_manager.exists()
