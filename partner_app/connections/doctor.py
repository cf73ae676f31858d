"""Checks the installation: what is wrong, and how to fix it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit
from xml.parsers import expat

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from integrations.procore.api.errors import ProcoreError
from partner_app.connections.app_token import new_app_token
from partner_app.connections.gaps import rights_of
from partner_app.connections.rights import known
from partner_app.core import clock
from partner_app.tenancy.models import USABLE, Company

LINEAR_EXPAT = (2, 6, 0)
LARGEST_SKEW = 30.0  # seconds
COMPANIES_SHOWN = 20
MISSING = "Run manage.py permissions COMPANY_ID: it shows what is missing, why, and what to do."


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine() -> dict[str, object]:
    checks = [_safe(check) for check in (_database, _migrations, _role, _tables, _broker)]
    checks += [_safe(check) for check in (_credentials, _address, _clock, _service_accounts)]
    checks.append(_xml_parser())
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}


def _safe(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DatabaseError:
        remedy = "Check DATABASE_URL, and that Postgres runs."
        return Check(check.__name__.strip("_"), ok=False, detail="no answer", remedy=remedy)


def _database() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return Check("database", ok=True, detail=f"PostgreSQL {cursor.fetchone()[0]}")


def _migrations() -> Check:
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return Check("migrations", waiting == 0, f"{waiting} waiting", "Run manage.py migrate.")


def _role() -> Check:
    """Neither superuser nor BYPASSRLS, nor owner of any table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        powers = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE tableowner = current_user "
            "AND schemaname NOT LIKE 'pg_temp%'"
        )
        owned = cursor.fetchone()[0]
    harmless = not any(powers) and owned == 0
    detail = "cannot bypass row-level security" if harmless else "could bypass row-level security"
    return Check("runtime_role", harmless, detail, "Run manage.py provision_database.")


def unguarded_tables() -> list[str]:
    """Tenant tables without forced row-level security or without a policy."""
    wanted = {m._meta.db_table for m in apps.get_models() if getattr(m, "tenant_table", False)}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
            WHERE c.relrowsecurity AND c.relforcerowsecurity AND c.relkind = 'r'"""
        )
        guarded = {name for (name,) in cursor.fetchall()}
    return sorted(wanted - guarded)


def _tables() -> Check:
    bare = unguarded_tables()
    detail = "all tenant tables are guarded" if not bare else "unguarded: " + ", ".join(bare)
    return Check("row_level_security", not bare, detail, "Run manage.py migrate.")


def _broker() -> Check:
    try:
        cache.get("doctor")
    except (RedisError, OSError):
        return Check("broker", ok=False, detail="no answer", remedy="Check CELERY_BROKER_URL.")
    return Check("broker", ok=True, detail="answers")


def _credentials() -> Check:
    try:
        new_app_token()
    except ProcoreError as error:
        remedy = (
            "Check PROCORE_CLIENT_ID, PROCORE_CLIENT_SECRET and PROCORE_LOGIN_URL: each of "
            "Procore's environments has credentials of its own."
        )
        detail = f"{settings.PROCORE.environment}: {error.message}"
        return Check("credentials", ok=False, detail=detail, remedy=remedy)
    return Check(
        "credentials", ok=True, detail=f"accepted by Procore, {settings.PROCORE.environment}"
    )


def _address() -> Check:
    parts = urlsplit(settings.BASE_URL)
    local = parts.hostname in {"localhost", "127.0.0.1"}
    fine = parts.scheme == "https" or local
    return Check("public_address", fine, settings.BASE_URL, "BASE_URL should begin with https://.")


def _clock() -> Check:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        skew = abs((cursor.fetchone()[0] - clock.now()).total_seconds())
    remedy = "Synchronise the clocks of this host and of the database."
    return Check("clock", skew < LARGEST_SKEW, f"{skew:.1f} s from the database", remedy)


def _xml_parser(version: tuple[int, int, int] = expat.version_info) -> Check:
    """Older versions take quadratic time for one large token [CVE-2023-52425].

    Files with such tokens are refused before parsing, so this is not an error.
    """
    remedy = "" if version >= LINEAR_EXPAT else "Use a build of Python with Expat 2.6 or newer."
    return Check(
        "xml_parser", ok=True, detail=f"Expat {'.'.join(map(str, version))}", remedy=remedy
    )


def _service_accounts() -> Check:
    """From earlier checks: a customer's setting is not a fault of this installation."""
    usable = Company.objects.filter(state__in=USABLE).order_by("id").values_list("id", flat=True)
    lacking, asked = [], 0
    for company_id in usable:
        answers = known(company_id)
        asked += answers.company is not None
        gaps = sum(right.cause is not None for right in rights_of(answers))
        if gaps:
            lacking.append(f"{company_id} ({gaps})")
    shown = ", ".join(lacking[:COMPANIES_SHOWN]) + (" …" if len(lacking) > COMPANIES_SHOWN else "")
    detail = f"{asked} of {len(usable)} companies checked"
    detail += f"; permissions are missing at {shown}" if lacking else ""
    return Check("service_accounts", ok=True, detail=detail, remedy=MISSING if lacking else "")
