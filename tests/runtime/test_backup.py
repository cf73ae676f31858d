"""A backup contains everything, and after a restore nothing differs from Procore."""

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from integrations.procore.sync.verify import verify
from partner_app.connections.doctor import examine
from partner_app.core import clock
from partner_app.core.backup import BackupFailed, backup, restore
from partner_app.tenancy.models import Company


@pytest.fixture
def superuser(settings: Any) -> str:
    """The superuser, as in DATABASE_BACKUP_URL."""
    settings.BACKUP_ACCESS = {**settings.BACKUP_ACCESS, "PGUSER": "postgres"}
    return os.environ["DATABASE_OWNER_URL"].replace("tieback_owner@", "postgres@")


def test_after_backup_drop_and_restore_nothing_differs(
    synced: int, superuser: str, tmp_path: Path
) -> None:
    file = tmp_path / "tieback.dump"
    assert int(str(backup(file)["bytes"])) > 10_000
    for each in connections.all():
        each.close()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("DROP OWNED BY tieback_app")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public AUTHORIZATION tieback_owner")
    restore(file)
    assert Company.objects.filter(id=synced).exists()
    found = verify(company_id=synced, wait=clock.wait_until)
    assert found["drift"] == 0
    examined = examine()
    assert examined["ok"], examined


def test_a_restore_takes_the_place_of_what_is_there(
    synced: int, superuser: str, tmp_path: Path
) -> None:
    file = tmp_path / "tieback.dump"
    backup(file)
    Company.objects.filter(id=synced).update(name="Renamed since")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE TABLE made_since (id bigint)")
    restore(file)
    assert Company.objects.get(id=synced).name != "Renamed since"
    with psycopg.connect(superuser) as connection:
        assert connection.execute("SELECT to_regclass('made_since')").fetchone() == (None,)


def test_a_damaged_backup_leaves_everything_as_it_is(
    synced: int, superuser: str, tmp_path: Path
) -> None:
    file = tmp_path / "tieback.dump"
    backup(file)
    content = file.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-200], b"no backup"):
        file.write_bytes(damaged)
        with pytest.raises(BackupFailed):
            restore(file)
        assert Company.objects.filter(id=synced).exists()


def test_a_role_that_rows_are_hidden_from_cannot_make_half_a_backup(
    synced: int, tmp_path: Path
) -> None:
    with pytest.raises(BackupFailed) as caught:
        backup(tmp_path / "half.dump")
    assert "row-level security" in caught.value.message


def test_an_earlier_backup_is_never_written_over(superuser: str, tmp_path: Path) -> None:
    file = tmp_path / "tieback.dump"
    file.write_text("earlier")
    with pytest.raises(BackupFailed):
        backup(file)
    assert file.read_text() == "earlier"
