"""make smoke and make screenshots: a browser drives the demo from install to dashboard."""

import argparse
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyotp
import requests
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect, sync_playwright

from runtime.browser import PARTITIONED, require
from runtime.demo import ROOT

PATIENCE = 60_000  # milliseconds
WIDTHS = (1440, 768, 400)
ROAD = "River Street Reconstruction"
EXAMPLE = ROOT / "docs" / "examples" / "river-street.csv"
NEW_CODES = """Item,Description,Quantity,Unit,Unit Price,Amount
B-10,Reinforcing bars galvanized,4200,LBS,2.15,9030.00
B-11,Bridge railing PF-2 with curb,310,LF,148.00,45880.00
B-12,Concrete barrier transition,4,EA,3900.00,15600.00
B-13,Bronze dedication plaque,1,EA,4800.00,4800.00
B-14,Riprap revetment at pier,95,TON,88.40,8398.00
"""


class Smoke:
    """The journeys of an administrator, of somebody without budgets, and of a partner."""

    def __init__(
        self, context: BrowserContext, address: str, base_url: str, images: Path | None
    ) -> None:
        self.context, self.address, self.base_url, self.images = context, address, base_url, images
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)

    def run(self, set_up_link: str) -> None:
        self.sign_in_to_procore("Company Admin")
        self.slow_down()
        self.install_in_procore()
        self.page.get_by_role("link", name="Open Tieback").click()
        self.connect()
        self.work()
        self.workspace()
        self.settings()
        self.panel()
        self.estimate()
        self.approval()
        self.without_budget()
        self.refusals()
        self.dashboard(set_up_link)

    def sign_in_to_procore(self, name: str) -> None:
        self.page.goto(self.address)
        self.page.get_by_role("listitem").filter(has_text="Halden Bay").get_by_role(
            "button", name=name
        ).click()
        expect(self.page.get_by_role("heading", name="Halden Bay Builders")).to_be_visible()
        self.home = self.page.url

    def install_in_procore(self) -> None:
        self.page.get_by_role("link", name="App Management").click()
        self.page.get_by_role("button", name="Install Tieback").click()
        said("installed in the stand-in's App Management")

    def slow_down(self) -> None:
        """Makes the first sync slow enough to see, for people and screenshots."""
        control = "http://127.0.0.1:" + self.address.rstrip("/").rpartition(":")[2] + "/control"
        fault = {"kind": "delay", "path": "/rest/*/projects/*", "times": 10, "seconds": 0.6}
        requests.post(f"{control}/faults", json=fault, timeout=10).raise_for_status()

    def connect(self) -> None:
        frame = self.page.frame_locator("iframe")
        expect(frame.get_by_role("button", name="Sign in with Procore")).to_be_visible()
        self.shoot("install-welcome")
        with self.page.expect_popup() as opened:
            frame.get_by_role("button", name="Sign in with Procore").click()
        popup = opened.value
        popup.get_by_role("button", name="Allow", exact=True).click()
        start = popup.get_by_role("button", name="Start")
        try:
            start.wait_for(timeout=4_000)
        except Exception:  # the service account was discovered first: there is nothing to choose
            if not popup.is_closed():
                raise
        else:
            self.shoot("install-choose", popup)
            start.click()
        expect(frame.get_by_role("heading", name="Projects", exact=True)).to_be_visible()
        said("signed in through the pop-up, third-party cookies blocked")
        expect(frame.get_by_role("heading", name="The first sync is running")).to_be_visible()
        self.shoot("sync-progress")
        expect(frame.get_by_text("Up to date")).to_be_visible()
        expect(frame.locator(".card").nth(3)).to_be_visible()
        expect(frame.get_by_text("Company Admin · Halden Bay Builders")).to_be_visible()
        figures = frame.locator(".card .meter").first
        for _ in range(60):
            if figures.is_visible():
                break
            self.page.wait_for_timeout(500)  # they are computed a moment after the sync
            frame.get_by_role("button", name="Projects", exact=True).first.click()
        expect(figures).to_be_visible()
        said(f"first sync ended; {frame.locator('.card').count()} projects shown")
        self.shoot("company-home")

    def sign_in_again(self) -> None:
        frame = self.page.frame_locator("iframe")
        with self.page.expect_popup():
            frame.get_by_role("button", name="Sign in with Procore").click()

    def work(self) -> None:
        frame = self.page.frame_locator("iframe")
        frame.locator(".card .title").first.click()
        expect(frame.get_by_role("heading", name="Committed against budget")).to_be_visible()
        said(
            "project page: "
            + " | ".join(frame.locator(".tile").all_inner_texts()).replace("\n", " ")
        )
        self.shoot("project")
        frame.get_by_role("button", name="Open RFIs").click()
        expect(frame.get_by_role("heading", name="Open RFIs")).to_be_visible()
        said(f"records behind the first number: {frame.locator('tbody tr').count()}")
        self.shoot("records")

    def workspace(self) -> None:
        """Visits the exceptions and the charts."""
        frame = self.page.frame_locator("iframe")
        frame.get_by_role("button", name="Projects", exact=True).first.click()
        frame.get_by_role("button", name="Exceptions", exact=True).click()
        expect(frame.get_by_role("heading", name="Exceptions", exact=True)).to_be_visible()
        expect(frame.locator(".cases li").first).to_be_visible()
        said(f"first exception: {frame.locator('.case').first.inner_text()}".replace("\n", " "))
        self.shoot("exceptions")
        frame.locator(".case").first.click()
        expect(frame.get_by_text("Add a note")).to_be_visible()
        self.shoot("exception")
        frame.get_by_role("button", name="Exceptions", exact=True).click()
        frame.get_by_role("button", name="Insights", exact=True).click()
        expect(frame.locator("canvas").first).to_be_visible()
        said(f"{frame.locator('canvas').count()} charts, each with its table")
        self.shoot("insights")

    def settings(self) -> None:
        """Grants access to support, so that the screenshot shows a grant."""
        frame = self.page.frame_locator("iframe")
        frame.get_by_role("button", name="Settings").click()
        frame.get_by_role("button", name="Allow", exact=True).click()
        expect(frame.get_by_text("may view your records until")).to_be_visible()
        said("the company lets support look for a while")
        self.shoot("settings")

    def panel(self) -> None:
        self.page.goto(self.home)
        self.page.get_by_role("link", name="RFI 1").first.click()
        self.sign_in_again()
        frame = self.page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="RFI 1:")).to_be_visible()
        said("side panel shows the open RFI")
        self.shoot("panel")

    def become(self, name: str, *, known: bool = False) -> FrameLocator:
        """Signs another person in, in the same browser and frame; `known` has consented before."""
        self.page.get_by_role("button", name="Sign out").first.click()
        self.sign_in_to_procore(name)
        self.page.get_by_role("link", name="Open Tieback").click()
        frame = self.page.frame_locator("iframe")
        with self.page.expect_popup() as opened:
            frame.get_by_role("button", name="Sign in with Procore").click()
        if not known:
            opened.value.get_by_role("button", name="Allow", exact=True).click()
        expect(frame.locator(".card").first).to_be_visible()
        return frame

    def estimate(self) -> None:
        """Uploads a file with unknown codes, then one with the project's own codes."""
        frame = self.become("Project Manager")
        frame.get_by_role("button", name=ROAD, exact=True).click()
        frame.get_by_role("button", name="Estimates", exact=True).click()
        expect(frame.get_by_role("heading", name="No estimate yet")).to_be_visible()
        self.shoot("handoff-estimates")
        files = frame.locator("input[type=file]")
        files.set_input_files(
            {"name": "bridge-extras.csv", "mimeType": "text/csv", "buffer": NEW_CODES.encode()}
        )
        frame.get_by_role("button", name="Continue to mapping").click()
        expect(frame.locator(".group").first).to_be_visible()
        said(f"lines that need a person: {frame.locator('.group').count()}")
        self.shoot("handoff-mapping")
        frame.get_by_role("button", name="Estimates").click()
        expect(frame.get_by_role("row").filter(has_text="bridge-extras.csv")).to_be_visible()
        files.set_input_files(EXAMPLE)
        expect(frame.get_by_text("100 of 100")).to_be_visible()
        self.shoot("handoff-read")
        frame.get_by_role("button", name="Make the plan").click()
        frame.get_by_role("button", name="Send for approval").click()
        expect(frame.get_by_text("Someone else who may edit the budget")).to_be_visible()
        said("an estimate of 100 lines is planned and sent for approval")

    def approval(self) -> None:
        frame = self.become("Company Admin", known=True)
        frame.get_by_role("button", name=EXAMPLE.name).click()
        approve = frame.get_by_role("button", name="Approve and write to Procore")
        expect(approve).to_be_visible()
        self.shoot("handoff-plan")
        approve.click()
        equal = frame.get_by_role("heading", name="Procore budget equals the estimate")
        expect(equal).to_be_visible()
        said(equal.inner_text())
        self.shoot("handoff-done")
        frame.get_by_role("button", name="Undo…").click()
        asked = frame.get_by_role("heading", name="Undo this handoff?")
        expect(asked).to_be_visible()
        asked.scroll_into_view_if_needed()
        said("what an undo would do is shown before it is done")
        self.shoot("handoff-undo")
        frame.get_by_role("button", name="Request undo").click()
        expect(frame.get_by_role("button", name="Withdraw the request")).to_be_visible()
        said("one person alone cannot undo it: a colleague is asked")

    def without_budget(self) -> None:
        frame = self.become("Field Engineer")
        if frame.get_by_text("budget").count() or frame.get_by_text("$").count():
            raise AssertionError("a viewer without budget access sees a budget figure")
        said(f"the Field Engineer sees {frame.locator('.card').count()} projects and no money")
        self.shoot("no-permission")

    def refusals(self) -> None:
        page = self.context.new_page()
        page.goto(f"{self.base_url}/oauth/callback/?state=made-up&code=x")
        expect(page.get_by_role("heading", name="not started here")).to_be_visible()
        self.shoot("error", page)
        said("a made-up state ends on a page that says what to do")
        page.close()

    def dashboard(self, set_up_link: str) -> None:
        """From the one-time link and a second factor to the list of tenants."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(set_up_link)
        password = secrets.token_urlsafe(16)
        for label in ("Password", "The same password again"):
            page.get_by_label(label, exact=True).fill(password)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Confirm").click()
        secret = page.get_by_label("Authenticator secret").input_value()
        page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Activate").click()
        page.get_by_role("heading", name="Recovery Codes").wait_for()
        page.goto(f"{self.base_url}/dashboard/tenants/")
        expect(page.get_by_role("link", name="Halden Bay Builders")).to_be_visible()
        said("a partner admin set up a password and a second factor; dashboard lists the tenant")
        self.shoot("dashboard-tenants", page)
        page.get_by_role("link", name="Overview").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        self.shoot("dashboard", page)
        page.goto(f"{self.base_url}/dashboard/tenants/")
        page.get_by_role("link", name="Halden Bay Builders").click()
        expect(page.get_by_role("heading", name="Halden Bay Builders")).to_be_visible()
        self.shoot("dashboard-tenant", page)
        page.get_by_role("link", name="View its records").click()
        expect(page.get_by_text("Lakefront Medical Pavilion")).to_be_visible()
        said("support sees records under the company's grant")
        page.goto(set_up_link)
        expect(page.get_by_text("has been used")).to_be_visible()
        said("the set-up link works once")
        page.close()

    def shoot(self, name: str, page: Page | None = None) -> None:
        if self.images is None:
            return
        page = page or self.page
        usual = page.viewport_size
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=self.images / f"{name}-{width}.png")
        if usual:
            page.set_viewport_size(usual)


def said(text: str) -> None:
    print(f"  {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--dark", action="store_true")
    arguments = parser.parse_args()
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    chromium = require()
    with tempfile.TemporaryDirectory(prefix="tieback-smoke-") as folder:
        began = time.monotonic()
        demo = subprocess.Popen(
            [sys.executable, "-m", "runtime.demo", "--data", folder, "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert demo.stdout is not None
            line = demo.stdout.readline()
            if "Open " not in line:
                print("smoke: the demo did not start", file=sys.stderr)
                return 1
            said(f"demo answered after {time.monotonic() - began:.1f} s")
            address = line.split("Open ")[1].split(" ")[0]
            environment = (Path(folder) / "demo.env").read_text()
            base_url = environment.split("BASE_URL='")[1].split("'")[0]
            set_up_link = demo.stdout.readline().split(": ")[1].strip()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=PARTITIONED)
                context = browser.new_context(
                    viewport={"width": 1440, "height": 900},
                    color_scheme="dark" if arguments.dark else "light",
                )
                Smoke(context, address, base_url, arguments.screenshots).run(set_up_link)
                browser.close()
        finally:
            demo.send_signal(signal.SIGTERM)
            code = demo.wait(timeout=90)
    print(f"smoke: {'passed' if code == 0 else 'the demo ended with an error'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
