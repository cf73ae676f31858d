"""A missing or malformed variable stops start-up with its name and what it should be."""

import os
import subprocess
import sys

import pytest

from partner_app.settings import VARIABLES
from tests.house.test_rules import ROOT

MAY_BE_MISSING = {
    "EMAIL_URL", "EMAIL_FROM", "PROCORE_ALLOWED_COMPANIES", "WEBHOOKS_ENABLED", "SUPPORT_EMAIL",
    "OTEL_EXPORTER_OTLP_ENDPOINT", "DATABASE_BACKUP_URL",
}  # fmt: skip
MALFORMED = {
    "BASE_URL": "tieback.example",
    "FIELD_ENCRYPTION_KEYS": "short",
    "DATABASE_URL": "postgresql:/ /",
    "PROCORE_LOGIN_URL": "https://login.procore.com/path",
    "PROCORE_ALLOWED_COMPANIES": "12,acme",
    "WEBHOOKS_ENABLED": "yes",
}


def start(**changes: str | None) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in changes}
    environment |= {key: value for key, value in changes.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", "import partner_app.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def test_with_all_of_them_it_starts() -> None:
    assert start() == ""


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_one_is_named(name: str) -> None:
    line = start(**{name: None})
    assert (line == "") if name in MAY_BE_MISSING else f"{name} is missing: it should be" in line


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_one_is_named_and_its_value_is_not_shown(name: str) -> None:
    line = start(**{name: MALFORMED[name]})
    assert f"{name} is malformed" in line
    assert MALFORMED[name] not in line
