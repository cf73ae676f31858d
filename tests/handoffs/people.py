"""A project manager and an administrator at the road job, over HTTP like the frame."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from partner_app.estimates import files
from partner_app.estimates import tasks as reading
from partner_app.estimates.models import FileWork
from partner_app.handoffs import tasks, work
from partner_app.handoffs.models import Handoff
from partner_app.handoffs.selectors import newest_handoff
from partner_app.tenancy.context import tenant
from tests.frame import Frame
from tests.procore import Procore

READING = re.compile(r"/embedded/readings/[0-9a-f-]{36}/")
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "river-street.csv"


class Desk:
    """One person's frame, and the estimate that they have open."""

    def __init__(self, procore: Procore, company_id: int, role: str) -> None:
        self.frame = Frame(procore, company_id).sign_in(role)
        self.procore, self.company_id = procore, company_id
        self.project_id = procore.projects(company_id)[1]
        self.estimate_id = ""

    def drop(self, content: bytes, name: str = "estimate.csv", **body: Any) -> Any:
        """Uploads a file to the project; returns the page once the file has been read."""
        answer = self.read(self.give(content, name, **body))
        found = re.search(r"/embedded/estimates/([0-9a-f-]{36})/", answer.content.decode())
        self.estimate_id = found[1] if found else ""
        return answer

    def give(self, content: bytes, name: str = "estimate.csv", **body: Any) -> Any:
        """Uploads a file; returns the page that waits for it."""
        path = f"/embedded/projects/{self.project_id}/estimates/upload/"
        return self.frame.post(path, file=SimpleUploadedFile(name, content), **body)

    def read(self, page: Any) -> Any:
        """The page after its file has been read; other pages unchanged."""
        waits = READING.search(page.content.decode())
        if not waits:
            return page
        read_files()
        return self.frame.get(waits[0])

    def of_estimate(self, path: str = "", **body: Any) -> Any:
        """POST if there is a body, else GET."""
        address = f"/embedded/estimates/{self.estimate_id}/{path}"
        return self.read(self.frame.post(address, **body)) if body else self.frame.get(address)

    def plan(self, **body: Any) -> Any:
        return self.frame.post(f"/embedded/estimates/{self.estimate_id}/plan/", **body)

    @property
    def handoff(self) -> Handoff:
        with tenant(self.company_id):
            return newest_handoff(self.estimate_id)

    def act(self, verb: str, **body: Any) -> Any:
        return self.frame.post(f"/embedded/handoffs/{self.handoff.id}/{verb}/", **body)

    def see(self, path: str = "", **query: Any) -> Any:
        return self.frame.get(f"/embedded/handoffs/{self.handoff.id}/{path}", **query)


def budget(desk: Desk) -> dict[str, Decimal]:
    """Original amounts in Procore by flat code; a code never has two lines."""
    codes = {c["id"]: c["flat_code"] for c in desk.procore.records(desk.project_id, "wbs_codes")}
    rows = desk.procore.records(desk.project_id, "budget_line_items")
    assert len(rows) == len({row["wbs_code_id"] for row in rows}), "a line twice"
    return {codes[r["wbs_code_id"]]: Decimal(str(r["original_budget_amount"])) for r in rows}


def carry_on() -> None:
    """Does what a worker does with all jobs that are due now."""
    for work_id in work.claim_due():
        tasks.carry_out_handoff(work_id)


def read_files() -> None:
    """Reads all waiting files, as workers do, with or without wake-up messages."""
    while FileWork.objects.update(rung_at=None) and (due := files.claim_due()):
        for work_id in due:
            reading.read_file(work_id)


def lines(*rows: tuple[str, str, str, str]) -> bytes:
    """Rows of item, description, unit and amount, as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([("Item", "Description", "Unit", "Amount"), *rows])
    return text.getvalue().encode()


def group_of_first(desk: Desk) -> str:
    found = re.search(r'id="group-([0-9a-f]{16})"', desk.of_estimate("mapping/").content.decode())
    assert found
    return found[1]
