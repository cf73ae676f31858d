"""Whether processes grow: each one's memory in a demo with people, changes and syncs.

The first third is warm-up. Growth is the slope of a least-squares line through the rest, in MB an
hour, of each process that ran the whole time. The most memory is by process name.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.stack import Stack, running
from tests.visitor import Visitor

EACH = 5.0  # seconds between two memory readings
PAGES = ("/embedded/home/", "/embedded/exceptions/", "/embedded/insights/", "/embedded/search/?q=a")
MB = 1024 * 1024


@dataclass
class Memory:
    """Seconds and bytes by process; `names` holds each process's name."""

    seen: dict[int, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[int, str] = field(default_factory=dict)

    def look(self, stack: Stack, second: float) -> None:
        for name in ("web", "worker", "reader", "beat"):
            for process in _family(stack.demo.processes[name].pid):
                try:
                    size = process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                self.seen[process.pid].append((second, size))
                self.names[process.pid] = name

    def growth(self, since: float, until_second: float) -> dict[str, dict[str, float]]:
        """For each process that ran the whole time: MB at the end and MB an hour."""
        found: dict[str, dict[str, float]] = {}
        for pid, looks in self.seen.items():
            warm = [(second, size) for second, size in looks if second >= since]
            if (
                len(warm) < 3
                or warm[-1][0] < until_second - 3 * EACH
                or warm[0][0] > since + EACH * 3
            ):
                continue
            slope = statistics.linear_regression(*zip(*warm, strict=True)).slope
            found[f"{self.names[pid]}-{pid}"] = {
                "mb": round(warm[-1][1] / MB, 1),
                "mb_an_hour": round(slope * 3600 / MB, 2),
            }
        return found

    def largest(self) -> dict[str, float]:
        """The most MB that any process of the name ever held."""
        found: dict[str, float] = {}
        for pid, looks in self.seen.items():
            name = self.names[pid]
            found[name] = max(found.get(name, 0), *(round(size / MB, 1) for _, size in looks))
        return found


def _family(pid: int) -> Iterator[psutil.Process]:
    try:
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return


class Load:
    """A person who opens page after page, and people in Procore who change records."""

    def __init__(self, stack: Stack, company: int) -> None:
        self.stack, self.company = stack, company
        self.rng = random.Random(19)  # noqa: S311  # the same load each time
        self.pages = self.changes = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=each) for each in (self._look, self._change)]

    def _look(self) -> None:
        person = Visitor(self.stack, self.company).sign_in("admin")
        projects = self.stack.procore.projects()
        while not self.over.wait(0.25):
            own = [f"/embedded/projects/{project}/" for project in projects]
            person.open(self.rng.choice([*PAGES, *own]))
            self.pages += 1

    def _change(self) -> None:
        while not self.over.wait(2.0):
            self.stack.procore.control(
                "mutations", changes=20, seed=self.rng.randint(0, 99_999), company_id=self.company
            )
            self.changes += 20

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


def soak(minutes: float) -> dict[str, object]:
    with (
        tempfile.TemporaryDirectory(prefix="tieback-soak-") as folder,
        running(Path(folder) / "demo") as stack,
    ):
        company = stack.first_sync()
        memory, began, length = Memory(), time.monotonic(), minutes * 60
        with Load(stack, company) as load:
            while (second := time.monotonic() - began) < length:
                memory.look(stack, second)
                time.sleep(EACH)
        growth = memory.growth(length / 3, length)
        rates = [each["mb_an_hour"] for each in growth.values()]
        return {
            "minutes": minutes,
            "pages": load.pages,
            "changes": load.changes,
            "most_mb_an_hour": max(rates) if rates else None,
            "growth": growth,
            "largest_mb": memory.largest(),
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    result = soak(parser.parse_args().minutes)
    json.dump(result, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
