"""Keyboard access, machine-readable markup, and layout at every width, in light and dark."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser.person import Person
from tests.stack import Stack

WIDTHS = (400, 768, 1440, 1920)


def go_home(person: Person) -> None:
    expect(person.frame.locator(".card").first).to_be_visible()


def go_project(person: Person) -> None:
    person.open_project()


def go_records(person: Person) -> None:
    person.open_project()
    person.frame.get_by_role("button", name="Open RFIs").click()
    expect(person.frame.locator("td.name a").first).to_be_visible()


def go_budget(person: Person) -> None:
    go_records(person)
    person.frame.get_by_role("button", name="Budget by code").click()
    expect(person.frame.get_by_role("heading", name="Budget by code")).to_be_visible()


def go_exceptions(person: Person) -> None:
    person.frame.get_by_role("button", name="Exceptions", exact=True).click()
    expect(person.frame.locator(".cases li").first).to_be_visible()
    person.frame.get_by_text("Save this view").click()


def go_case(person: Person) -> None:
    go_exceptions(person)
    person.frame.locator(".case").first.click()
    person.frame.get_by_text("Snooze", exact=True).first.click()
    expect(person.frame.get_by_label("Why")).to_be_visible()


def go_insights(person: Person) -> None:
    person.frame.get_by_role("button", name="Insights", exact=True).click()
    expect(person.frame.locator("canvas").first).to_be_visible()
    person.frame.get_by_text("View as a table").first.click()


def go_search(person: Person) -> None:
    person.frame.get_by_role("button", name="Search", exact=True).first.click()
    person.frame.get_by_label("Search words").fill("sub")
    person.frame.get_by_label("Search words").press("Enter")
    expect(person.frame.locator(".hits li").first).to_be_visible()


def go_settings(person: Person) -> None:
    person.frame.get_by_role("button", name="Settings").click()
    expect(person.frame.get_by_role("heading", name="What happened")).to_be_visible()


def go_welcome(person: Person) -> None:
    person.frame.get_by_role("button", name="Sign out").click()
    expect(person.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()


PLACES: list[Callable[[Person], None]] = [
    go_home,
    go_project,
    go_records,
    go_budget,
    go_exceptions,
    go_case,
    go_insights,
    go_search,
    go_settings,
    go_welcome,
]


def complaints(page: Page | Frame) -> list[str]:
    found = Axe().run(page)
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("go", PLACES, ids=lambda go: go.__name__)
def test_axe_finds_nothing(
    browser: Browser, connected: Stack, go: Callable[[Person], None], scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    person = Person(context.new_page(), connected).into_procore("Company Admin")
    go(person.open_full_screen().sign_in())
    assert complaints(person.page.frames[1]) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_panel_of_any_kind_of_record(
    browser: Browser, connected: Stack, scheme: str
) -> None:
    procore = connected.procore
    project = procore.projects()[0]
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    person = Person(context.new_page(), connected).into_procore("Company Admin")
    for view, kind in (
        ("rfi.detail", "rfis"),
        ("submittal_logs.detail", "submittals"),
        ("change_events.detail", "change_events"),
        ("commitments.work_order_contracts.detail", "work_order_contracts"),
    ):
        person.open_panel(project, view, procore.records(project, kind)[0]["id"]).sign_in()
        expect(person.frame.locator("h1").first).to_be_visible()
        assert complaints(person.page.frames[1]) == [], view
    context.close()


@pytest.mark.parametrize(
    "path", ["", "install/", "help/", "support/", "privacy/", "accounts/login/", "styleguide/"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_outside_the_frame(
    browser: Browser, stack: Stack, path: str, scheme: str
) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    page = context.new_page()
    page.goto(f"{stack.base_url}/{path}")
    assert complaints(page) == []
    context.close()


@pytest.mark.parametrize("go", PLACES, ids=lambda go: go.__name__)
def test_nothing_is_wider_than_the_window(admin: Person, go: Callable[[Person], None]) -> None:
    go(admin)
    for width in WIDTHS:
        admin.page.set_viewport_size({"width": width, "height": 900})
        assert not admin.overflows(), width


def test_the_way_from_home_to_a_record_needs_no_mouse(admin: Person) -> None:
    expect(admin.frame.locator(".card").first).to_be_visible()
    inner = admin.page.frames[1]
    name = admin.frame.locator(".card .title").first.inner_text()

    def tab_to(text: str) -> None:
        for _ in range(60):
            admin.page.keyboard.press("Tab")
            focused = inner.evaluate("document.activeElement?.textContent?.trim() ?? ''")
            if focused.startswith(text):
                return
        raise AssertionError(f"{text} cannot be reached")

    admin.frame.get_by_role("button", name="Tieback").focus()
    tab_to(name)
    admin.page.keyboard.press("Enter")
    expect(admin.frame.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(admin.frame.locator("#main")).to_be_focused()
    tab_to("Open RFIs")
    admin.page.keyboard.press("Space")
    expect(admin.frame.get_by_role("heading", name="Open RFIs")).to_be_visible()
    outline = inner.evaluate(
        "(document.querySelector('td.name a').focus(),"
        " getComputedStyle(document.querySelector('td.name a')).outlineStyle)"
    )
    assert outline == "solid"


def test_a_server_that_is_away_and_one_that_fails_have_words(admin: Person) -> None:
    expect(admin.frame.locator(".card").first).to_be_visible()
    admin.page.route("**/embedded/projects/**", lambda route: route.abort())
    admin.frame.locator(".card .title").first.click()
    expect(admin.frame.get_by_text("cannot be reached")).to_be_visible()
    expect(admin.frame.locator(".card").first).to_be_visible()
    admin.page.unroute_all()
    admin.open_project()


def test_an_ended_session_asks_for_a_sign_in_and_goes_on(admin: Person) -> None:
    expect(admin.frame.locator(".card").first).to_be_visible()
    admin.page.route(
        "**/embedded/projects/**",
        lambda route: route.continue_(
            headers={**route.request.headers, "authorization": "Bearer ended"}
        ),
    )
    admin.frame.locator(".card .title").first.click()
    expect(admin.frame.get_by_text("Please sign in with Procore")).to_be_visible()
    admin.page.unroute_all()
    with admin.page.expect_popup():
        admin.frame.get_by_role("button", name="Sign in with Procore").click()
    expect(admin.frame.locator(".card").first).to_be_visible()
