"""Missing records on screen: shown beside the freshness, confirmed by a partner admin.

On the second company, so that the first stays unchanged for other tests.
"""

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from runtime.services import CannotStart
from tests.browser.conftest import PATIENCE
from tests.browser.person import Person
from tests.browser.test_partner import neighbour, signed_in
from tests.stack import Stack
from tests.waiting import until

PICTURES = os.environ.get("PICTURES", "")  # a folder for screenshots


def picture(page: Page, name: str, *, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    if PICTURES:
        page.wait_for_timeout(500)
        page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)


def sync_all(stack: Stack, company: int) -> None:
    """Runs a full sync as soon as no worker's sync holds the lock."""

    def accepted() -> bool:
        try:
            stack.manage("sync", company, "--full")
        except CannotStart as refused:
            if "sync_in_progress" not in str(refused):
                raise
            return False
        return True

    until(accepted, within=60)


def test_a_stale_list_is_said_in_a_sentence_and_confirmed_in_the_dashboard(
    browser: Browser, connected: Stack
) -> None:
    company, procore = neighbour(connected), connected.procore
    gone = procore.projects(company)[0]
    stay = [key for key in procore.projects(company) if key != gone]
    procore.control("hiding", rules=[{"path": "*/submittals", "project_id": stay[0]}])
    procore.control("installs", company_id=company, permitted_projects=stay)
    sync_all(connected, company)
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    person = Person(page, connected, 1).into_procore("Company Admin")
    person.open_full_screen().sign_in()
    said = person.frame.locator("#progress .problems li")
    expect(said.filter(has_text="no longer permitted for Tieback in Procore")).to_have_count(1)
    expect(said.filter(has_text="Submittals: Procore no longer lists")).to_have_count(1)
    for width in (1440, 400):
        picture(page, "home", width=width)
        assert not person.overflows()
    page.context.close()

    admin = signed_in(browser, connected, "operator")
    admin.goto(f"{connected.base_url}/dashboard/tenants/{company}/do/missing-records/")
    for width in (1440, 400):
        picture(admin, "confirm", width=width)
        assert not admin.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    admin.get_by_label("Submittals of project").check()
    name = admin.locator("nav.crumbs a").first.inner_text()
    admin.get_by_label("Type the company’s name").fill(name)
    admin.get_by_role("button", name="Confirm missing records", exact=True).click()
    expect(admin.locator(".messages")).to_be_visible()
    admin.goto(f"{connected.base_url}/dashboard/tenants/{company}/")
    for width in (1440, 400):
        picture(admin, "tenant", width=width)
    admin.context.close()
    procore.control("hiding", rules=[])
    procore.control("installs", company_id=company, permitted_projects="all")
    sync_all(connected, company)
