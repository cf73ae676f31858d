"""`make dev`: saved changes show without a manual restart."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from runtime.demo import Demo
from tests.house.test_rules import ROOT
from tests.waiting import until

SHEET = ROOT / "static" / "css" / "_saved_meanwhile.css"


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Demo]:
    found = Demo(tmp_path / "dev", size="S", port=0, reload=True)
    found.start()
    yield found
    found.stop()
    SHEET.unlink(missing_ok=True)


def shown(dev: Demo) -> str:
    address = f"{dev.environment['BASE_URL']}/static/css/{SHEET.name}"
    return requests.get(address, timeout=30).text


def children(dev: Demo, name: str) -> set[int]:
    return {p.pid for p in psutil.Process(dev.processes[name].pid).children() if p.is_running()}


def test_what_is_saved_shows_without_a_restart_by_hand(dev: Demo) -> None:
    SHEET.write_text("/* first */")
    assert shown(dev) == "/* first */"
    SHEET.write_text("/* second */")
    assert shown(dev) == "/* second */"

    before = {name: children(dev, name) for name in ("web", "worker", "reader", "beat")}
    assert all(before.values()), before
    os.utime(ROOT / "partner_app" / "core" / "clock.py")
    until(lambda: all(children(dev, name) - old for name, old in before.items()), within=120)
    until(lambda: requests.get(f"{dev.environment['BASE_URL']}/readyz", timeout=30).ok, within=120)
