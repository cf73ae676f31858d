"""A file on its way to an estimate: people wait for it, stop it, leave or come back."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.person import Person
from tests.browser.test_craft import WIDTHS, complaints
from tests.browser.test_handoff import ROAD, at_estimates, drop
from tests.stack import Stack

PICTURES = os.environ.get("PICTURES", "")
SMALL = "Item,Description,Unit,Amount\nB1,Bronze plaque,EA,20.00\nB2,Granite bench,EA,5\n"
# Takes some seconds to read, so a person can see it and stop it.
LARGE = "Item,Description,Unit,Amount\n" + "".join(
    f"L{number},Work of kind {number},EA,{number}.00\n" for number in range(1, 30_001)
)


@pytest.fixture
def manager(page: Page, connected: Stack) -> Person:
    person = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    return at_estimates(person)


def give(person: Person, folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    person.frame.locator("input[type=file]").first.set_input_files(path)


def shoot(person: Person, name: str) -> None:
    if PICTURES:
        for width in WIDTHS:
            person.page.set_viewport_size({"width": width, "height": 900})
            person.page.screenshot(path=f"{PICTURES}/{name}-{width}.png")
        person.page.set_viewport_size({"width": 1440, "height": 900})


def opened(person: Person) -> str:
    """The `open` parameter in the frame's address."""
    return str(person.page.frames[1].evaluate("new URL(location).searchParams.get('open')"))


def reload(person: Person) -> None:
    """Reloads only the frame: Procore's page around it opens the address that Procore chooses."""
    inner = person.page.frames[1]
    with person.page.expect_event("framenavigated", lambda frame: frame == inner):
        inner.evaluate("location.reload()")


def test_a_file_is_waited_for_stopped_and_read_again(
    manager: Person, tmp_path: Path, problems: list[str]
) -> None:
    say = manager.frame.get_by_role
    give(manager, tmp_path, "large.csv", LARGE)
    expect(say("heading", name="large.csv")).to_be_visible()
    cancel = say("button", name="Cancel", exact=True)
    expect(cancel).to_be_visible()
    assert opened(manager).startswith("readings/")
    expect(say("progressbar")).to_be_visible()
    cancel.focus()
    manager.page.wait_for_timeout(1500)  # the page has polled meanwhile
    expect(cancel).to_be_focused()
    cancel.click()
    expect(manager.frame.get_by_text("You cancelled before the file was read.")).to_be_visible()
    assert opened(manager).startswith("readings/")
    reload(manager)
    say("button", name="Read it again").click()
    expect(say("heading", name="Recognised columns")).to_be_visible(timeout=60_000)
    assert opened(manager).startswith("estimates/")
    focused = manager.page.frames[1].evaluate("document.activeElement.id")
    assert focused == "main", "what was focused has gone, and nobody else took it"
    reload(manager)
    expect(say("heading", name="Recognised columns")).to_be_visible()
    assert problems == []


def test_who_reloads_in_between_goes_on_waiting(manager: Person, tmp_path: Path) -> None:
    give(manager, tmp_path, "reload.csv", LARGE)
    expect(manager.frame.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    reload(manager)
    expect(manager.frame.get_by_role("heading", name="reload.csv")).to_be_visible()
    recognised = manager.frame.get_by_role("heading", name="Recognised columns")
    expect(recognised).to_be_visible(timeout=60_000)


def test_a_covered_window_goes_on_waiting(manager: Person, tmp_path: Path) -> None:
    give(manager, tmp_path, "covered.csv", LARGE)
    expect(manager.frame.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    manager.page.frames[1].evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true })"
    )
    recognised = manager.frame.get_by_role("heading", name="Recognised columns")
    expect(recognised).to_be_visible(timeout=60_000)


def test_the_page_of_the_estimates_shows_what_is_not_read_yet(
    manager: Person, tmp_path: Path
) -> None:
    say = manager.frame.get_by_role
    give(manager, tmp_path, "elsewhere.csv", LARGE)
    expect(say("button", name="Cancel", exact=True)).to_be_visible()
    say("button", name="Estimates").click()
    expect(say("heading", name="Not read yet")).to_be_visible()
    row = say("row").filter(has_text="elsewhere.csv")
    expect(row).to_be_visible(timeout=60_000)
    expect(say("heading", name="Not read yet")).to_have_count(0)
    row.get_by_role("button", name="Delete").click()
    say("button", name="Yes").click()
    expect(row).to_have_count(0)


def test_a_refusal_leaves_room_for_the_next_file(manager: Person, tmp_path: Path) -> None:
    give(manager, tmp_path, "plan.csv", "%PDF-1.4")
    expect(manager.frame.get_by_role("alert")).to_contain_text("it is a PDF")
    file = tmp_path / "small.csv"
    file.write_text(SMALL)
    drop(manager, file)
    assert opened(manager).startswith("estimates/")


def test_an_answer_comes_back_to_its_estimate(manager: Person, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(SMALL + "B3,Flag pole,EA,twelve\n")
    drop(manager, file)
    page = opened(manager)
    manager.frame.get_by_role("button", name="Leave row 4 out").click()
    expect(manager.frame.get_by_role("heading", name="Left out")).to_be_visible()
    assert opened(manager) == page
    manager.frame.get_by_role("button", name="Include it again").click()
    expect(manager.frame.get_by_label("Amount of row 4")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_a_file_is_read_and_nothing_is_too_wide(
    context: BrowserContext, connected: Stack, tmp_path: Path, scheme: str
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    person = Person(page, connected).into_procore("Project Manager").open_full_screen().sign_in()
    at_estimates(person)
    say = person.frame.get_by_role

    def check(what: str) -> None:
        assert complaints(page.frames[1]) == [], what
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not person.overflows(), (what, width)
        page.set_viewport_size({"width": 1440, "height": 900})

    give(person, tmp_path, f"{scheme}-{'long-name-' * 9}.csv", LARGE)
    expect(say("progressbar")).to_be_visible()
    with connected.halted("reader"):
        shoot(person, f"file-reading-{scheme}")
        check("being read")
    say("button", name="Cancel", exact=True).click()
    expect(say("button", name="Read it again")).to_be_visible()
    shoot(person, f"file-stopped-{scheme}")
    check("stopped")
    say("button", name="Estimates").click()
    expect(say("heading", name="Not read yet")).to_be_visible()
    shoot(person, f"file-unfinished-{scheme}")
    check("not read yet")
    row = person.frame.locator("#unfinished li").filter(has_text=scheme)
    row.get_by_role("button", name="Discard").click()
    expect(row).to_have_count(0)


def test_a_file_that_was_stopped_is_discarded_where_it_was(manager: Person, tmp_path: Path) -> None:
    say = manager.frame.get_by_role
    give(manager, tmp_path, "not-this-one.csv", LARGE)
    say("button", name="Cancel", exact=True).click()
    say("button", name="Discard").click()
    expect(say("heading", name=f"Estimates of {ROAD}")).to_be_visible()
    expect(manager.frame.get_by_text("not-this-one.csv")).to_have_count(0)
    assert opened(manager).endswith("/estimates/")
