"""The whole of make demo for one test module: its own database, broker, simulator and processes."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from runtime.clock import Clock
from runtime.demo import Demo
from runtime.pooler import Pooler
from runtime.services import Database, free_port
from tests.procore import Procore
from tests.waiting import until


class PooledDemo(Demo):
    """Its app reaches Postgres through PgBouncer in transaction mode."""

    pooler: Pooler

    def _environment(self, base_url: str, database: Database) -> dict[str, str]:
        assert self.postgres is not None
        self.pooler = Pooler(self.postgres, self.folder / "pooler")
        pooled = Database(database.owner_url, self.pooler.through(database.runtime_url))
        return super()._environment(base_url, pooled)

    def stop(self) -> None:
        super().stop()
        self.pooler.stop()


class ClockedDemo(Demo):
    """The app's time of day can be set; the simulator and Postgres keep the machine's."""

    clock: Clock

    def _environment(self, base_url: str, database: Database) -> dict[str, str]:
        self.clock = Clock(self.folder / "clock")
        return super()._environment(base_url, database) | self.clock.environment


class Stack:
    """A demo watched by a thread, as make demo watches in its foreground."""

    def __init__(self, folder: Path, *, size: str = "S", kind: type[Demo] = Demo) -> None:
        self.demo = kind(folder, size=size, port=0)
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

    def first_sync(self, *, within: float = 90) -> int:
        """Installs and syncs the main company, with all its projects and plenty of calls."""
        company = self.procore.company_id
        self.procore.control("rates", per_hour=1_000_000, per_spike=100_000)
        self.procore.control("installs", company_id=company, permitted_projects="all")
        self.manage("discover")

        def done() -> bool:
            last = self.manage("status", company)["companies"][0]["last_sync"]
            return bool(last and last["state"] == "done")

        until(done, within=within)
        return company

    def kill(self, name: str) -> None:
        """SIGKILL to a process and all its children, as when a machine dies."""
        _kill_family(self.demo.processes[name].pid)

    def kill_broker(self, *, away: float = 0) -> None:
        """Loses all messages; it restarts empty at the same address, `away` seconds later."""
        assert self.demo.redis is not None
        _kill_family(self.demo.redis.process.pid)
        self.demo.redis.process.wait()
        self.over.wait(away)
        self.demo.redis.start()

    def kill_database(self, *, away: float = 0) -> None:
        """Without a checkpoint; it recovers and is back `away` seconds later."""
        assert self.demo.postgres is not None
        server = self.demo.postgres.server
        pid = server.get_pid()
        assert pid is not None
        _kill_family(pid)
        self.over.wait(away)
        server.ensure_postgres_running()

    def database_again(self) -> None:
        """Restarts it after it ended for lack of space."""
        assert self.demo.postgres is not None
        self.demo.postgres.server.ensure_postgres_running()

    def kill_pooler(self) -> None:
        """With all its connections; it restarts at the same address."""
        assert isinstance(self.demo, PooledDemo)
        assert isinstance(self.demo, PooledDemo)
        self.demo.pooler.kill()
        self.demo.pooler.start()

    def add_host(self, name: str) -> str:
        """Another web process and another worker, as on a second machine; returns its address."""
        port = free_port()
        commands = self.demo.commands
        *shell, web = commands["web"]
        commands[f"web-{name}"] = [*shell, web.replace("$PORT", str(port))]
        *shell, worker = commands["worker"]
        commands[f"worker-{name}"] = [*shell, f"{worker} --hostname {name}@%h"]
        for process in (f"web-{name}", f"worker-{name}"):
            self.demo.spawn(process)
        return f"http://localhost:{port}"

    @contextmanager
    def halted(self, name: str) -> Iterator[None]:
        """Stops a process and its children for the duration."""
        pid = self.demo.processes[name].pid
        _signal_family(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal_family(pid, signal.SIGCONT)

    def set_clock(self, seconds: int) -> None:
        """Sets the offset of the app's clock in seconds: positive is ahead of the machine's."""
        assert isinstance(self.demo, ClockedDemo)
        self.demo.clock.set(seconds)

    def stop(self) -> None:
        self.over.set()
        self.watcher.join()
        self.demo.stop()

    def _watch(self) -> None:
        while not self.over.wait(0.2):
            self.demo.restart_ended()


def _kill_family(pid: int) -> None:
    psutil.wait_procs(_signal_family(pid, signal.SIGKILL), timeout=10)


def _signal_family(pid: int, number: signal.Signals) -> list[psutil.Process]:
    process = psutil.Process(pid)
    family = [process, *process.children(recursive=True)]
    for member in family:
        with suppress(ProcessLookupError):
            os.kill(member.pid, number)
    return family


@contextmanager
def running(folder: Path, *, size: str = "S", kind: type[Demo] = Demo) -> Iterator[Stack]:
    stack = Stack(folder, size=size, kind=kind)
    try:
        yield stack
    finally:
        stack.stop()
