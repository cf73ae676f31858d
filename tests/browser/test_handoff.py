"""An estimate becomes the budget: a project manager and an approver in Procore's frame."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.person import Person
from tests.browser.test_craft import WIDTHS, complaints
from tests.stack import Stack

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "river-street.csv"
ROAD = "River Street Reconstruction"
MOST_CLICKS = 12  # for a first handoff of a hundred lines with known codes
MOST_SECONDS = 180
NEW_CODES = (
    "Item,Description,Unit,Amount\n"
    "A1,Reinforcing bars galvanized,LBS,10.00\nA2,Bronze plaque,EA,20.00\nA3,Granite bench,EA,5\n"
)


@pytest.fixture
def clicks(page: Page) -> list[str]:
    """A person's clicks in the frame; dropping a file is not a click."""
    found: list[str] = []
    page.expose_binding("pressed", lambda _source, what: found.append(what))
    page.add_init_script(
        "addEventListener('click', e => e.isTrusted && window.pressed?.("
        "e.target.closest('button, a, summary, label')?.textContent?.trim() ?? ''), true)"
    )
    return found


def at_estimates(person: Person) -> Person:
    person.frame.get_by_role("button", name=ROAD, exact=True).click()
    person.frame.get_by_role("button", name="Estimates", exact=True).click()
    expect(person.frame.get_by_role("heading", name=f"Estimates of {ROAD}")).to_be_visible()
    return person


def drop(person: Person, path: str | Path) -> None:
    person.frame.locator("input[type=file]").first.set_input_files(path)
    expect(person.frame.get_by_role("heading", name="Recognised columns")).to_be_visible()


def no_fault(person: Person) -> None:
    """axe finds nothing, and nothing is wider than the window."""
    page = person.page
    assert complaints(page.frames[1]) == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not person.overflows(), width
    page.set_viewport_size({"width": 1440, "height": 900})


def test_a_hundred_lines_reach_the_budget_in_a_few_clicks_and_come_back(
    page: Page, connected: Stack, clicks: list[str], problems: list[str]
) -> None:
    person = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    clicks.clear()
    began = time.monotonic()
    at_estimates(person)
    drop(person, EXAMPLE)
    person.frame.get_by_role("button", name="Make the plan").click()
    expect(person.frame.get_by_text("to the cent")).to_be_visible()
    person.frame.get_by_role("button", name="Send for approval").click()
    expect(person.frame.get_by_text("Someone else who may edit the budget")).to_be_visible()
    page.get_by_role("button", name="Sign out").first.click()
    approver = Person(page, connected).into_procore("Company Admin").open_full_screen().sign_in()
    signing_in = [c for c in clicks if "Sign" in c or "Allow" in c or "Company Admin" in c]
    approver.frame.get_by_role("button", name="river-street.csv").click()
    approver.frame.get_by_role("button", name="Approve and write to Procore").click()
    equal = approver.frame.get_by_role("heading", name="Procore budget equals the estimate")
    expect(equal).to_contain_text("$6,703,536.86")
    assert len(clicks) - len(signing_in) <= MOST_CLICKS, clicks
    assert time.monotonic() - began < MOST_SECONDS
    with page.expect_download() as report:
        approver.frame.get_by_role("button", name="Report (PDF)").click()
    assert report.value.suggested_filename.endswith(".pdf")
    approver.frame.get_by_role("button", name="Undo…").click()
    expect(approver.frame.get_by_text("49 budget lines would be restored")).to_be_visible()
    approver.frame.get_by_label("Comment for your colleague").fill("the railing is twice in it")
    approver.frame.get_by_role("button", name="Request undo").click()
    expect(approver.frame.get_by_role("button", name="Withdraw the request")).to_be_visible()
    no_fault(approver)
    page.get_by_role("button", name="Sign out").first.click()
    other = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    other.frame.get_by_role("button", name="river-street.csv").click()
    expect(other.frame.get_by_text("the railing is twice in it")).to_be_visible()
    other.frame.get_by_role("button", name="Undo…").click()
    expect(other.frame.get_by_text("49 budget lines would be restored")).to_be_visible()
    no_fault(other)
    other.frame.get_by_role("button", name="Undo the handoff", exact=True).click()
    expect(other.frame.get_by_role("heading", name="Undone")).to_be_visible()
    assert connected.procore.violations() == []
    assert problems == []


def test_doubtful_lines_are_mapped_from_the_keyboard(
    page: Page, connected: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "new-codes.csv"
    file.write_text(NEW_CODES)
    person = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    drop(at_estimates(person), file)
    person.frame.get_by_role("button", name="Continue to mapping").click()
    standing = person.frame.locator("#standing")
    expect(standing).to_contain_text("0 of 3 lines mapped")
    first = person.frame.locator("[data-group]").first
    expect(first.locator("[data-first]")).to_contain_text("703-000.S")
    person.frame.get_by_role("heading", name="new-codes.csv").click()
    page.keyboard.press("j")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(standing).to_contain_text("1 of 3 lines mapped")
    second = person.frame.locator("[data-group]").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("/")
    expect(second.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("special prov")
    choice = second.get_by_role("button", name="999-000.S")
    expect(choice).to_be_visible()
    page.keyboard.press("Tab")
    expect(choice).to_be_focused()
    page.keyboard.press("Enter")
    expect(standing).to_contain_text("2 of 3 lines mapped")
    third = person.frame.locator("[data-group]").nth(2)
    expect(third).to_be_focused()
    page.keyboard.press("k")
    expect(second).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_and_nothing_is_too_wide(
    context: BrowserContext, connected: Stack, tmp_path: Path, scheme: str
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    file = tmp_path / f"{scheme}.csv"
    file.write_text(NEW_CODES + "A4,Flag pole,EA,twelve\n")
    person = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    at_estimates(person)
    frame = person.frame

    def check(what: str) -> None:
        assert complaints(page.frames[1]) == [], what
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not person.overflows(), (what, width)
        page.set_viewport_size({"width": 1440, "height": 900})

    check("estimates")
    drop(person, file)
    check("a file with a bad cell")
    frame.get_by_label("Amount of row 5").fill("12.00")
    frame.get_by_role("button", name="Save").click()
    expect(frame.get_by_text("$47.00")).to_be_visible()
    frame.get_by_role("button", name="Continue to mapping").click()
    expect(frame.locator("[data-group]").first).to_be_visible()
    frame.get_by_role("searchbox", name="Find a WBS code for Bronze plaque").click()
    expect(frame.locator(".choices button").first).to_be_visible()
    check("mapping")
    frame.get_by_role("button", name="1 Read").click()
    expect(frame.get_by_role("heading", name="Recognised columns")).to_be_visible()
    frame.get_by_role("button", name="Estimates").click()
    frame.get_by_role("row").filter(has_text=file.name).get_by_role("button", name="Open").click()
    frame.get_by_role("button", name="2 Map").click()
    expect(frame.locator("[data-group]").first).to_be_visible()
    waiting = frame.locator("[data-group]:not(.mapped)")
    for left in reversed(range(waiting.count())):
        waiting.first.get_by_role("searchbox").fill("999")
        waiting.first.get_by_role("button", name="999-000.S").click()
        expect(waiting).to_have_count(left)
    frame.get_by_role("button", name="Make the plan").click()
    expect(frame.get_by_role("button", name="Send for approval")).to_be_visible()
    check("plan")
    frame.get_by_role("button", name="Estimates").click()
    row = frame.get_by_role("row").filter(has_text=file.name)
    row.get_by_role("button", name="Delete").click()
    expect(frame.get_by_role("dialog")).to_be_visible()
    check("a question")
    frame.get_by_role("button", name="Yes").click()
    expect(frame.get_by_role("row").filter(has_text=file.name)).to_have_count(0)
