"""A person at a browser: the steps that make up the journeys."""

import time

from playwright.sync_api import Error, FrameLocator, Page, expect

from tests.stack import Stack

PATIENCE = 20.0  # seconds for a sign-in


class Person:
    def __init__(self, page: Page, stack: Stack, company: int = 0) -> None:
        """`company` is an index into the simulator's companies."""
        self.page, self.stack = page, stack
        self.company = stack.procore.announcement["companies"][company]

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    @property
    def company_home(self) -> str:
        frame = self.stack.procore.announcement["frame"]
        return f"{frame}/companies/{self.company['id']}"

    def into_procore(self, name: str) -> "Person":
        self.page.goto(self.stack.demo.address)
        listed = self.page.get_by_role("listitem").filter(has_text=self.company["name"])
        listed.get_by_role("button", name=name).click()
        expect(self.page.get_by_role("heading", name=self.company["name"])).to_be_visible()
        return self

    def install(self) -> None:
        self.page.goto(f"{self.company_home}/management")
        self.page.get_by_role("button", name="Install Tieback").click()
        expect(self.page.get_by_text("Installed.", exact=True)).to_be_visible()

    def open_full_screen(self) -> "Person":
        self.page.goto(f"{self.company_home}/app")
        return self

    def open_panel(self, project: int, view: str, record: int) -> "Person":
        query = f"view={view}&id={record}"
        self.page.goto(f"{self.company_home}/projects/{project}/panel?{query}")
        return self

    def sign_in(self) -> "Person":
        """Signs in through the pop-up; the simulator asks for consent only the first time."""
        expect(self.frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
        with self.page.expect_popup() as opened:
            self.frame.get_by_role("button", name="Sign in with Procore").click()
        popup = opened.value
        allow = popup.get_by_role("button", name="Allow", exact=True)
        signed_in = self.frame.get_by_role("button", name="Sign out")
        deadline = time.monotonic() + PATIENCE
        while not (popup.is_closed() or signed_in.is_visible()):
            try:
                if allow.is_visible():
                    allow.click()
                elif time.monotonic() > deadline:
                    raise AssertionError(f"the pop-up stays: {popup.inner_text('body')}")
            except Error:  # it closed between the two calls
                break
            self.page.wait_for_timeout(50)
        expect(signed_in).to_be_visible()
        return self

    def open_project(self, number: int = 0) -> str:
        """Returns the project's name."""
        title = self.frame.locator(".card .title").nth(number)
        name = title.inner_text()
        title.click()
        expect(self.frame.get_by_role("heading", name=name, exact=True)).to_be_visible()
        return name

    def overflows(self) -> bool:
        """Whether the frame's page is wider than the frame."""
        inner = self.page.frames[1]
        return bool(inner.evaluate("document.documentElement.scrollWidth > innerWidth + 1"))
