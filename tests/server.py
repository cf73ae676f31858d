"""The web server as in production, on this test run's database and broker."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from runtime.services import free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def say(self, raw: bytes) -> bytes:
        """Sends the bytes, and returns all that comes until the server ends the connection."""
        with self.connect() as sock:
            sock.sendall(raw)
            return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    found = b""
    while piece := sock.recv(65536):
        found += piece
    return found


@contextmanager
def serving() -> Iterator[Server]:
    """Runs Procfile's line for `web` on its own port."""
    port = free_port()
    lines = (ROOT / "Procfile").read_text().splitlines()
    [web] = [line.partition(":")[2] for line in lines if line.startswith("web:")]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {web}"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port), "PATH": path},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Server(process, port)

    def answers() -> bool:
        assert process.poll() is None, "it ended"
        try:
            return requests.get(f"{server.url}/healthz", timeout=5).ok
        except requests.ConnectionError:
            return False

    try:
        until(answers, within=60)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
