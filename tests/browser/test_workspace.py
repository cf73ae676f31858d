"""Exceptions, insights, search and the panel, in the simulator's frame and a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.person import Person
from tests.core.test_frames import ALLOWED, ANCESTORS, REFUSED
from tests.stack import Stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "river-street.csv"
ROAD = "River Street Reconstruction"


def test_from_what_costs_money_to_its_records_and_back(admin: Person) -> None:
    frame = admin.frame
    expect(frame.get_by_role("heading", name="About to cost money")).to_be_visible()
    first = frame.locator(".case").first
    words = first.locator(".what > span").first.inner_text()
    first.click()
    expect(frame.get_by_role("heading", name=words)).to_be_visible()
    expect(frame.locator("table.records a").first).to_have_attribute("target", "_blank")
    frame.get_by_text("Add a note").click()
    frame.get_by_label("Note").fill("Asked the vendor for a breakdown")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_text("Asked the vendor for a breakdown").first).to_be_visible()
    frame.get_by_text("Snooze", exact=True).first.click()
    frame.get_by_label("Why").fill("Settled on Monday")
    frame.get_by_role("button", name="Snooze", exact=True).click()
    expect(frame.get_by_role("heading", name="Snoozed until")).to_be_visible()
    frame.get_by_role("button", name="Exceptions", exact=True).click()
    expect(frame.get_by_text("1 snoozed.")).to_be_visible()
    frame.get_by_label("Show").select_option("snoozed")
    expect(frame.get_by_text("1 snoozed exception.")).to_be_visible()
    frame.locator(".case").first.click()
    frame.get_by_role("button", name="Show it again").click()
    expect(frame.get_by_role("heading", name="Snoozed until")).to_have_count(0)


def test_a_filtered_list_is_kept_linked_to_and_comes_back_after_a_reload(
    admin: Person, page: Page
) -> None:
    frame = admin.frame
    frame.get_by_role("button", name="Exceptions", exact=True).click()
    frame.get_by_label("Kind").select_option("rfi_overdue")
    kept = page.frames[1].locator("#saved input[name=path]")
    expect(kept).to_have_value(re.compile(r"\?rule=rfi_overdue"))  # the list has arrived
    frame.get_by_text("Save this view").click()
    frame.get_by_label("Name").fill("Late questions")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_role("button", name="Late questions", exact=True)).to_be_visible()
    frame.get_by_text("Save this view").click()
    frame.get_by_role("button", name="Copy a link to this view").click()
    link = frame.get_by_label("Link to this view").input_value()
    assert "open=exceptions%2F%3Frule%3Drfi_overdue" in link
    page.goto(f"{admin.company_home}/app?{link.partition('?')[2]}")
    admin.sign_in()
    expect(page.frames[1].locator("#id_rule")).to_have_value("rfi_overdue")
    frame.get_by_role("button", name="Remove the view Late questions").click()
    expect(frame.get_by_role("button", name="Late questions", exact=True)).to_have_count(0)


def test_charts_are_drawn_have_tables_and_leave_as_files(
    admin: Person, page: Page, tmp_path: Path
) -> None:
    frame = admin.frame
    frame.get_by_role("button", name="Insights", exact=True).click()
    expect(frame.locator("canvas").first).to_be_visible()
    inner = page.frames[1]
    inner.wait_for_function(
        """() => [...document.querySelectorAll('canvas')].every((canvas) => {
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return pixels.data.some((value) => value > 0);
        })"""
    )
    for name, begins in (("CSV", b"\xef\xbb\xbf"), ("XLSX", b"PK"), ("PNG", b"\x89PNG")):
        with page.expect_download() as caught:
            frame.get_by_role("button", name=f"Cost curve, {name}").click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        assert path.read_bytes().startswith(begins)
    help_button = frame.get_by_role("button", name="What Forecast coverage means")
    help_button.click()
    expect(frame.get_by_text("Share of the revised budget")).to_be_visible()


def test_the_panel_follows_every_kind_of_record_without_a_reload(
    page: Page, connected: Stack
) -> None:
    project = connected.procore.projects()[0]
    rfi = connected.procore.records(project, "rfis")[0]
    person = Person(page, connected).into_procore("Company Admin")
    person.open_panel(project, "rfi.detail", rfi["id"]).sign_in()
    frame = person.frame
    expect(frame.get_by_role("heading", name=rfi["subject"])).to_be_visible()
    page.frames[1].evaluate("window.stayed = true")
    for button, words in (
        ("Submittal 1:", "Submit by"),
        ("Change event 001:", "Open for"),
        ("Subcontract ", "With approved changes"),
        ("Order ", "Change orders"),
        ("Invoice ", "Contractor"),
        ("Budget", "Revised budget"),
    ):
        page.get_by_role("button", name=button).first.click()
        expect(frame.get_by_text(words).first).to_be_visible()
    assert page.frames[1].evaluate("window.stayed")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Hide panel").click()
    page.wait_for_timeout(3_000)
    assert not [url for url in asked if "/embedded/" in url]
    page.get_by_role("button", name="Show panel").click()
    expect(frame.get_by_text("Revised budget").first).to_be_visible()


def test_a_browser_that_prefers_french_reads_french(browser: Browser, connected: Stack) -> None:
    context = browser.new_context(locale="fr-CA", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    person = Person(page, connected).into_procore("Company Admin").open_full_screen()
    with page.expect_popup() as opened:
        person.frame.get_by_role("button", name="Se connecter avec Procore").click()
    opened.value.wait_for_event("close")
    expect(person.frame.get_by_role("heading", name="Projets", exact=True)).to_be_visible()
    expect(person.frame.locator(".card").first).to_be_visible()
    text = page.frames[1].locator("main").inner_text()
    assert "M$" in text or "k$" in text or "$" in text
    assert page.frames[1].evaluate("document.documentElement.lang") == "fr"
    for english in ("Overdue", "Committed", "About to cost", "Sync now", "Up to date"):
        assert english not in text
    say = person.frame.get_by_role
    say("button", name=ROAD, exact=True).click()
    say("button", name="Estimations", exact=True).click()
    person.frame.locator("input[type=file]").first.set_input_files(EXAMPLE)
    expect(say("heading", name="Colonnes reconnues")).to_be_visible()
    say("button", name="Faire le plan").click()
    expect(person.frame.get_by_text("au cent près")).to_be_visible()
    text = page.frames[1].locator("main").inner_text()
    for english in ("Before", "Create", "Send for", "Budget lines", "Who did", "Planned"):
        assert english not in text
    say("button", name="Paramètres").first.click()
    expect(say("heading", name="Vos données")).to_be_visible()
    text = page.frames[1].locator("main").inner_text()
    for english in ("Nobody at", "After an uninstall", "What happened", "Allow"):
        assert english not in text
    context.close()


def test_from_right_to_left_nothing_is_wider_than_the_window(admin: Person) -> None:
    expect(admin.frame.locator(".card").first).to_be_visible()
    inner = admin.page.frames[1]
    inner.evaluate("document.documentElement.dir = 'rtl'")
    for width in (400, 768, 1440):
        admin.page.set_viewport_size({"width": width, "height": 900})
        assert not admin.overflows(), width
    assert inner.evaluate("getComputedStyle(document.querySelector('.card')).direction") == "rtl"


def test_the_browser_decides_alike_which_origins_may_frame_us(page: Page, connected: Stack) -> None:
    page.goto(f"{connected.base_url}/embedded/")
    script = """async ([ancestors, origins]) => {
        const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
        const module = loaded.find((name) => /js\\/origins\\.[^/]*js$/.test(name));
        const { allows } = await import(module);
        return origins.filter((origin) => allows(ancestors, origin));
    }"""
    assert page.evaluate(script, [list(ANCESTORS), [*ALLOWED, *REFUSED]]) == list(ALLOWED)


@pytest.mark.parametrize(
    ("below", "heard"), [("localhost", "initialize"), ("procore.localhost", "")]
)
def test_a_panel_speaks_to_a_frame_below_a_wildcard_and_to_no_other(
    page: Page, connected: Stack, below: str, heard: str
) -> None:
    """The simulator's frame is at procore.localhost: below the first, not below the second."""
    frame = connected.procore.announcement["frame"]
    wildcard = frame.replace("procore.localhost", f"*.{below}")
    panels = re.compile(r"/embedded/panel/\?")

    def with_wildcard(route: Route) -> None:
        answer = route.fetch()
        body = answer.text().replace(f'data-hosts="{frame}"', f'data-hosts="{wildcard}"')
        assert wildcard in body
        route.fulfill(response=answer, body=body)

    page.route(panels, with_wildcard)
    page.add_init_script(
        "window.heard = []; addEventListener('message', (event) => heard.push(event.data.type));"
    )
    project = connected.procore.projects()[0]
    rfi = connected.procore.records(project, "rfis")[0]["id"]
    person = Person(page, connected).into_procore("Company Admin")
    person.open_panel(project, "rfi.detail", rfi)
    expect(person.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("heard.find((type) => type === 'initialize') ?? ''") == heard
