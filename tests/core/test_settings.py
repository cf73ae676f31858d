"""A missing or malformed variable stops start-up, with its name and the expected form."""

import os
import subprocess
import sys
import tomllib

import pytest
from django.conf import settings

from partner_app.settings import VARIABLES
from tests.house.test_rules import ROOT

pytestmark = pytest.mark.slow  # each starts an interpreter
MAY_BE_MISSING = {
    "EMAIL_URL", "EMAIL_FROM", "PROCORE_ALLOWED_COMPANIES", "WEBHOOKS_ENABLED", "SUPPORT_EMAIL",
    "OTEL_EXPORTER_OTLP_ENDPOINT", "DATABASE_BACKUP_URL", "DATABASE_OWNER_URL",
    "DATABASE_REPLICA_URL", "DEVELOPMENT", "METRICS_TOKEN",
    "PROCORE_CALLS_PER_MINUTE", "PROCORE_CALLS_PER_HOUR", "DISCOVER_EVERY_SECONDS",
    "PROCORE_SUSPECT_SHARE", "PROCORE_SUSPECT_FLOOR", "PROCORE_CLOSE_AT_MOST",
}  # fmt: skip
MALFORMED = {
    "BASE_URL": "tieback.example",
    "SECRET_KEY": "short",
    "METRICS_TOKEN": "brief",
    "FIELD_ENCRYPTION_KEYS": "short",
    "DATABASE_URL": "postgresql:/ /",
    "PROCORE_LOGIN_URL": "https://login.procore.com/path",
    "PROCORE_ALLOWED_COMPANIES": "12,acme",
    "PROCORE_FRAME_ANCESTORS": "https://app.procore.com https://*procore.com",
    "WEBHOOKS_ENABLED": "yes",
    "DEVELOPMENT": "yes",
    "PROCORE_SUSPECT_SHARE": "101",
    "PROCORE_SUSPECT_FLOOR": "ten",
    "PROCORE_CLOSE_AT_MOST": "-2",
}
# Login, API and frame origins.
PRODUCTION = ("https://login.procore.com", "https://api.procore.com", "https://*.procore.com")
SANDBOX = (
    "https://login-sandbox.procore.com", "https://sandbox.procore.com",
    "https://sandbox.procore.com",
)  # fmt: skip
FEDERAL = (
    "https://login.procoregov.com", "https://api.procoregov.com",
    "https://app.procoregov.com https://*.procoregov.com",
)  # fmt: skip
ADDRESSES = ("PROCORE_LOGIN_URL", "PROCORE_API_URL", "PROCORE_FRAME_ANCESTORS")


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


@pytest.mark.parametrize("addresses", [PRODUCTION, SANDBOX, FEDERAL])
def test_each_environment_of_procores_starts(addresses: tuple[str, ...]) -> None:
    assert start(**dict(zip(ADDRESSES, addresses, strict=True))) == ""


@pytest.mark.parametrize(
    ("addresses", "named"),
    [
        ((FEDERAL[0], PRODUCTION[1], FEDERAL[2]), "PROCORE_API_URL"),
        ((PRODUCTION[0], FEDERAL[1], PRODUCTION[2]), "PROCORE_API_URL"),
        ((SANDBOX[0], PRODUCTION[1], SANDBOX[2]), "PROCORE_API_URL"),
        ((PRODUCTION[0], "https://gateway.example", PRODUCTION[2]), "PROCORE_API_URL"),
        (("https://login.example", FEDERAL[1], FEDERAL[2]), "PROCORE_LOGIN_URL"),
        ((*FEDERAL[:2], PRODUCTION[2]), "PROCORE_FRAME_ANCESTORS"),
        ((*PRODUCTION[:2], FEDERAL[2]), "PROCORE_FRAME_ANCESTORS"),
        ((*FEDERAL[:2], "https://*.procoregov.com"), "PROCORE_FRAME_ANCESTORS"),
    ],
)
def test_addresses_of_two_environments_do_not_start(addresses: tuple[str, ...], named: str) -> None:
    line = start(**dict(zip(ADDRESSES, addresses, strict=True)))
    assert f"{named} is malformed: it should be" in line, line


def test_development_starts_on_localhost_alone() -> None:
    assert start(DEVELOPMENT="1", BASE_URL="http://localhost:8000") == ""
    line = start(DEVELOPMENT="1", BASE_URL="https://tieback.example")
    assert "DEVELOPMENT is malformed: it should be 0 except on localhost" in line


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert settings.PROCORE.user_agent == f"Tieback/{project['version']}"
