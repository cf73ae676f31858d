"""Viewers see what Procore would show them, with figures that match its records."""

import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.core.templatetags.show import money
from partner_app.embedded.models import Entitlement
from partner_app.insights.statuses import CONTRACTS, ApprovalState, standing
from partner_app.tenancy.context import tenant
from tests.frame import Frame, text_of
from tests.procore import Procore


def today(zone: str = "US/Central") -> str:
    return clock.now().astimezone(ZoneInfo(zone)).date().isoformat()


def rfis(procore: Procore, project: int) -> list[dict[str, Any]]:
    return [row for row in procore.records(project, "rfis") if row["status"] == "open"]


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def tile(page: str, label: str) -> str:
    found = re.search(rf'<span class="label">{label}</span><strong>([^<]*)</strong>', page)
    assert found, label
    return found[1]


def test_the_project_pages_figures_are_recomputed_from_procores_own_records(
    admin: Frame,
) -> None:
    procore = admin.procore
    project = procore.projects()[0]
    page = admin.get(f"/embedded/projects/{project}/").content.decode()
    open_ = rfis(procore, project)
    overdue = [row for row in open_ if row.get("due_date", "9") < today()]
    assert tile(page, "Open RFIs") == str(len(open_))
    assert tile(page, "Overdue RFIs") == str(len(overdue))
    lines = procore.records(project, "budget_line_items")
    budget = total(
        Decimal(str(row["original_budget_amount"])) + Decimal(str(row["budget_modifications"]))
        for row in lines
    )
    contracts = [
        *procore.records(project, "work_order_contracts"),
        *procore.records(project, "purchase_order_contracts"),
    ]
    committed = total(
        Decimal(row["grand_total"]) + Decimal(row["approved_change_orders"])
        for row in contracts
        if standing(CONTRACTS, row["status"]) is ApprovalState.COUNTS
    )
    direct = total(
        Decimal(row["amount"])
        for row in procore.records(project, "direct_costs")
        if row["status"] == "approved"
    )
    assert money(budget) in page
    assert money(committed) in page
    assert money(direct) in page
    assert money(abs(budget - committed - direct)) in page


def test_what_has_not_been_read_yet_is_left_out_rather_than_shown_as_nothing(
    company: int, procore: Procore
) -> None:
    for name in ("projects", "rfis"):
        sync_now(company_id=company, full=True, only=[name], wait=clock.wait_until)
    viewer = Frame(procore, company).sign_in("admin")
    text = text_of(viewer.get("/embedded/home/"))
    assert "Overdue RFIs" in text
    assert "Overdue submittals" not in text
    assert "$0" not in text
    page = text_of(viewer.get(f"/embedded/projects/{procore.projects()[0]}/"))
    assert "have not been read yet" in page


def test_every_number_opens_the_records_behind_it(admin: Frame) -> None:
    procore = admin.procore
    project = procore.projects()[0]
    home = admin.get("/embedded/home/").content.decode()
    addresses = set(re.findall(r'hx-get="(/embedded/projects/[^"]+)"', home))
    assert f"/embedded/projects/{project}/overdue-rfis/" in addresses
    for address in addresses:
        assert admin.get(address).status_code == 200
    page = admin.get(f"/embedded/projects/{project}/open-rfis/").content.decode()
    for row in rfis(procore, project):
        assert f"/{project}/project/rfi/show/{row['id']}" in page


def test_records_open_in_the_host_that_frames_us_and_in_no_other(admin: Frame) -> None:
    path = f"/embedded/projects/{admin.procore.projects()[0]}/open-rfis/"
    host = admin.procore.announcement["frame"]
    assert f'href="{host}/' in admin.get(path).content.decode()
    headers = {"authorization": f"Bearer {admin.bearer}", "tieback-host": "https://evil.example"}
    assert "evil.example" not in Client(headers=headers).get(path).content.decode()


def test_a_viewer_without_budgets_sees_no_budget_figure_anywhere(engineer: Frame) -> None:
    project = engineer.procore.projects()[0]
    home = engineer.get("/embedded/home/").content.decode()
    totals = re.search(r'<dl class="totals".*?</dl>', home, re.DOTALL)
    assert totals
    assert "$" not in totals[0]
    for path in ("home/", f"projects/{project}/", f"projects/{project}/open-rfis/"):
        text = text_of(engineer.get(f"/embedded/{path}")).lower()
        assert not [word for word in ("budget", "commit", "exposure") if word in text]


@pytest.mark.parametrize("kind", ["budget", "committed", "pending", "open-change-events"])
def test_a_list_of_a_tool_that_procore_withholds_is_refused_with_words(
    engineer: Frame, kind: str
) -> None:
    answer = engineer.get(f"/embedded/projects/{engineer.procore.projects()[0]}/{kind}/")
    assert answer.status_code == 403
    assert "Procore does not give you access to this tool" in text_of(answer)
    assert "$" not in text_of(answer)


def test_a_project_that_procore_does_not_show_is_absent(engineer: Frame) -> None:
    hidden = engineer.procore.projects()[2]
    assert str(hidden) not in engineer.get("/embedded/home/").content.decode()
    assert engineer.get(f"/embedded/projects/{hidden}/").status_code == 404
    assert engineer.get(f"/embedded/projects/{hidden}/open-rfis/").status_code == 404
    assert engineer.get(f"/embedded/panel/{hidden}/rfi.detail/1/").status_code == 404


def test_another_companys_project_is_absent(admin: Frame) -> None:
    foreign = admin.procore.projects(admin.procore.neighbour_id)[0]
    assert admin.get(f"/embedded/projects/{foreign}/").status_code == 404


def test_rights_are_asked_again_when_they_are_old(engineer: Frame) -> None:
    procore = engineer.procore
    path = f"/embedded/projects/{procore.projects()[0]}/budget/"
    assert engineer.get(path).status_code == 403
    person = procore.person("engineer")
    procore.control("people", id=person["id"], tools=[*person["tools"], "budget"])
    try:
        assert engineer.get(path).status_code == 403  # cached for five minutes
        with tenant(engineer.company_id):
            Entitlement.objects.update(checked_at=clock.now().replace(year=2020))
        assert engineer.get(path).status_code == 200
    finally:
        procore.control("people", id=person["id"], tools=person["tools"])


def test_an_unknown_kind_of_list_is_absent(admin: Frame) -> None:
    project = admin.procore.projects()[0]
    assert admin.get(f"/embedded/projects/{project}/secrets/").status_code == 404


@pytest.mark.parametrize(
    ("view", "kind", "title"),
    [
        ("rfi.detail", "rfis", "subject"),
        ("submittal_logs.detail", "submittals", "title"),
        ("change_events.detail", "change_events", "title"),
    ],
)
def test_the_panel_shows_the_record_that_is_open_in_procore(
    admin: Frame, view: str, kind: str, title: str
) -> None:
    project = admin.procore.projects()[0]
    record = admin.procore.records(project, kind)[2]
    text = text_of(admin.get(f"/embedded/panel/{project}/{view}/{record['id']}/"))
    assert record[title] in text


def test_the_panel_has_words_for_what_is_not_here_and_what_it_does_not_know(
    admin: Frame,
) -> None:
    project = admin.procore.projects()[0]
    assert "Not synced yet" in text_of(admin.get(f"/embedded/panel/{project}/rfi.detail/1/"))
    assert "Nothing to add" in text_of(admin.get(f"/embedded/panel/{project}/daily_log.x/1/"))


def test_a_page_costs_a_bounded_number_of_queries(
    admin: Frame, django_assert_max_num_queries: Any
) -> None:
    project = admin.procore.projects()[0]
    admin.get("/embedded/home/")  # caches the rights
    with django_assert_max_num_queries(45):
        admin.get("/embedded/home/")
    with django_assert_max_num_queries(45):
        admin.get(f"/embedded/projects/{project}/")


def test_sync_now_makes_the_company_due_and_says_so(admin: Frame) -> None:
    assert "will start in a moment" in text_of(admin.post("/embedded/refresh/"))
    assert "Up to date" in text_of(admin.get("/embedded/progress/"))


def test_links_open_in_the_region_that_frames_us_and_never_elsewhere(
    admin: Frame, settings: Any
) -> None:
    settings.FRAME_ANCESTORS = ("https://*.procore.com", "https://app.procore.com")
    settings.PROCORE = replace(settings.PROCORE, web_url="https://app.procore.com")
    path = f"/embedded/projects/{admin.procore.projects()[0]}/open-rfis/"
    for host, web in (
        ("https://us02.procore.com", "https://us02.procore.com/"),
        ("https://evilprocore.com", "https://app.procore.com/"),
        ("", "https://app.procore.com/"),
    ):
        headers = {"authorization": f"Bearer {admin.bearer}", "tieback-host": host}
        page = Client(headers=headers).get(path)
        links = re.findall(r'href="(https:[^"]+)"', page.content.decode())
        assert links
        assert all(link.startswith(web) for link in links), links
        policy = page["Content-Security-Policy"]
        assert policy.endswith("frame-ancestors https://*.procore.com https://app.procore.com")
