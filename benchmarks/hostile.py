"""What an attacker costs others: pages, /healthz and webhooks, compared with a quiet run.

Each attack runs in its own process at a lower priority than its target, because they share this
machine's cores and a real attacker has its own. The difference is what Tieback spends on the
attack.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import requests

from benchmarks.webhooks import SECRET, add_hook, delivery, load
from tests.hostile_files import ways
from tests.stack import Stack, running
from tests.visitor import Visitor

ASKS = 60  # requests of each kind under each attack
SLOW = 500  # clients that send one byte a second
BIG = 20  # clients that send as fast as they can
STORM = 500  # webhooks a second
MB = 1024 * 1024
Attack = Callable[[], None]


class Victims:
    """A signed-in page, the health check and a webhook, as other clients request them."""

    def __init__(self, stack: Stack, hook: uuid.UUID) -> None:
        self.person = Visitor(stack, stack.procore.company_id).sign_in("admin")
        self.session = requests.Session()
        self.session.trust_env = False
        self.base, self.hook = stack.base_url, f"/webhooks/procore/{hook}/"
        self.numbers = itertools.count()
        self.kinds = {"page": self._page, "healthz": self._health, "webhook": self._deliver}

    def p95(self) -> dict[str, float]:
        """95th percentile in milliseconds by kind; the kinds take turns."""
        times: dict[str, list[float]] = {name: [] for name in self.kinds}
        for _ in range(ASKS):
            for name, ask in self.kinds.items():
                began = time.perf_counter()
                status = ask()
                times[name].append((time.perf_counter() - began) * 1000)
                assert status in {200, 202}, (name, status)
        return {name: round(statistics.quantiles(t, n=20)[18], 1) for name, t in times.items()}

    def _page(self) -> int:
        return self.person.open("/embedded/home/")

    def _health(self) -> int:
        return self.session.get(f"{self.base}/healthz", timeout=60).status_code

    def _deliver(self) -> int:
        _, _, body = delivery(self.hook, next(self.numbers)).partition(b"\r\n\r\n")
        address, bearer = self.base + self.hook, {"Authorization": SECRET}
        answer = self.session.post(address, data=body, headers=bearer, timeout=60)
        return answer.status_code


def slow_bodies(stack: Stack) -> Attack:
    """Anonymous: half never end their headers, half never end their body."""
    place = urlsplit(stack.base_url)

    def attack() -> None:
        form = b"POST /embedded/session/ HTTP/1.1\r\nHost: localhost\r\n"
        sockets: list[socket.socket] = []
        while True:
            for number in range(SLOW - len(sockets)):
                sock = socket.create_connection((str(place.hostname), place.port or 80), timeout=30)
                sock.sendall(
                    form + (b"Content-Length: 5000\r\n\r\n" if number % 2 else b"X-Slow: ")
                )
                sockets.append(sock)
            for sock in list(sockets):
                try:
                    sock.send(b"a")
                except OSError:
                    sock.close()
                    sockets.remove(sock)
            time.sleep(1.0)

    return attack


def big_bodies(stack: Stack) -> Attack:
    """Anonymous, to the address where signed-in people upload files."""
    place, project = urlsplit(stack.base_url), stack.procore.projects()[0]
    head = (
        f"POST /embedded/projects/{project}/estimates/upload/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {50 * MB}\r\n\r\n"
    ).encode()

    def send() -> None:
        while True:
            with (
                suppress(OSError),
                socket.create_connection((str(place.hostname), place.port or 80), timeout=30) as s,
            ):
                s.sendall(head)
                for _ in range(50):
                    s.sendall(b"x" * MB)

    def attack() -> None:
        threads = [threading.Thread(target=send, daemon=True) for _ in range(BIG)]
        for thread in threads:
            thread.start()
        threads[0].join()

    return attack


def hostile_files(stack: Stack) -> Attack:
    """From a signed-in person: files of each kind, one after another, each read to its end."""
    somebody = Visitor(stack, stack.procore.company_id).sign_in("manager")
    project = stack.procore.projects()[0]
    address = f"{stack.base_url}/embedded/projects/{project}/estimates/upload/"

    def attack() -> None:
        files = [
            (content, "a.csv" if content.startswith(b",") else "a.xlsx")
            for content, _ in ways().values()
        ]
        bearer = {"Authorization": f"Bearer {somebody.bearer}", "HX-Request": "true"}
        for content, name in itertools.cycle(files):
            file = {"file": (name, content)}
            page = somebody.web.post(address, files=file, headers=bearer, timeout=60)
            found = re.search(r"/embedded/readings/[0-9a-f-]+/", page.text)
            assert page.status_code == 200, page.status_code
            assert found, "the file was not taken in"
            while "/cancel/" in somebody.ask(found[0]).text:
                time.sleep(0.5)  # as the page does; without it the window counts as closed

    return attack


def webhook_storm(stack: Stack, hook: uuid.UUID) -> Attack:
    address = f"{stack.base_url}/webhooks/procore/{hook}/"

    def attack() -> None:
        while True:
            load(address, STORM, 60)

    return attack


@contextmanager
def under(attack: Attack) -> Iterator[None]:
    def run() -> None:
        os.nice(10)
        attack()

    process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
    process.start()
    try:
        time.sleep(4)  # until the attack is under way
        assert process.is_alive(), "the attack ended"
        yield
        assert process.is_alive(), "the attack ended"
    finally:
        process.kill()
        process.join()


def main() -> int:
    argparse.ArgumentParser(prog="benchmarks.hostile", description=__doc__).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="tieback-bench-") as folder,
        running(Path(folder) / "demo") as stack,
    ):
        stack.first_sync()
        hook = add_hook(stack.demo.environment["DATABASE_OWNER_URL"])
        victims = Victims(stack, hook)
        victims.p95()  # each process has loaded what it needs
        quiet = victims.p95()
        attacks = {
            "500 slow bodies": slow_bodies(stack),
            "20 big bodies": big_bodies(stack),
            "hostile files": hostile_files(stack),
            "500 webhooks a second": webhook_storm(stack, hook),
        }
        found = {"quiet": quiet}
        for name, attack in attacks.items():
            with under(attack):
                found[name] = victims.p95()
            time.sleep(3)
        found["quiet again"] = victims.p95()
    print(f"{'p95, ms (times the quiet run)':24}" + "".join(f"{k:>20}" for k in quiet))
    for name, row in found.items():
        cells = [f"{ms} ({ms / quiet[kind]:.1f})" for kind, ms in row.items()]
        print(f"{name:24}" + "".join(f"{cell:>20}" for cell in cells))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
