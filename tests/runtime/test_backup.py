"""A backup holds everything, and after a restore nothing differs from Procore."""

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
    """As DATABASE_BACKUP_URL would name it."""
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
