"""A real browser on the whole stack: third-party cookies blocked, storage partitioned."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from runtime.browser import FLAGS, PARTITIONED, require
from tests.browser.person import Person
from tests.stack import Stack, running

PATIENCE = 60_000  # milliseconds; a busy machine is slow, and speed is not measured here
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All browser tests share one stack, so pytest-xdist runs them in one process."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("browser") / "demo") as found:
        # Eighty tests in two minutes make more calls than people; limits are tested elsewhere.
        found.procore.control("rates", per_hour=1_000_000, per_spike=100_000)
        yield found


@pytest.fixture(scope="package")
def connected(stack: Stack) -> Stack:
    """The company is installed, connected and synced, in any order of tests."""
    stack.first_sync(within=60)
    return stack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=require(), args=PARTITIONED)
        yield found
        found.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 1440, "height": 900})
    yield found
    found.close()


@pytest.fixture
def denied(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that gives a third-party frame no storage at all."""
    other = browser.browser_type.launch(executable_path=require(), args=FLAGS)
    yield other.new_context(viewport={"width": 1440, "height": 900})
    other.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    found = context.new_page()
    found.set_default_timeout(PATIENCE)
    return found


@pytest.fixture
def admin(page: Page, connected: Stack) -> Person:
    """In the frame, signed in, with all projects on screen."""
    return Person(page, connected).into_procore("Company Admin").open_full_screen().sign_in()


@pytest.fixture
def problems(page: Page) -> list[str]:
    """The browser's error messages: blocked scripts, styles and requests, uncaught errors."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))

    def heard(message: Any) -> None:
        if message.type == "error" and "favicon" not in str(message.location):
            found.append(message.text)

    page.on("console", heard)
    return found
