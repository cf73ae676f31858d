"""From install to daily work in Procore's frame, without third-party cookies."""

from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.browser.person import Person
from tests.stack import Stack


def test_an_administrator_installs_watches_the_first_sync_and_sees_their_projects(
    page: Page, stack: Stack, problems: list[str]
) -> None:
    person = Person(page, stack, company=1)  # the neighbour: no other test installs there
    procore = stack.procore
    slow = {"kind": "delay", "path": "/rest/*/projects/*", "times": 40, "seconds": 1.5}
    procore.control("faults", **slow)
    person.into_procore("Company Admin").install()
    person.open_full_screen()
    with person.page.expect_popup() as opened:
        person.frame.get_by_role("button", name="Sign in with Procore").click()
    popup = opened.value
    popup.get_by_role("button", name="Allow", exact=True).click()
    try:
        popup.get_by_role("button", name="Start").click()
    except Error:
        if not popup.is_closed():  # the service account was discovered first: nothing to choose
            raise
    frame = person.frame
    expect(frame.get_by_role("heading", name="The first sync is running")).to_be_visible()
    expect(frame.get_by_role("listitem").filter(has_text="RFIs").first).to_contain_text("reading")
    procore.control("clear-faults", all=True)
    expect(frame.get_by_text("Up to date")).to_be_visible()
    expect(frame.locator(".card")).to_have_count(2)
    assert popup.is_closed()
    person.open_project()
    expect(frame.get_by_role("heading", name="Committed against budget")).to_be_visible()
    assert procore.violations() == []
    assert problems == []


def test_a_change_in_procore_appears_without_anybody_asking(admin: Person) -> None:
    procore = admin.stack.procore
    project = procore.projects()[0]
    rfi = next(row for row in procore.records(project, "rfis") if row["status"] == "open")
    admin.frame.get_by_role("button", name="Lakefront Medical Pavilion").click()
    expect(admin.frame.get_by_role("heading", name="About to cost money")).to_be_visible()
    dear = {"status": "yes_known", "value": 9_000_000}
    late = {"subject": "Moved anchor bolts", "due_date": "2020-01-02", "cost_impact": dear}
    procore.control(f"projects/{project}/rfis/{rfi['id']}", set=late)
    expect(admin.frame.get_by_text("Moved anchor bolts")).to_be_visible()
    admin.frame.get_by_role("button", name="Sync now").click()
    expect(admin.frame.get_by_role("button", name="Sync now")).to_be_visible()


def test_a_number_leads_to_its_records_and_a_record_into_procore(
    admin: Person, context: BrowserContext
) -> None:
    admin.open_project()
    admin.frame.get_by_role("button", name="Open RFIs").click()
    link = admin.frame.locator("td.name a").first
    with context.expect_page() as opened:
        link.click()
    expect(opened.value.get_by_role("heading", name="A record in Procore")).to_be_visible()
    assert opened.value.url.startswith(admin.stack.procore.announcement["frame"])


def test_somebody_without_budget_access_sees_two_projects_and_no_money(
    page: Page, connected: Stack
) -> None:
    engineer = Person(page, connected).into_procore("Field Engineer").open_full_screen().sign_in()
    expect(engineer.frame.locator(".card")).to_have_count(2)
    assert "$" not in engineer.frame.locator("body").inner_text()
    engineer.open_project()
    assert "$" not in engineer.frame.locator("body").inner_text()


def test_the_panel_follows_what_is_open_in_procore_and_rests_while_hidden(
    page: Page, connected: Stack
) -> None:
    procore = connected.procore
    project = procore.projects()[0]
    first, second, *_ = procore.records(project, "rfis")
    person = Person(page, connected).into_procore("Company Admin")
    person.open_panel(project, "rfi.detail", first["id"]).sign_in()
    expect(person.frame.get_by_role("heading", level=1)).to_contain_text(first["subject"])
    page.get_by_role("button", name="Hide panel").click()
    page.get_by_role("button", name=f"RFI {second['number']}:").click()
    expect(person.frame.get_by_role("heading", level=1)).to_contain_text("RFI 1:")
    page.get_by_role("button", name="Show panel").click()
    expect(person.frame.get_by_role("heading", level=1)).to_contain_text(second["subject"])
    event = procore.records(project, "change_events")[0]
    page.get_by_role("button", name=f"Change event {event['number']}:").click()
    expect(person.frame.get_by_role("heading", level=1)).to_contain_text(event["title"])


def test_a_closed_popup_and_a_refusal_leave_words_and_a_second_chance(
    page: Page, connected: Stack
) -> None:
    connected.procore.control("clear", all=True)  # people who consented before are asked again
    person = Person(page, connected).into_procore("Project Manager").open_full_screen()
    button = person.frame.get_by_role("button", name="Sign in with Procore")
    with page.expect_popup() as opened:
        button.click()
    opened.value.get_by_role("button", name="Allow", exact=True).wait_for()
    opened.value.close()
    expect(person.frame.get_by_text("The window was closed")).to_be_visible()
    with page.expect_popup() as opened:
        button.click()
    opened.value.get_by_role("button", name="Don’t allow").click()
    expect(opened.value.get_by_text("You did not allow Tieback")).to_be_visible()
    opened.value.close()
    person.sign_in()
    expect(person.frame.locator(".card")).to_have_count(4)


def test_signing_out_shows_the_welcome_and_nothing_else(admin: Person) -> None:
    admin.frame.get_by_role("button", name="Sign out").click()
    expect(admin.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
    expect(admin.frame.locator(".card")).to_have_count(0)
    expect(admin.frame.get_by_text("Halden Bay")).to_have_count(0)


def test_two_windows_of_one_browser_hold_two_people_apart(
    context: BrowserContext, connected: Stack
) -> None:
    first, second = context.new_page(), context.new_page()
    admin = Person(first, connected).into_procore("Company Admin").open_full_screen().sign_in()
    second.goto(admin.company_home)
    second.get_by_role("button", name="Sign out").click()
    engineer = Person(second, connected).into_procore("Field Engineer").open_full_screen()
    engineer.sign_in()
    admin.frame.get_by_role("button", name="Tieback").click()
    expect(admin.frame.locator(".card")).to_have_count(4)
    expect(engineer.frame.locator(".card")).to_have_count(2)


def test_a_reload_goes_on_without_a_pop_up(admin: Person) -> None:
    expect(admin.frame.locator(".card")).to_have_count(4)
    for _ in range(2):
        admin.page.reload()
        expect(admin.frame.locator(".card")).to_have_count(4)
    admin.frame.get_by_role("button", name="Sign out").click()
    expect(admin.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
    admin.page.reload()
    expect(admin.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()


def test_another_person_in_the_same_tab_does_not_go_on_as_the_first(admin: Person) -> None:
    expect(admin.frame.locator(".card")).to_have_count(4)
    admin.page.get_by_role("button", name="Sign out").first.click()
    engineer = Person(admin.page, admin.stack).into_procore("Field Engineer").open_full_screen()
    expect(engineer.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
    engineer.sign_in()
    expect(engineer.frame.locator(".card")).to_have_count(2)


def test_a_reload_costs_one_click_where_the_browser_denies_storage(
    denied: BrowserContext, connected: Stack
) -> None:
    person = Person(denied.new_page(), connected).into_procore("Company Admin")
    person.open_full_screen().sign_in()
    expect(person.frame.locator(".card")).to_have_count(4)
    person.page.reload()
    person.sign_in()
    expect(person.frame.locator(".card")).to_have_count(4)


def test_a_login_page_that_cuts_the_opener_is_answered_with_a_code(
    page: Page, connected: Stack
) -> None:
    person = Person(page, connected).into_procore("Company Admin").open_full_screen()
    connected.procore.control("login", opener_policy="same-origin")
    try:
        with page.expect_popup() as opened:
            person.frame.get_by_role("button", name="Sign in with Procore").click()
        popup = opened.value
        signed_in = popup.get_by_role("heading", name="You are signed in")
        allow = popup.get_by_role("button", name="Allow", exact=True)
        expect(allow.or_(signed_in)).to_be_visible()
        if allow.is_visible():
            allow.click()
        code = person.frame.locator("[data-pairing-code]")
        expect(code).to_be_visible()
        typed = popup.get_by_label("Code shown in Tieback")
        typed.fill("WRONG-CODE")
        popup.get_by_role("button", name="Continue").click()
        expect(popup.get_by_text("does not belong to the Tieback window")).to_be_visible()
        popup.get_by_label("Code shown in Tieback").fill(code.inner_text().lower())
        popup.get_by_role("button", name="Continue").click()
        expect(popup.get_by_text("Tieback has opened there")).to_be_visible()
        expect(person.frame.locator(".card")).to_have_count(4)
    finally:
        connected.procore.control("login", opener_policy="")


def test_a_browser_that_opens_no_window_leads_to_a_tab_and_a_code(
    page: Page, context: BrowserContext, connected: Stack
) -> None:
    page.add_init_script("window.open = () => null")
    person = Person(page, connected).into_procore("Company Admin").open_full_screen()
    person.frame.get_by_role("button", name="Sign in with Procore").click()
    with context.expect_page() as opened:
        person.frame.get_by_role("link", name="Open the sign-in in a tab").click()
    tab = opened.value
    typed, allow = (
        tab.get_by_label("Code shown in Tieback"),
        tab.get_by_role("button", name="Allow", exact=True),
    )
    expect(allow.or_(typed)).to_be_visible()
    if allow.is_visible():
        allow.click()
    typed.fill(person.frame.locator("[data-pairing-code]").inner_text())
    tab.get_by_role("button", name="Continue").click()
    expect(person.frame.locator(".card")).to_have_count(4)


def test_no_cookie_is_set_in_the_frame(admin: Person, context: BrowserContext) -> None:
    admin.open_project()
    host = admin.stack.base_url
    names = {cookie["name"] for cookie in context.cookies(host)}
    # The pop-up is a first-party page: it has a cookie for ten minutes, and one for its form.
    assert names <= {"tieback_sign_in", "csrftoken"}
    inner = admin.page.frames[1]
    assert inner.evaluate("document.cookie") == ""
    assert inner.evaluate("localStorage.length") == 0
    # htmx keeps only the frame's own address, and no page.
    stored = set(inner.evaluate("Object.keys(sessionStorage)"))
    assert stored <= {"htmx-current-path-for-history"}
