"""The dashboard in a real browser: each role has its own actions, and each action works."""

from itertools import count

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.stack import Stack
from tests.waiting import until

NUMBERS = count()
PASSWORD = "correct-horse-battery"
OPERATORS = (
    "Sync now", "Read everything again", "Pause", "Check the webhook",
    "Renew the webhook’s secret", "Delete after the grace period", "Switch Estimate Handoff off",
    "Switch Email digest off", "Switch Webhooks off",
)  # fmt: skip
MAY = {
    "viewer": (),
    "support": ("Ask to reconnect",),
    "operator": ("Ask to reconnect", *OPERATORS),
    "owner": ("Ask to reconnect", *OPERATORS, "Delete everything now"),
}
PLACES = (
    "", "tenants/", "incidents/", "unreadable/", "syncs/", "webhooks/", "usage/", "queues/",
    "handoffs/", "support/", "alerts/", "audit/",
)  # fmt: skip


def signed_in(browser: Browser, stack: Stack, role: str) -> Page:
    """From the one-time link through the second factor, like a partner admin."""
    name = f"{role}-{next(NUMBERS)}"
    made = stack.manage("create_partner_admin", "--username", name, "--role", role)
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(made["set_up_link"])
    for label in ("Password", "The same password again"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Activate").click()
    page.get_by_role("heading", name="Recovery Codes").wait_for()
    return page


def neighbour(stack: Stack) -> int:
    """The second company, connected, so that changes to it do not affect other tests.

    A test of test_journeys installs there first; this file runs after it.
    """
    company = stack.procore.neighbour_id
    stack.procore.control("installs", company_id=company, permitted_projects="all")
    stack.manage("discover")

    def active() -> bool:
        found = stack.manage("status", company)["companies"][0]
        return bool(found["state"] == "active" and found["last_sync"])

    until(active, within=60)
    return company


@pytest.mark.parametrize("role", MAY)
def test_each_role_sees_its_own_actions_and_no_others(
    browser: Browser, connected: Stack, role: str
) -> None:
    page, company = signed_in(browser, connected, role), connected.procore.company_id
    # Lines that test_handoff undid are missing until Procore confirms that they are gone.
    until(lambda: not connected.manage("missing_records", company)["missing"], within=60)
    page.goto(f"{connected.base_url}/dashboard/tenants/{company}/")
    seen = page.locator(".actions a.button").all_inner_texts()
    assert sorted(seen) == sorted(MAY[role])
    forbidden = page.goto(
        f"{connected.base_url}/dashboard/tenants/{connected.procore.company_id}/do/purge-now/"
    )
    assert forbidden is not None
    assert forbidden.status == (200 if role == "owner" else 403)
    page.context.close()


def test_each_action_asks_and_then_does_what_it_said(browser: Browser, connected: Stack) -> None:
    company = neighbour(connected)
    page = signed_in(browser, connected, "owner")
    tenant = f"{connected.base_url}/dashboard/tenants/{company}/"

    def act(title: str, *, word: str = "") -> None:
        page.goto(tenant)
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_text("This is recorded under your name.")).to_be_visible()
        if word:
            page.get_by_label("Type the company’s name").fill(word)
        page.get_by_role("button", name=title, exact=True).click()
        expect(page.locator(".messages")).to_be_visible()

    for title in ("Sync now", "Read everything again", "Check the webhook"):
        act(title)
    for title in ("Renew the webhook’s secret", "Ask to reconnect"):
        act(title)
    for feature in ("Estimate Handoff", "Email digest", "Webhooks"):
        act(f"Switch {feature} off")
        act(f"Switch {feature} on")
    act("Pause")
    expect(page.get_by_text("paused just now")).to_be_visible()
    act("Resume")
    name = page.get_by_role("heading", level=1).inner_text()
    act("Delete after the grace period", word=name)
    expect(page.get_by_text("data is deleted after")).to_be_visible()
    act("Delete everything now", word=name)
    expect(page.get_by_text("All data of this company is deleted.")).to_be_visible()
    page.context.close()


def test_axe_finds_nothing_and_nothing_is_too_wide(browser: Browser, connected: Stack) -> None:
    page = signed_in(browser, connected, "owner")
    company = connected.procore.company_id
    places = (*PLACES, f"tenants/{company}/", f"tenants/{company}/do/purge-now/")
    for place in places:
        page.goto(f"{connected.base_url}/dashboard/{place}")
        found = Axe().run(page)
        assert found.violations_count == 0, (place, found.generate_report())
        for width in (1440, 768, 400):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            assert not wide, (place, width)
    page.context.close()
