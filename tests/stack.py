"""The whole of make demo for one test module: its own database, broker, stand-in and processes."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from runtime.demo import Demo
from tests.procore import Procore


class Stack:
    """Watched from a thread, as make demo watches in its foreground."""

    def __init__(self, folder: Path, *, size: str = "S") -> None:
        self.demo = Demo(folder, size=size, port=0)
        self.demo.start()
        self.procore = Procore(self.demo.announcement)
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    @property
    def base_url(self) -> str:
        return self.demo.environment["BASE_URL"]

    def manage(self, *arguments: object) -> Any:
        return json.loads(self.demo.manage(*map(str, arguments)))

    def kill(self, name: str) -> None:
        """SIGKILL to a process and all its children, as when a machine dies."""
        _kill_family(self.demo.processes[name].pid)

    def kill_broker(self) -> None:
        """With all that it held; it comes back empty at the same address."""
        assert self.demo.redis is not None
        _kill_family(self.demo.redis.process.pid)
        self.demo.redis.process.wait()
        self.demo.redis.start()

    def kill_database(self) -> None:
        """Without a checkpoint; it comes back by recovery."""
        assert self.demo.postgres is not None
        server = self.demo.postgres.server
        pid = server.get_pid()
        assert pid is not None
        _kill_family(pid)
        server.ensure_postgres_running()

    def stop(self) -> None:
        self.over.set()
        self.watcher.join()
        self.demo.stop()

    def _watch(self) -> None:
        while not self.over.wait(0.2):
            self.demo.mend()


def _kill_family(pid: int) -> None:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    for member in family:
        with suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)


@contextmanager
def running(folder: Path, *, size: str = "S") -> Iterator[Stack]:
    stack = Stack(folder, size=size)
    try:
        yield stack
    finally:
        stack.stop()
