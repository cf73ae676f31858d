"""The whole of make demo for one test module: its own database, broker, stand-in and processes."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
        process = psutil.Process(self.demo.processes[name].pid)
        family = [*process.children(recursive=True), process]
        for member in family:
            os.kill(member.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def stop(self) -> None:
        self.over.set()
        self.watcher.join()
        self.demo.stop()

    def _watch(self) -> None:
        while not self.over.wait(0.2):
            self.demo.mend()


@contextmanager
def running(folder: Path, *, size: str = "S") -> Iterator[Stack]:
    stack = Stack(folder, size=size)
    try:
        yield stack
    finally:
        stack.stop()
