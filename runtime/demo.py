"""make demo: everything on one bare machine, from the database to an address for the browser."""

import argparse
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO, Any

import psutil
import psycopg
from cryptography.fernet import Fernet

from runtime.services import CannotStart, Database, Postgres, Redis, free_port

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"
SMALLEST_DISK = 500 * 1024 * 1024  # bytes
ENDS, WITHIN = 3, 20  # after 3 ends of one process within 20 seconds, give up
PATIENCE = 90  # seconds until everything must answer


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


class Demo:
    """Starts processes in order, stops them in reverse; identifies them by process id."""

    def __init__(self, folder: Path, *, size: str, port: int, reload: bool = False) -> None:
        """With `reload`, each process restarts when its Python changes; nothing else is cached."""
        self.folder, self.size, self.reload = folder, size, reload
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.logs: list[IO[bytes]] = []
        self.postgres: Postgres | None = None
        self.redis: Redis | None = None
        self.book = folder / "processes.json"
        self.saved: dict[str, Any] = {}
        self.wanted_port = port
        self.address = ""
        self.announcement: dict[str, Any] = {}
        self.set_up_link = ""
        self.environment: dict[str, str] = {}
        self.commands: dict[str, list[str]] = {}  # by name in Procfile
        self.ends: dict[str, list[float]] = {}

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.folder).free < SMALLEST_DISK:
            raise CannotStart(f"The disk of {self.folder} is nearly full: 500 MB are needed.")
        self._lock()
        self._end_earlier_run()
        self._load()
        self.postgres = Postgres(self.folder / "postgres")
        database = self.postgres.database("tieback")
        self.redis = Redis()
        self._write_book()
        port = free_port(self.wanted_port)
        base_url = f"http://localhost:{port}"
        connected = _connected_companies(database)
        self._start_simulator(base_url, connected)
        environment = self._environment(base_url, database)
        _write_private(
            self.folder / "demo.env",
            "".join(f"export {key}='{value}'\n" for key, value in environment.items()),
        )
        self.environment = {**os.environ, **environment, "PORT": str(port)}
        for command in ("provision_database", "migrate", "provision_database"):
            self.manage(command)
        self.set_up_link = self._invite()
        for line in (ROOT / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            if self.reload:
                command = _reloading(command)
            self.commands[name] = ["/bin/sh", "-c", "exec " + command.strip()]
            self.spawn(name)
        self._wait_for(f"http://127.0.0.1:{port}/readyz")
        self.address = self.announcement["frame"] + "/"

    def watch(self) -> None:
        """Runs until stopped. Restarts a process that ended, as a platform would."""
        while True:
            self.restart_ended()
            time.sleep(0.3)

    def restart_ended(self) -> None:
        """Raises CannotStart if the simulator ended (its world is lost) or one ends repeatedly."""
        for name, process in list(self.processes.items()):
            code = process.poll()
            if code is None:
                continue
            ends = self.ends.setdefault(name, [])
            ends.append(time.monotonic())
            if name not in self.commands or (len(ends) >= ENDS and ends[-1] - ends[-ENDS] < WITHIN):
                log = self.folder / f"{name}.log"
                raise CannotStart(f"{name} ended unexpectedly; its last words are in {log}.")
            _signal_group(process.pid, signal.SIGKILL)  # children it may have left behind
            print(f"{name} ended ({code}) and is started again.", file=sys.stderr, flush=True)
            self.spawn(name)

    def spawn(self, name: str) -> None:
        """Starts a process by its command; `watch` restarts it when it ends."""
        self._spawn(name, self.commands[name], self.environment)

    def end(self, name: str) -> None:
        """Ends one process for good, as when an operator takes it out of service."""
        process = self.processes.pop(name)
        _signal_group(process.pid, signal.SIGTERM)
        process.wait(timeout=20)

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            _signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        for process in self.processes.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process.pid, signal.SIGKILL)
                process.wait()
        if self.redis:
            self.redis.stop()
        if self.postgres:
            self.postgres.stop()
        self.book.unlink(missing_ok=True)

    def _lock(self) -> None:
        """Held by the kernel, so that a killed run leaves no stale lock."""
        self.lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"Another make demo is running on {self.folder}. Stop it with Ctrl-C first."
            ) from None

    def _end_earlier_run(self) -> None:
        """Ends processes of a run that was killed: only our own, by process id and start time."""
        if not self.book.exists():
            return
        try:
            entries = json.loads(self.book.read_text())
        except ValueError:
            entries = []
        for pid, created in entries:
            try:
                process = psutil.Process(pid)
                if abs(process.create_time() - created) < 1:
                    _signal_group(pid, signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        self.book.unlink()

    def _load(self) -> None:
        path = self.folder / "secrets.json"
        if path.exists():
            self.saved = json.loads(path.read_text())
            return
        self.saved = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "client_id": secrets.token_hex(32),
            "client_secret": secrets.token_hex(32),
        }
        _write_private(path, json.dumps(self.saved))

    def _invite(self) -> str:
        """Prints a new one-time link at each start, until a partner admin has used one."""
        admins = json.loads(self.manage("create_partner_admin", "--unless-set-up"))
        return str(admins["set_up_link"])

    def _start_simulator(self, base_url: str, connected: list[int]) -> None:
        command = [str(PYTHON), "-m", "simulator", "--size", self.size, "--bare"]
        command += ["--redirect-uri", f"{base_url}/oauth/callback/"]
        command += ["--client-id", self.saved["client_id"]]
        command += ["--client-secret", self.saved["client_secret"]]
        process = self._spawn("simulator", command, dict(os.environ), pipe=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise CannotStart(f"The stand-in does not start: see {self.folder / 'simulator.log'}.")
        self.announcement = json.loads(line)
        # The simulator forgets when it stops; install again what was installed before.
        for company_id in connected:
            body = json.dumps({"company_id": company_id, "permitted_projects": "all"}).encode()
            address = self.announcement["control"] + "/installs"
            with urllib.request.urlopen(address, data=body, timeout=10):
                pass

    def _environment(self, base_url: str, database: Database) -> dict[str, str]:
        assert self.redis is not None
        return {
            "BASE_URL": base_url,
            "SECRET_KEY": self.saved["SECRET_KEY"],
            "FIELD_ENCRYPTION_KEYS": self.saved["FIELD_ENCRYPTION_KEYS"],
            "DATABASE_OWNER_URL": database.owner_url,
            "DATABASE_URL": database.runtime_url,
            "CELERY_BROKER_URL": self.redis.url,
            "PROCORE_LOGIN_URL": self.announcement["login"],
            "PROCORE_API_URL": self.announcement["api"],
            "PROCORE_CLIENT_ID": self.saved["client_id"],
            "PROCORE_CLIENT_SECRET": self.saved["client_secret"],
            "PROCORE_ALLOWED_COMPANIES": "",
            "PROCORE_FRAME_ANCESTORS": self.announcement["frame"],
            # The simulator has calls to spare, and nobody who tries the demo should wait.
            "PROCORE_CALLS_PER_MINUTE": "0",
            "PROCORE_CALLS_PER_HOUR": "0",
            "DISCOVER_EVERY_SECONDS": "30",
            "WEBHOOKS_ENABLED": "1",
            "DEVELOPMENT": "1" if self.reload else "0",
        }

    def manage(self, *arguments: str) -> str:
        """Runs a management command with the demo's environment; returns its stdout."""
        done = subprocess.run(
            [PYTHON, ROOT / "manage.py", *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _spawn(
        self, name: str, command: list[str], environment: dict[str, str], *, pipe: bool = False
    ) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab" if name in self.processes else "wb")
        self.logs.append(log)
        environment = {**environment, "PATH": f"{PYTHON.parent}:{environment.get('PATH', '')}"}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipe else log,
            stderr=log,
            start_new_session=True,
        )
        self.processes[name] = process
        self._write_book()
        return process

    def _write_book(self) -> None:
        started = list(self.processes.values())
        if self.redis:
            started.append(self.redis.process)
        entries = []
        for process in started:
            try:
                entries.append((process.pid, psutil.Process(process.pid).create_time()))
            except psutil.NoSuchProcess:
                continue
        self.book.write_text(json.dumps(entries))

    def _wait_for(self, address: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    tail = (self.folder / f"{name}.log").read_text()[-1500:]
                    raise CannotStart(f"{name} does not start:\n{tail}")
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise CannotStart(f"{address} does not answer; see the logs in {self.folder}.")


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _connected_companies(database: Database) -> list[int]:
    """Companies of an earlier run; none if the tables do not exist yet."""
    with psycopg.connect(database.owner_url) as connection:
        exists = connection.execute("SELECT to_regclass('tenancy_company')").fetchone()
        if exists is None or exists[0] is None:
            return []
        rows = connection.execute(
            "SELECT id FROM tenancy_company "
            "WHERE state IN ('active', 'degraded', 'reconnect_needed')"
        )
        return [row[0] for row in rows.fetchall()]


def _reloading(command: str) -> str:
    if "web_server" in command:
        return f"{command} --reload"
    return f"watchfiles --filter python '{command.strip()}' partner_app integrations"


def _signal_group(pid: int, number: signal.Signals) -> None:
    """Each process leads a session of its own, so this reaches its children too."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--size", choices=["S", "M", "L"], default="S")
    parser.add_argument("--port", type=int, default=8000, help="taken if free")
    parser.add_argument("--reload", action="store_true", help="processes follow the source")
    parser.add_argument("--data", type=Path, default=ROOT / ".data" / "demo")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _raise_stopped)
    demo = Demo(
        arguments.data.resolve(),
        size=arguments.size,
        port=arguments.port,
        reload=arguments.reload,
    )
    try:
        demo.start()
        print(
            f"Tieback runs. Open {demo.address} in a browser; Ctrl-C stops everything.", flush=True
        )
        if demo.set_up_link:
            print(f"Dashboard, to be set up once: {demo.set_up_link}", flush=True)
        demo.watch()
    except Stopped:
        return 0
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
