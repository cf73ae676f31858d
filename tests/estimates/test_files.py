"""A file between upload and estimate: its place in the queue, its progress and how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from integrations.procore.sync.services import sync_now
from partner_app.core import clock
from partner_app.estimates import files
from partner_app.estimates.errors import FilesWait
from partner_app.estimates.models import (
    Estimate,
    EstimateLine,
    EstimateOriginal,
    FilePiece,
    FileReading,
    FileWork,
    LineMapping,
)
from partner_app.estimates.views import PIECE
from partner_app.tenancy.context import tenant
from partner_app.tenancy.retention import delete_expired
from tests.frame import text_of
from tests.handoffs.people import READING, Desk, group_of_first, lines, read_files
from tests.house.test_rules import ROOT
from tests.procore import Procore
from tests.waiting import until

SMALL = lines(("1", "Dig", "CY", "5.00"), ("2", "Fill", "CY", "7.00"))
# Two seconds to read, and several to store.
LARGE = lines(*[(str(n), f"Work of kind {n}", "LS", f"{n}.00") for n in range(1, 12_001)])
WORKER = "import django; django.setup(); from partner_app.estimates import files; files.run({})"


@pytest.fixture
def manager(synced: int, procore: Procore) -> Desk:
    return Desk(procore, synced, "manager")


def at(page: Any) -> str:
    """The address of the waiting page."""
    found = READING.search(page.content.decode())
    assert found, text_of(page)
    return found[0]


def readers() -> list[psutil.Process]:
    """Processes below this one that read a file."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "partner_app.estimates.reading.child" in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


@contextmanager
def reading_now() -> Iterator[threading.Thread]:
    """A worker in a thread; it has ended when the block ends."""

    def work() -> None:
        try:
            read_files()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(timeout=60)
        assert not thread.is_alive()


def step() -> str:
    return FileWork.objects.values_list("step", flat=True).first() or ""


def estimates(desk: Desk) -> int:
    with tenant(desk.company_id):
        return Estimate.objects.count()


def test_an_upload_is_answered_before_anything_is_read(manager: Desk) -> None:
    began = time.monotonic()
    page = manager.give(LARGE)
    assert page.status_code == 200
    assert time.monotonic() - began < 2
    assert "Waiting for its turn" in text_of(page)
    assert page["Tieback-Place"] == at(page).removeprefix("/embedded/")
    assert readers() == []
    assert estimates(manager) == 0


def test_how_far_it_is_shows_and_its_end_takes_the_pages_place(manager: Desk) -> None:
    page = manager.give(LARGE)
    seen = []
    with reading_now() as worker:
        while worker.is_alive():
            headers = {"HX-Target": "reading-now"}
            answer = manager.frame.get(at(page), headers=headers)
            seen.append(text_of(answer))
            worker.join(0.2)
    assert any("The file is being read" in text or "being checked" in text for text in seen)
    assert any("The lines are being saved" in text for text in seen), seen
    assert any("of 12,000 lines" in text for text in seen)
    answer = manager.frame.get(at(page))
    assert "12,000" in text_of(answer) or "12000" in text_of(answer)
    assert answer["HX-Retarget"] == "#main"
    with tenant(manager.company_id):
        assert answer["Tieback-Place"] == f"estimates/{Estimate.objects.get().id}/"
        reading = FileReading.objects.get()
        assert not reading.pieces.exists()
    assert reading.state == "done"


def test_a_file_that_waits_is_stopped_at_once_and_read_when_asked_again(manager: Desk) -> None:
    page = manager.give(SMALL, "mine.csv")
    stopped = manager.frame.post(f"{at(page)}cancel/")
    assert "You cancelled before" in text_of(stopped)
    read_files()
    assert estimates(manager) == 0
    listed = manager.frame.get(f"/embedded/projects/{manager.project_id}/estimates/")
    assert "Not read yet mine.csv" in text_of(listed)
    assert "$12.00" in text_of(manager.read(manager.frame.post(f"{at(page)}again/")))
    assert estimates(manager) == 1
    assert manager.frame.post(f"{at(page)}again/").status_code == 404


@pytest.mark.parametrize("when", ["rows", "lines"])
def test_a_cancellation_ends_what_goes_on_and_nothing_is_stored(manager: Desk, when: str) -> None:
    page = manager.give(LARGE)
    with reading_now():
        until(lambda: step() == when)
        asked = time.monotonic()
        assert "Cancelling" in text_of(manager.frame.post(f"{at(page)}cancel/"))
        until(lambda: not FileWork.objects.exists(), within=3)
        assert time.monotonic() - asked < 3
        assert readers() == []
    assert estimates(manager) == 0
    with tenant(manager.company_id):
        assert EstimateLine.objects.count() == 0
    again = manager.frame.get(at(page))
    assert again["HX-Retarget"] == "#main"
    assert "You cancelled before" in text_of(again)


def test_when_the_page_goes_away_the_work_ends_and_the_file_stays(manager: Desk) -> None:
    page = manager.give(LARGE)
    with reading_now():
        until(lambda: step() == "rows")
        FileWork.objects.update(seen_at=clock.now() - files.GONE - timedelta(seconds=1))
        until(lambda: not FileWork.objects.exists(), within=3)
    assert estimates(manager) == 0
    assert "The page was closed" in text_of(manager.frame.get(at(page)))
    manager.read(manager.frame.post(f"{at(page)}again/"))
    assert estimates(manager) == 1


def test_nobody_waits_for_a_turn_that_no_page_asks_about(manager: Desk) -> None:
    page = manager.give(SMALL)
    FileWork.objects.update(seen_at=clock.now() - files.GONE - timedelta(seconds=5))
    assert len(files.claim_due()) == 0  # its wake-up message is on its way
    assert FileWork.objects.count() == 1  # a covered window polls rarely
    FileWork.objects.update(seen_at=clock.now() - files.GONE_WAITING - timedelta(seconds=1))
    assert files.claim_due() == []
    assert "The page was closed" in text_of(manager.frame.get(at(page)))


def test_the_page_of_the_estimates_waits_for_its_files_too(manager: Desk) -> None:
    page = manager.give(SMALL, "mine.csv")
    part = f"/embedded/projects/{manager.project_id}/readings/"
    FileWork.objects.update(seen_at=clock.now() - timedelta(seconds=20))
    waits = manager.frame.get(part)
    assert "mine.csv" in text_of(waits)
    assert clock.now() - FileWork.objects.get().seen_at < timedelta(seconds=5)
    assert f'hx-get="{part}"' in waits.content.decode()
    read_files()
    ended = manager.frame.get(part).content.decode()
    assert f'hx-get="/embedded/projects/{manager.project_id}/estimates/"' in ended
    manager.frame.post(f"{at(page)}discard/")
    assert estimates(manager) == 1  # a file that has become an estimate stays


def test_a_file_is_discarded(manager: Desk) -> None:
    page = manager.give(SMALL, "mine.csv")
    manager.frame.post(f"{at(page)}cancel/")
    assert "mine.csv" not in text_of(manager.frame.post(f"{at(page)}discard/"))
    with tenant(manager.company_id):
        assert FileReading.objects.count() == 0
    gone = manager.frame.get(at(page))
    assert gone.status_code == 404
    assert "no longer kept" in text_of(gone)


def killed(work_id: int, when: Callable[[], bool]) -> None:
    """Kills a worker with SIGKILL; the process that reads for it dies too."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER.format(work_id)], cwd=ROOT)
    try:
        until(when)
        found = psutil.Process(worker.pid).children(recursive=True)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    _, alive = psutil.wait_procs(found, timeout=3)
    assert alive == []


@pytest.mark.parametrize("when", ["rows", "lines"])
def test_a_worker_that_was_killed_is_succeeded(manager: Desk, when: str) -> None:
    page = manager.give(LARGE)
    work = FileWork.objects.get()
    killed(work.id, lambda: step() == when)
    assert estimates(manager) == 0
    assert files.run(work.id) is None, "the dead one's lease still counts"
    FileWork.objects.update(leased_until=clock.now(), rung_at=None)
    assert files.claim_due() == [work.id]
    read_files()
    assert estimates(manager) == 1
    assert "12,000" in text_of(manager.frame.get(at(page))).replace("12000", "12,000")


def test_a_file_that_kills_its_readers_is_given_up_in_words(manager: Desk) -> None:
    page = manager.give(SMALL, "deadly.csv")
    FileWork.objects.update(attempts=files.MOST_ATTEMPTS)
    read_files()
    refused = manager.frame.get(at(page))
    assert refused.status_code == 422
    assert "deadly.csv could not be read to the end" in text_of(refused)
    assert "$12.00" in text_of(manager.read(manager.frame.post(f"{at(page)}again/")))


def test_who_was_believed_dead_stores_nothing(manager: Desk) -> None:
    page = manager.give(LARGE)
    with reading_now():
        until(lambda: step() == "lines")
        FileWork.objects.update(holder=uuid.uuid4())
    assert estimates(manager) == 0
    FileWork.objects.update(leased_until=clock.now(), rung_at=None)
    read_files()
    assert estimates(manager) == 1
    assert manager.frame.get(at(page)).status_code == 200


def test_a_bell_that_nobody_heard_is_rung_again(manager: Desk) -> None:
    manager.give(SMALL)
    work = FileWork.objects.get()
    assert work.rung_at is not None, "a bell for a worker"
    assert files.claim_due() == []
    FileWork.objects.update(rung_at=clock.now() - files.RING_AGAIN - timedelta(seconds=1))
    assert files.claim_due() == [work.id]
    FileWork.objects.update(rung_at=None)  # the broker was down
    assert files.claim_due() == [work.id]


def test_each_company_gets_its_turn(manager: Desk, procore: Procore) -> None:
    """A company's files are read one after another, however many workers there are."""
    sync_now(company_id=procore.neighbour_id, full=True, only=[], wait=clock.wait_until)
    other = Desk(procore, procore.neighbour_id, "admin")
    *_, last = [manager.give(SMALL, f"{number}.csv") for number in range(3)]
    assert "2 files are ahead of it" in text_of(last)
    other.give(SMALL, "other.csv")
    FileWork.objects.update(rung_at=None)
    first, theirs = files.claim_due()
    mine = list(FileWork.objects.filter(company_id=manager.company_id).order_by("asked_at"))
    assert (first, FileWork.objects.get(id=theirs).company_id) == (mine[0].id, other.company_id)
    assert files._lease(first) is not None
    assert files._lease(mine[1].id) is None, "another of the company is being read"
    assert files.claim_due() == [theirs]
    assert files.run(theirs) == other.company_id
    assert estimates(other) == 1
    FileWork.objects.update(leased_until=clock.now())
    read_files()
    assert estimates(manager) == 3


def test_answers_from_two_tabs_are_taken_in_one_after_another(manager: Desk) -> None:
    bad = [("A2", "Pole", "EA", "x"), ("A3", "Bench", "EA", "y")]
    manager.drop(lines(("A1", "Plaque", "EA", "20"), *bad))
    group = group_of_first(manager)
    manager.of_estimate("mapping/choose/", group=group, code="999-000.S")
    address = f"/embedded/estimates/{manager.estimate_id}/answer/"
    first = manager.frame.post(address, row="3", column="amount", text="12")
    second = manager.frame.post(address, row="4", column="amount", text="3")
    assert "1 file is ahead of it" in text_of(second)
    read_files()
    assert "$35.00" in text_of(manager.frame.get(at(first)))
    answer = manager.frame.get(at(second))
    assert "$35.00" in text_of(answer)
    assert answer["Tieback-Place"] == f"estimates/{manager.estimate_id}/"
    with tenant(manager.company_id):
        kept = LineMapping.objects.get(line__estimate_id=manager.estimate_id)
        assert (kept.wbs_code, kept.evidence) == ("999-000.S", "person")


def test_what_is_refused_about_an_estimate_is_said_on_its_page(manager: Desk) -> None:
    manager.drop(SMALL)
    mended = SimpleUploadedFile("again.csv", b"%PDF-1.4")
    refused = manager.of_estimate("file/", file=mended)
    assert refused.status_code == 422
    assert "PDF" in text_of(refused)
    assert "$12.00" in text_of(refused)
    with tenant(manager.company_id):
        EstimateOriginal.objects.all().delete()
    forgotten = manager.of_estimate("answer/", leave_out="2")
    assert forgotten.status_code == 409
    assert "no longer kept" in text_of(forgotten)


def test_a_refusal_by_rule_keeps_no_file_and_offers_the_next(manager: Desk) -> None:
    refused = manager.drop(b"%PDF-1.4", "plan.pdf")
    assert refused.status_code == 422
    assert "Drop another file here" in text_of(refused)
    assert "Read it again" not in text_of(refused)
    with tenant(manager.company_id):
        assert not FilePiece.objects.exists()
    listed = manager.frame.get(f"/embedded/projects/{manager.project_id}/estimates/")
    assert "plan.pdf" not in text_of(listed)


def test_what_was_given_is_kept_sealed_and_for_a_day(manager: Desk) -> None:
    manager.give(lines(("A1", "A very private description", "EA", "20.00")))
    with tenant(manager.company_id):
        kept = bytes(FilePiece.objects.get().content)
    assert b"private" not in kept
    with tenant(manager.company_id):
        FileReading.objects.update(created_at=clock.now() - timedelta(hours=23))
    delete_expired()
    with tenant(manager.company_id):
        assert FileReading.objects.count() == 1
        FileReading.objects.update(created_at=clock.now() - timedelta(hours=25))
    delete_expired()
    with tenant(manager.company_id):
        assert FilePiece.objects.count() == 0
    read_files()
    assert not FileWork.objects.exists()


def test_a_company_keeps_no_more_than_it_may(
    manager: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_KEPT", 2)
    for _ in range(2):
        assert manager.give(SMALL).status_code == 200
    refused = manager.give(SMALL)
    assert refused.status_code == FilesWait.status
    assert "Your company already has 2 files waiting to be read" in text_of(refused)
    read_files()
    assert manager.give(SMALL).status_code == 200


def test_only_who_may_change_an_estimate_stops_its_file(
    manager: Desk, synced: int, procore: Procore
) -> None:
    theirs = Desk(procore, synced, "admin")
    page = theirs.give(SMALL)
    procore.control("people", id=procore.person("manager")["id"], edits_budget=False)
    reader = Desk(procore, synced, "manager")
    assert reader.frame.get(at(page)).status_code == 200
    for verb in ("cancel/", "again/", "discard/"):
        refused = reader.frame.post(f"{at(page)}{verb}")
        assert refused.status_code == 403
        assert "This estimate was imported by someone else" in text_of(refused)
    engineer = Desk(procore, synced, "engineer")
    assert engineer.frame.get(at(page)).status_code == 403
    assert (
        engineer.frame.get(f"/embedded/projects/{theirs.project_id}/readings/").status_code == 403
    )
    assert "$12.00" in text_of(theirs.read(page))


def test_an_estimate_that_is_deleted_takes_its_answers_along(manager: Desk) -> None:
    manager.drop(SMALL)
    address = f"/embedded/estimates/{manager.estimate_id}/"
    page = manager.frame.post(f"{address}answer/", leave_out="2")
    assert manager.frame.post(f"{address}delete/").status_code == 200
    read_files()
    assert not FileWork.objects.exists()
    assert manager.frame.get(at(page)).status_code == 404


def test_a_file_of_several_pieces_is_read_whole(manager: Desk) -> None:
    """A file too large to be kept in memory while it arrives."""
    rows = [(str(n), f"{n} " + "word " * 800, "LS", "1.00") for n in range(1, 1_001)]
    content = lines(*rows)
    page = manager.give(content)
    with tenant(manager.company_id):
        assert FilePiece.objects.count() == -(-len(content) // PIECE) > 3
    assert "Lines 1000" in text_of(manager.read(page))
