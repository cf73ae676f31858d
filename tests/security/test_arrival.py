"""A request takes a thread only once it has arrived whole, seen from outside the real server."""

import json
import selectors
import signal
import socket
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import psycopg
import pytest
import requests

from integrations.procore.webhooks.models import WebhookEvent, WebhookHook
from partner_app.core.arrival import LARGEST_HEAD
from partner_app.core.bodies import ORDINARY
from partner_app.core.secrets import fingerprint
from partner_app.core.web_server import THREADS, WORKERS
from partner_app.estimates.models import FileReading
from partner_app.tenancy.context import tenant
from tests.environment import SUPERUSER_URL
from tests.frame import Frame
from tests.server import Server, read_all, serving
from tests.waiting import until

SLOW = 500  # clients
ASKS = 30  # requests of each kind
FACTOR = 4.0  # if a thread were held, the answer would never come
SECRET = "Bearer of-this-hook-alone"
FORM = (
    b"POST /embedded/session/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


class Slow:
    """Many connections that send a byte now and then, from one thread."""

    def __init__(self, server: Server, number: int) -> None:
        self.sockets = [server.connect() for _ in range(number)]
        for place, sock in enumerate(self.sockets):
            head = FORM + (b"Content-Length: 5000\r\n\r\n" if place % 2 else b"X-Slow: ")
            sock.sendall(head)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._dribble)
        self.thread.start()

    def _dribble(self) -> None:
        while not self.over.wait(1.0):
            for sock in self.sockets:
                try:
                    sock.send(b"a")
                except OSError:
                    continue  # the server ended it

    def held(self) -> int:
        """Connections that the server has neither answered nor ended."""
        with selectors.DefaultSelector() as found:
            for sock in self.sockets:
                found.register(sock, selectors.EVENT_READ)
            return len(self.sockets) - len(found.select(timeout=0))

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        for sock in self.sockets:
            sock.close()


def asks(server: Server, admin: Frame) -> dict[str, Callable[[], Any]]:
    hook = WebhookHook.objects.create(company_id=admin.company_id, secret_hash=fingerprint(SECRET))
    project = admin.procore.projects()[0]
    session = requests.Session()
    session.trust_env = False

    def deliver() -> Any:
        body = {"id": uuid.uuid4().hex, "resource_type": "RFIs", "project_id": str(project)}
        address = f"{server.url}/webhooks/procore/{hook.key}/"
        return session.post(address, json=body, headers={"Authorization": SECRET}, timeout=60)

    def look() -> Any:
        bearer = {"Authorization": f"Bearer {admin.bearer}"}
        return session.get(f"{server.url}/embedded/home/", headers=bearer, timeout=60)

    return {
        "healthz": lambda: session.get(f"{server.url}/healthz", timeout=60),
        "webhook": deliver,
        "page": look,
    }


def typical(ask: Callable[[], Any]) -> float:
    """The median seconds of an answer."""
    times = []
    for _ in range(ASKS):
        began = time.perf_counter()
        answer = ask()
        times.append(time.perf_counter() - began)
        assert answer.status_code in (200, 202), answer.text
    return statistics.median(times)


def test_slow_senders_by_the_hundred_keep_nobody_waiting(server: Server, admin: Frame) -> None:
    kinds = asks(server, admin)
    for ask in kinds.values():
        typical(ask)  # both processes have loaded what they need
    quiet = {name: typical(ask) for name, ask in kinds.items()}
    slow = Slow(server, SLOW)
    try:
        assert slow.held() == SLOW
        under = {name: typical(ask) for name, ask in kinds.items()}
        assert slow.held() >= SLOW // 2, "they were not there any more"
        until(lambda: slow.held() <= SLOW // 2)  # the server ends heads that never end
        assert slow.sockets[0].recv(100).startswith(b"HTTP/1.1 408 ")
    finally:
        slow.stop()
    assert {n: round(under[n] / quiet[n], 1) for n in under if under[n] > quiet[n] * FACTOR} == {}


@pytest.mark.parametrize("path", ["/embedded/session/", "/accounts/login/", "/healthz", "/none/"])
def test_a_large_body_is_answered_before_any_of_it_is_sent(server: Server, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**10}\r\n\r\n"
    answer = server.say(head.encode())
    status = int(answer.split()[1])
    assert status in {"/healthz": {405}, "/none/": {404}}.get(path, {413})
    assert b"connection: close" in answer


def test_who_sends_it_all_the_same_can_read_why_it_was_refused(server: Server) -> None:
    answer = server.say(FORM + b"Content-Length: 1000000\r\n\r\n" + b"a" * 1_000_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too large" in answer


def test_a_body_in_chunks_is_refused_unread(server: Server) -> None:
    answer = server.say(FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")
    assert answer.startswith(b"HTTP/1.1 411 ")


def test_a_head_has_an_end(server: Server) -> None:
    with server.connect() as sock, pytest.raises(ConnectionError):
        sock.sendall(FORM + b"X: " + b"a" * 100_000_000)  # the server cuts it off
    many = b"".join(b"X-%d: aaaaaaaaaa\r\n" % n for n in range(LARGEST_HEAD // 10))
    assert server.say(FORM + many + b"\r\n").startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "raw",
    [
        b"no http at all\r\n\r\n",
        b"GET /?a=\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        FORM + b"Content-Length: -1\r\n\r\n",
        FORM + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg",
        FORM + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(server: Server, raw: bytes) -> None:
    assert server.say(raw).startswith(b"HTTP/1.1 400 ")


def test_a_header_that_only_looks_like_the_proxys_is_not_taken_for_it(server: Server) -> None:
    """WSGI would turn both spellings into one name."""
    head = b"GET /none/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    assert b"<!doctype" not in server.say(head + b"HX-Request: true\r\n\r\n")
    assert b"<!doctype" in server.say(head + b"HX_Request: true\r\n\r\n")


def test_requests_one_after_the_other_share_a_connection(server: Server) -> None:
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert server.say(ask + ask + last).count(b'{"alive": true}') == 3


def test_a_webhook_waits_for_no_page(server: Server, admin: Frame) -> None:
    """Every thread for pages waits for the database, and deliveries are still stored."""
    kinds = asks(server, admin)
    assert kinds["webhook"]().status_code == 202
    with ThreadPoolExecutor(40) as pool:
        with psycopg.connect(SUPERUSER_URL) as held:
            held.execute("LOCK TABLE embedded_embeddedsession IN ACCESS EXCLUSIVE MODE")
            bearer = {"Authorization": f"Bearer {admin.bearer}"}
            address = f"{server.url}/embedded/home/"
            pages = [
                pool.submit(requests.get, address, headers=bearer, timeout=60) for _ in range(40)
            ]
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            until(lambda: held.execute(waiting).fetchone() == (WORKERS * THREADS,))
            assert [kinds["webhook"]().status_code for _ in range(20)] == [202] * 20
            assert not any(page.done() for page in pages)
        assert {page.result().status_code for page in pages} == {200}
    assert WebhookEvent.objects.count() == 21


def upload(admin: Frame, size: int) -> tuple[bytes, bytes]:
    """Head and body of an estimate of at least `size` bytes."""
    project = admin.procore.projects()[0]
    rows = b"Item,Description,Unit,Amount\n1,Concrete,m3,10\n"
    rows += b"\n" * max(0, size - len(rows))
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + rows
        + b"\r\n--x--\r\n"
    )
    head = (
        f"POST /embedded/projects/{project}/estimates/upload/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {admin.bearer}\r\nHX-Request: true\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


def test_a_file_arrives_from_whoever_has_signed_in(server: Server, admin: Frame) -> None:
    head, body = upload(admin, ORDINARY * 3)
    answer = server.say(head + body)
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    with tenant(admin.company_id):
        assert FileReading.objects.count() == 1


def test_a_strangers_file_is_not_taken_in(server: Server, admin: Frame) -> None:
    admin.bearer = "nobody"
    head, _ = upload(admin, ORDINARY * 3)
    assert server.say(head).startswith(b"HTTP/1.1 401 ")  # without any of its body


def test_a_person_sends_two_files_at_a_time_and_not_more(server: Server, admin: Frame) -> None:
    """Each process counts separately, so at least one of five is rejected."""
    head, body = upload(admin, ORDINARY * 3)
    with ThreadPoolExecutor(5) as pool:
        held = [server.connect() for _ in range(5)]
        for sock in held:
            sock.sendall(head + body[:1000])
        with selectors.DefaultSelector() as ready:
            for sock in held:
                ready.register(sock, selectors.EVENT_READ)
            refused = [key.fileobj for key, _ in ready.select(timeout=30)]
        assert refused
        assert isinstance(refused[0], socket.socket)
        assert read_all(refused[0]).startswith(b"HTTP/1.1 429 ")
        rest = [sock for sock in held if sock not in refused]
        for sock in rest:
            sock.sendall(body[1000:])
        answers = list(pool.map(read_all, rest))
    assert all(answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 429 ")) for answer in answers)
    for sock in held:
        sock.close()


def test_whoever_hangs_up_in_the_middle_leaves_nothing(server: Server, admin: Frame) -> None:
    hook = WebhookHook.objects.create(company_id=admin.company_id, secret_hash=fingerprint(SECRET))
    body = json.dumps({"id": "1", "resource_type": "RFIs"}).encode()
    head = (
        f"POST /webhooks/procore/{hook.key}/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {SECRET}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with server.connect() as sock:
        sock.sendall(head + body[:-1])
    head_of_file, file = upload(admin, ORDINARY * 20)
    with server.connect() as sock:
        sock.sendall(head_of_file + file[:-1])
    assert server.say(head + body).startswith(b"HTTP/1.1 202 ")
    assert WebhookEvent.objects.count() == 1
    with tenant(admin.company_id):
        assert not FileReading.objects.exists()


def workers(server: Server) -> list[psutil.Process]:
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [each for each in children if "spawn_main" in " ".join(each.cmdline())]


def lives(process: psutil.Process) -> bool:
    return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE


def test_it_ends_within_ten_seconds_whatever_is_under_way() -> None:
    with serving() as server, server.connect() as sock:
        sock.sendall(FORM + b"Content-Length: 100\r\n\r\n")
        processes = workers(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=10) == 0
        assert not any(map(lives, processes))


def test_a_killed_server_leaves_no_process_that_holds_its_port() -> None:
    with serving() as server:
        processes = workers(server)
        assert len(processes) == 2
        server.process.kill()
        until(lambda: not any(map(lives, processes)))
