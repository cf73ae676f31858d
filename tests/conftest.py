"""Database, simulator and people, all real."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.utils import translation
from hypothesis import HealthCheck, settings
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from integrations.procore.sync.services import sync_now
from partner_app.connections.discover import discover
from partner_app.core import clock
from partner_app.core.broker import ask_again
from tests.environment import SUPERUSER_URL, services
from tests.frame import Frame
from tests.natures import STRICT, turn
from tests.procore import Procore

# Several test runs may share a machine, so the time of an example means nothing.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("shared"), max_examples=10)
settings.load_profile("shared")

SHARED = Path(__file__).resolve().parents[2] / "shared"


# Tests without these fixtures test plain functions: `make test-fast`.
SERVICES = {"schema", "stack"}
SLOW_FOLDERS = {"browser", "chaos", "runtime", "security"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folders = {parent.name for parent in item.path.parents}
        if SERVICES & set(getattr(item, "fixturenames", ())) or SLOW_FOLDERS & folders:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def schema(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Services run; the owner migrated, and tests use the runtime role, as in production."""
    services()
    with django_db_blocker.unblock():
        call_command("provision_database", stdout=open("/dev/null", "w"))  # noqa: PTH123, SIM115
        call_command("migrate", verbosity=0)
        call_command("provision_database", stdout=open("/dev/null", "w"))  # noqa: PTH123, SIM115
        yield
        for connection in connections.all():
            connection.close()


@pytest.fixture
def database(schema: None) -> Iterator[None]:
    """Empty tables before and after; the app's role could not empty them."""
    _empty()
    yield
    _empty()


def _empty() -> None:
    """Deletes only from tables with rows: to truncate every table takes a hundred times as long."""
    with psycopg.connect(SUPERUSER_URL, autocommit=True) as connection:
        found = connection.execute(
            "SELECT string_agg(format('SELECT %L WHERE EXISTS (SELECT FROM %I)', "
            "tablename, tablename), ' UNION ALL ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'django_migrations'"
        ).fetchone()
        assert found is not None
        filled = [name for (name,) in connection.execute(found[0]).fetchall()]
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys
            for name in filled:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
    ask_again()
    cache.clear()


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """Django keeps a request's language in the thread, where the next test would find it."""
    yield
    translation.deactivate()


@pytest.fixture
def nature(request: pytest.FixtureRequest) -> str:
    """Strict, unless a test asks for both natures."""
    return str(getattr(request, "param", STRICT))


@pytest.fixture
def procore(database: None, nature: str) -> Procore:
    """The simulator, reset; two companies have the app installed, the third does not."""
    found = Procore(services())
    found.reset()
    turn(found, nature)
    return found


@pytest.fixture
def company(procore: Procore) -> int:
    """The main company, discovered and connected through its service account."""
    discover()
    return procore.company_id


@pytest.fixture
def synced(company: int) -> int:
    sync_now(company_id=company, full=True, only=[], wait=clock.wait_until)
    return company


@pytest.fixture
def openapi() -> dict[str, Any]:
    path = SHARED / "procore" / "openapi.json"
    if not path.exists():
        pytest.skip("the reference schema is not beside this clone")
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.fixture
def web() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def frame(procore: Procore) -> Frame:
    """Nobody has signed in, and the company is not connected."""
    return Frame(procore, procore.company_id)


@pytest.fixture
def admin(synced: int, procore: Procore) -> Frame:
    return Frame(procore, synced).sign_in("admin")


@pytest.fixture
def engineer(synced: int, procore: Procore) -> Frame:
    """Sees two projects, but no budgets, commitments or change events."""
    return Frame(procore, synced).sign_in("engineer")
