"""Every page of the dashboard: by role, with a text for empty lists, at a constant cost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from integrations.procore.sync.models import Incident, RunState, SyncRun
from integrations.procore.sync.services import sync_now
from integrations.procore.webhooks.inbox import NO_MONTH
from integrations.procore.webhooks.models import WebhookEvent
from partner_app.accounts.models import Role
from partner_app.audit.events import Event
from partner_app.audit.record import record
from partner_app.connections.models import ApiDay
from partner_app.connections.usage import collect
from partner_app.core import clock
from partner_app.dashboard.models import TenantSummary
from partner_app.help.models import SupportRequest
from partner_app.tenancy.lifecycle import note_connected, note_gone, note_installed
from partner_app.tenancy.models import Company
from tests.dashboard.people import admin_of
from tests.frame import text_of
from tests.procore import Procore

PAGES = {
    "/dashboard/": Role.VIEWER,
    "/dashboard/numbers/": Role.VIEWER,
    "/dashboard/tenants/": Role.VIEWER,
    "/dashboard/incidents/": Role.VIEWER,
    "/dashboard/unreadable/": Role.VIEWER,
    "/dashboard/syncs/": Role.VIEWER,
    "/dashboard/webhooks/": Role.VIEWER,
    "/dashboard/usage/": Role.VIEWER,
    "/dashboard/queues/": Role.VIEWER,
    "/dashboard/handoffs/": Role.SUPPORT,
    "/dashboard/support/": Role.SUPPORT,
    "/dashboard/audit/": Role.SUPPORT,
    "/dashboard/alerts/": Role.OPERATOR,
}
MOST_QUERIES = 26


def add_tenants(first: int, count: int) -> None:
    """Each with a run, an incident, an event, calls and a question."""
    now = clock.now()
    ids = range(first, first + count)
    Company.objects.bulk_create(
        Company(id=key, name=f"Builder {key}", state="active", state_since=now) for key in ids
    )
    TenantSummary.objects.bulk_create(
        TenantSummary(company_id=key, run_state=RunState.DONE, run_at=now, stalest_at=now)
        for key in ids
    )
    SyncRun.objects.bulk_create(
        SyncRun(
            company_id=key, mode="full", state="done", started_at=now, finished_at=now,
            leased_until=now, holder="-",
        )
        for key in ids
    )  # fmt: skip
    Incident.objects.bulk_create(
        Incident(
            company_id=key, resource="rfis", code="procore.forbidden", message="No", remedy="Ask",
            opened_at=now, seen_at=now,
        )
        for key in ids
    )  # fmt: skip
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            company_id=key,
            ulid="1",
            resource_type="RFIs",
            reason="update",
            received_at=now,
            month=NO_MONTH,
        )
        for key in ids
    )
    ApiDay.objects.bulk_create(
        ApiDay(company_id=key, day=now.date(), calls=10, forbidden=1) for key in ids
    )
    SupportRequest.objects.bulk_create(
        SupportRequest(company_id=key, remote_user_id=1, asked_at=now, text="How?") for key in ids
    )
    for key in ids:
        record(Event.HANDOFF_PUSHED, actor="procore:1", company_id=key, subject="x")


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_from_its_role_upward_and_has_words_for_nothing(
    database: None, path: str
) -> None:
    for role in Role:
        answer = admin_of(role).get(path)
        assert answer.status_code == (200 if role.covers(PAGES[path]) else 403), role
        assert "None" not in text_of(answer).replace("None. No tenant", "")


def test_the_cost_of_a_page_does_not_grow_with_the_tenants(database: None) -> None:
    browser = admin_of(Role.OWNER)
    add_tenants(1, 3)
    few = {path: queries(browser, path) for path in (*PAGES, "/dashboard/tenants/1/")}
    add_tenants(1000, 60)
    many = {path: queries(browser, path) for path in (*PAGES, "/dashboard/tenants/1/")}
    # A second page has its own link and count; nothing else may add a query.
    assert {path: n for path, n in many.items() if n > few[path]} == {}
    assert max(many.values()) <= MOST_QUERIES


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert browser.get(path).status_code == 200
    return len(caught)


def test_tenants_are_found_filtered_and_sorted(database: None) -> None:
    browser = admin_of(Role.VIEWER)
    add_tenants(1, 3)
    Company.objects.filter(id=2).update(name="Zebra Works", state="degraded")
    TenantSummary.objects.filter(company_id=3).update(stalest_at=clock.now() - timedelta(hours=5))
    Incident.objects.filter(company_id=1).update(closed_at=clock.now())

    def names(**query: str) -> list[str]:
        text = text_of(browser.get("/dashboard/tenants/", query))
        found = {name: text.find(name) for name in ("Builder 1", "Zebra Works", "Builder 3")}
        return sorted((name for name in found if found[name] >= 0), key=lambda name: found[name])

    assert names() == ["Builder 1", "Builder 3", "Zebra Works"]
    assert names(text="zebra") == ["Zebra Works"]
    assert names(text="3") == ["Builder 3"]
    assert names(state="degraded") == ["Zebra Works"]
    assert names(trouble="stale") == ["Builder 3"]
    assert names(trouble="incidents") == ["Builder 3", "Zebra Works"]
    assert names(sort="stalest")[0] == "Builder 3"
    assert names(text="nobody") == []
    assert "No tenants match this filter" in text_of(browser.get("/dashboard/tenants/?text=nobody"))


def test_a_tenants_page_shows_its_operation_and_none_of_its_content(synced: int) -> None:
    text = text_of(admin_of(Role.OPERATOR).get(f"/dashboard/tenants/{synced}/"))
    for words in (
        "RFIs",
        "WBS codes",
        "Calls left in the tighter rate limit window",
        "Company connected",
    ):
        assert words in text
    assert "Lakefront" not in text
    run = SyncRun.objects.get(company_id=synced)
    page = text_of(admin_of(Role.VIEWER).get(f"/dashboard/syncs/{run.id}/"))
    assert "Full sync: done" in page
    assert "Submittals" in page


def test_calls_are_counted_and_none_of_them_counts_against_us(
    synced: int, procore: Procore
) -> None:
    collect()
    day = ApiDay.objects.get(company_id=synced)
    ours = [c for c in procore.ledger() if c["company_id"] == synced and c["status"] != 0]
    assert day.calls == len(ours) > 50
    text = text_of(admin_of(Role.VIEWER).get("/dashboard/usage/"))
    assert "Where they come from" not in text
    procore.control("faults", kind="status", status=403, path="/rest/*/rfis", times=1)
    sync_now(company_id=synced, full=False, only=[], wait=clock.wait_until)
    collect()
    assert ApiDay.objects.get(company_id=synced).forbidden == 1
    assert "Where they come from" in text_of(admin_of(Role.SUPPORT).get("/dashboard/usage/"))


def test_the_audit_log_is_searched_by_who_what_and_when(database: None) -> None:
    record(Event.COMPANY_PURGED, actor="operator", company_id=5)
    record(Event.HANDOFF_PUSHED, actor="procore:77", company_id=6, subject="abc")
    browser = admin_of(Role.SUPPORT)

    def found(**query: Any) -> tuple[bool, bool]:
        text = text_of(browser.get("/dashboard/audit/", query))
        return "Company purged" in text, "Handoff pushed" in text

    assert found() == (True, True)
    assert found(text="purged") == (True, False)
    assert found(text="procore:77") == (False, True)
    assert found(company=5) == (True, False)
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    assert found(since=tomorrow) == (False, False)
    assert found(until=tomorrow) == (True, True)


def test_a_company_that_left_stands_in_the_list_with_its_state(database: None) -> None:
    note_installed(company_id=9, name="Builder 9")
    note_connected(company_id=9, actor="operator")
    note_gone(company_id=9)
    assert "Disconnecting" in text_of(admin_of(Role.VIEWER).get("/dashboard/tenants/"))


def test_a_client_with_one_company_comes_straight_to_it(synced: int, settings: Any) -> None:
    settings.PROCORE = replace(settings.PROCORE, allowed_companies=frozenset({synced}))
    answer = admin_of(Role.VIEWER).get("/dashboard/tenants/")
    assert answer["Location"] == f"/dashboard/tenants/{synced}/"
