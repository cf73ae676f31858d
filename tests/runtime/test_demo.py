"""Problems of the machine are fixed, or explained."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runtime.browser import find
from runtime.demo import Demo
from runtime.services import CannotStart, free_port
from tests.house.test_rules import ROOT

HANGS = 90  # seconds; a longer wait means that the end never comes: a disk may be busy


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runtime.demo", "--data", str(folder), "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ours(folder: Path) -> list[psutil.Process]:
    """Every running process that this folder's demo started, Postgres included."""
    book = folder / "processes.json"
    known = {pid for pid, _ in json.loads(book.read_text())} if book.exists() else set()
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.pid in known or str(folder) in " ".join(process.cmdline())
        except psutil.Error:  # ended meanwhile, or a zombie
            continue
        if mine:
            found.append(process)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"
    for process in ours(tmp_path / "demo"):
        process.kill()


def opened(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    line = demo.stdout.readline()
    if not line:
        pytest.fail(f"It did not start:\n{failed(demo)}")
    assert "Open http://procore.localhost:" in line
    return line


def ended(demo: subprocess.Popen[str], number: signal.Signals) -> None:
    demo.send_signal(number)
    assert demo.wait(timeout=HANGS) == 0
    assert demo.stderr is not None
    assert demo.stderr.read() == ""
    close(demo)


def failed(demo: subprocess.Popen[str]) -> str:
    assert demo.wait(timeout=HANGS) == 1
    assert demo.stderr is not None
    words = demo.stderr.read()
    close(demo)
    return words


def close(demo: subprocess.Popen[str]) -> None:
    for stream in (demo.stdout, demo.stderr):
        assert stream is not None
        stream.close()


def test_it_stops_without_leaving_a_process_and_starts_warm_after_a_kill(folder: Path) -> None:
    first = start(folder)
    opened(first)
    pids = [process.pid for process in ours(folder)]
    assert len(pids) > 4
    first.kill()  # its children live on
    first.wait()
    close(first)
    second = start(folder)
    opened(second)
    replaced = [pid for pid, _ in json.loads((folder / "processes.json").read_text())]
    assert not set(replaced) & set(pids)
    ended(second, signal.SIGTERM)
    assert [process.cmdline() for process in ours(folder)] == []
    third = start(folder)
    opened(third)
    ended(third, signal.SIGINT)
    assert ours(folder) == []


def test_a_second_one_on_the_same_folder_is_told_who_is_there(folder: Path) -> None:
    first = start(folder)
    opened(first)
    assert "Another make demo is running" in failed(start(folder))
    ended(first, signal.SIGTERM)


def test_a_taken_port_is_avoided_and_a_fixed_one_of_the_stand_in_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "--api-port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr


def test_a_full_disk_is_named_before_anything_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1))
    with pytest.raises(CannotStart, match="nearly full"):
        Demo(folder, size="S", port=0).start()


def test_damaged_data_is_named_with_what_to_do(folder: Path) -> None:
    (folder / "postgres").mkdir(parents=True)
    (folder / "postgres" / "PG_VERSION").write_text("9.1")
    assert "Postgres does not start" in failed(start(folder))


def test_a_stale_lock_file_of_postgres_is_mended(folder: Path) -> None:
    first = start(folder)
    opened(first)
    ended(first, signal.SIGTERM)
    stale = folder / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{folder}/postgres\n1\n5432\n\n\n")
    second = start(folder)
    opened(second)
    ended(second, signal.SIGTERM)


def test_a_chromium_is_found() -> None:
    """Browser tests never skip silently."""
    assert find()
