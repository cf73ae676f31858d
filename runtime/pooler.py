"""PgBouncer in transaction mode, in front of the embedded Postgres: for tests and benchmarks.

Debian's package `pgbouncer`, which make setup installs where it can.
"""

import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from runtime import debian
from runtime.services import CannotStart, Postgres, free_port

BINARIES = ("pgbouncer", "/usr/sbin/pgbouncer")
SERVERS = 12  # connections to Postgres for each role; far fewer than PgBouncer's clients
SYSTEM_USER = "embedded_postgres"  # PgBouncer refuses to run as root, like Postgres
SETTINGS = """
[databases]
* = host={host}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
log_connections = 0
log_disconnections = 0
"""


def find() -> str | None:
    return next((found for name in BINARIES if (found := shutil.which(name))), None)


class Pooler:
    """Restarts at the same port, so that its clients need no new address."""

    def __init__(self, postgres: Postgres, folder: Path, port: int = 0) -> None:
        self.binary = find()
        if self.binary is None:
            raise CannotStart("PgBouncer is not installed: make setup, or the package pgbouncer.")
        self.port, self.folder = port or free_port(), folder
        folder.mkdir(parents=True, exist_ok=True)
        users = folder / "users.txt"
        users.write_text('"tieback_owner" ""\n"tieback_app" ""\n"postgres" ""\n')
        text = SETTINGS.format(
            host=postgres.host, port=self.port, users=users, servers=SERVERS, folder=folder
        )
        self.settings = folder / "pgbouncer.ini"
        self.settings.write_text(text)
        self._let_in(folder)
        self.start()

    def start(self) -> None:
        """Raises CannotStart."""
        assert self.binary is not None
        command = [self.binary, str(self.settings)]
        if os.geteuid() == 0:
            command = [self.binary, "-u", SYSTEM_USER, str(self.settings)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                psycopg.connect(
                    host="127.0.0.1", port=self.port, user="postgres", dbname="postgres",
                    connect_timeout=2,
                ).close()  # fmt: skip
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        raise CannotStart(f"PgBouncer does not start: see {self.folder}/pgbouncer.log.")

    def through(self, url: str) -> str:
        """The URL of the same role and database through the pooler."""
        parts = urlsplit(url)
        return f"postgresql://{parts.username}@127.0.0.1:{self.port}{parts.path}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def kill(self) -> None:
        """Ends it with all its connections, as when its host dies."""
        self.process.kill()
        self.process.wait(timeout=20)

    @staticmethod
    def _let_in(folder: Path) -> None:
        """Lets PgBouncer's system user read its settings and write its log there."""
        if os.geteuid() == 0:
            owner = pwd.getpwnam(SYSTEM_USER)
            for path in (folder, *folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            for above in folder.parents:
                if above.stat().st_uid == 0 and above != Path(above.root):
                    above.chmod(above.stat().st_mode | 0o011)


def obtain() -> int:
    """For make setup, as root; without it, the tests behind a pooler say what to install."""
    if find() is None:
        debian.install("pgbouncer")
    if find() is None:
        print("Tests behind a pooler need PgBouncer. Install the package pgbouncer yourself.")
    return 0


if __name__ == "__main__":
    sys.exit(obtain())
