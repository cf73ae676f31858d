"""Loaded before Django (pyproject: -p tests.environment): real Postgres, broker and simulator.

Their addresses are set here, but nothing runs yet: the first test that needs the services starts
them (the fixture `schema`), so that a test of plain functions takes a second or two. One of each
serves the whole run, on free ports; all are stopped at the end.
"""

import atexit
import json
import os
import secrets
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.fernet import Fernet

from runtime.pooler import Pooler
from runtime.services import Postgres, Redis, free_port

ROOT = Path(__file__).resolve().parent.parent
NAME = "tieback_tests"
FOLDER = tempfile.TemporaryDirectory(prefix="tieback-tests-")
SOCKET = Path(FOLDER.name) / "socket"  # a symlink to the server's socket folder
BASE_URL = f"http://localhost:{free_port()}"
LOGIN, API, FRAME, REDIS, POOLER = (free_port() for _ in range(5))
REDIS_PASSWORD, CLIENT_ID, CLIENT_SECRET = (secrets.token_hex(16) for _ in range(3))
# POOLED=1 runs the same tests behind PgBouncer in transaction mode.
POOLED = bool(os.environ.get("POOLED"))


def _url(user: str) -> str:
    return f"postgresql://{user}@/{NAME}?host={quote(str(SOCKET), safe='')}"


def _pooled(user: str) -> str:
    return f"postgresql://{user}@127.0.0.1:{POOLER}/{NAME}"


SUPERUSER_URL = _url("postgres")  # for what must bypass every guard
os.environ.update(
    {
        "DJANGO_SETTINGS_MODULE": "partner_app.settings",
        "BASE_URL": BASE_URL,
        "SECRET_KEY": "only-for-tests-of-one-run-and-never-anywhere-else-0123456789",
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "DATABASE_OWNER_URL": _url("tieback_owner"),
        "DATABASE_URL": _pooled("tieback_app") if POOLED else _url("tieback_app"),
        "CELERY_BROKER_URL": Redis.url_of(REDIS, REDIS_PASSWORD),
        "PROCORE_LOGIN_URL": f"http://127.0.0.1:{LOGIN}",
        "PROCORE_API_URL": f"http://127.0.0.1:{API}",
        "PROCORE_CLIENT_ID": CLIENT_ID,
        "PROCORE_CLIENT_SECRET": CLIENT_SECRET,
        "PROCORE_FRAME_ANCESTORS": f"http://procore.localhost:{FRAME}",
        # Only the simulator's headers limit calls: tests of the plan set their own.
        "PROCORE_CALLS_PER_MINUTE": "0",
        "PROCORE_CALLS_PER_HOUR": "0",
    }
)


def start_simulator(base_url: str, *options: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "simulator",
            "--redirect-uri",
            f"{base_url}/oauth/callback/",
            *options,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@cache
def services() -> dict[str, Any]:
    """Starts the services once; returns what the simulator announced."""
    folder = Path(FOLDER.name)
    postgres, redis = Postgres(folder / "postgres"), Redis(REDIS, REDIS_PASSWORD)
    postgres.database(NAME)
    SOCKET.symlink_to(postgres.host)
    pooler = Pooler(postgres, folder / "pooler", POOLER) if POOLED else None
    ports = ("--login-port", LOGIN, "--api-port", API, "--frame-port", FRAME)
    # Benchmarks use a larger company than tests.
    size = os.environ.get("STAND_IN_SIZE", "S")
    client = ("--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET)
    simulator, announcement = start_simulator(
        BASE_URL, "--size", size, *client, *(str(each) for each in ports)
    )

    def end() -> None:
        simulator.terminate()
        simulator.wait(timeout=20)
        redis.stop()
        if pooler:
            pooler.stop()
        postgres.stop()
        FOLDER.cleanup()

    atexit.register(end)
    return announcement
