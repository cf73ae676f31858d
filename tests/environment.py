"""Loaded before Django (pyproject: -p tests.environment): real Postgres, broker and stand-in.

One of each for the whole run, on free ports; all are stopped at the end.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from runtime.pooler import Pooler
from runtime.services import Postgres, Redis, free_port

ROOT = Path(__file__).resolve().parent.parent


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


def _begin() -> tuple[dict[str, Any], str]:
    folder = tempfile.TemporaryDirectory(prefix="tieback-tests-")
    postgres, redis = Postgres(Path(folder.name) / "postgres"), Redis()
    database = postgres.database("tieback_tests")
    # POOLED=1 runs the same tests behind PgBouncer in transaction mode.
    pooler = Pooler(postgres, Path(folder.name) / "pooler") if os.environ.get("POOLED") else None
    port = free_port()
    base_url = f"http://localhost:{port}"
    # Benchmarks ask for a larger company than tests need.
    size = os.environ.get("STAND_IN_SIZE", "S")
    simulator, announcement = start_simulator(base_url, "--size", size)

    def end() -> None:
        simulator.terminate()
        simulator.wait(timeout=20)
        redis.stop()
        if pooler:
            pooler.stop()
        postgres.stop()
        folder.cleanup()

    atexit.register(end)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "partner_app.settings",
            "BASE_URL": base_url,
            "SECRET_KEY": "only-for-tests-of-one-run-and-never-anywhere-else-0123456789",
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "DATABASE_OWNER_URL": database.owner_url,
            "DATABASE_URL": pooler.through(database.runtime_url)
            if pooler
            else database.runtime_url,
            "CELERY_BROKER_URL": redis.url,
            "PROCORE_LOGIN_URL": announcement["login"],
            "PROCORE_API_URL": announcement["api"],
            "PROCORE_CLIENT_ID": announcement["client_id"],
            "PROCORE_CLIENT_SECRET": announcement["client_secret"],
            "PROCORE_FRAME_ANCESTORS": announcement["frame"],
            # The stand-in's headers alone: tests of the plan set their own.
            "PROCORE_CALLS_PER_MINUTE": "0",
            "PROCORE_CALLS_PER_HOUR": "0",
        }
    )
    return announcement, postgres.superuser_url("tieback_tests")


ANNOUNCEMENT, SUPERUSER_URL = _begin()
