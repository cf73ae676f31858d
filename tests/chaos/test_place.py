"""Faults of the environment: no Postgres or Redis for a while, a full disk, a clock that jumps.

People see an explanation, nothing is lost or duplicated, and all works again soon after.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stack import ClockedDemo, Stack, running
from tests.visitor import Visitor
from tests.waiting import until

AWAY = float(os.environ.get("AWAY_SECONDS", "8"))  # seconds; 30 in make chaos
HEALED = 60  # seconds
DISK = 300 * 1024 * 1024  # bytes; an empty cluster with its log takes about a third
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted, as root alone can")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with running(tmp_path / "demo") as found:
        yield found


def change(stack: Stack, seed: int) -> None:
    company = stack.procore.company_id
    stack.procore.control("mutations", changes=15, seed=seed, company_id=company)


def is_well(stack: Stack, person: Visitor) -> None:
    """Within a minute, pages answer and the mirror equals Procore."""
    until(lambda: person.opens("/embedded/home/"), within=HEALED)
    company = stack.procore.company_id
    until(lambda: stack.manage("verify", company)["drift"] == 0, within=HEALED)
    assert stack.procore.violations() == []


def answers(stack: Stack, person: Visitor) -> tuple[int, str]:
    """Status and text of a page, with a bearer."""
    found = person.ask("/embedded/home/")
    return found.status_code, found.text


@contextmanager
def meanwhile(work: Callable[..., None], **options: Any) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, kwargs=options)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()


@pytest.mark.timeout(400)
def test_postgres_is_away_and_comes_back(stack: Stack) -> None:
    stack.first_sync()
    person = Visitor(stack, stack.procore.company_id).sign_in("admin")
    words = set()
    with meanwhile(stack.kill_database, away=AWAY) as outage:
        while outage.is_alive():
            status, text = answers(stack, person)
            if status != 200:
                words.add((status, "Our database does not answer" in text))
            alive = requests.get(f"{stack.base_url}/healthz", timeout=10)
            assert alive.status_code == 200
    assert words == {(503, True)}
    change(stack, 1)
    is_well(stack, person)


@pytest.mark.timeout(400)
def test_redis_is_away_and_comes_back(stack: Stack) -> None:
    stack.first_sync()
    person = Visitor(stack, stack.procore.company_id).sign_in("admin")
    with meanwhile(stack.kill_broker, away=AWAY) as outage:
        change(stack, 2)
        while outage.is_alive():
            assert answers(stack, person)[0] == 200
    is_well(stack, person)


@pytest.mark.timeout(400)
def test_procores_clock_and_ours_jump_apart_and_together_again(stack: Stack) -> None:
    stack.first_sync()
    person = Visitor(stack, stack.procore.company_id).sign_in("admin")
    for step, seconds in enumerate((3600, -3600, 0)):
        stack.procore.control("clock", skew_seconds=seconds)
        change(stack, 10 + step)
    is_well(stack, person)


@pytest.mark.timeout(500)
def test_our_clock_jumps_ahead_and_back(tmp_path: Path) -> None:
    """An hour and more ends sessions; the page then asks the person to sign in."""
    with running(tmp_path / "demo", kind=ClockedDemo) as stack:
        company = stack.first_sync()
        person = Visitor(stack, company).sign_in("admin")
        for step, seconds in enumerate((4000, 0, -4000)):
            stack.set_clock(seconds)
            change(stack, 20 + step)
            status, text = answers(stack, person)
            assert status == 200 or (status == 401 and "sign in with Procore" in text)
            person = Visitor(stack, company).sign_in("admin")
            is_well(stack, person)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    size = f"size={DISK}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return path


@as_root
@pytest.mark.timeout(500)
def test_the_disk_of_postgres_is_full_and_has_space_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with small_disk(folder / "postgres"), running(folder) as stack:
        stack.first_sync()
        person = Visitor(stack, stack.procore.company_id).sign_in("admin")
        filler = fill(folder / "postgres")
        change(stack, 3)
        for _ in range(20):
            status, text = answers(stack, person)
            assert status == 200 or "no space left" in text or "does not answer" in text
        filler.unlink()
        stack.database_again()
        is_well(stack, person)
