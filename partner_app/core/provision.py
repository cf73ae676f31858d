"""The database's two roles: the owner of the schema, and the one that the app runs as."""

from django.conf import settings
from django.db import connections
from psycopg import sql

from partner_app.core.errors import TiebackError

# Partitions are read only through their table, and created by functions of the owner.
TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace nsp ON nsp.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
"""
FUNCTIONS = """
SELECT proname, pg_get_function_identity_arguments(pro.oid) FROM pg_proc pro
JOIN pg_namespace nsp ON nsp.oid = pronamespace WHERE nspname = 'public' AND prosecdef
"""

# The runtime role's privileges on a table; the audit log is append-only for it.
USUAL = "SELECT, INSERT, UPDATE, DELETE"
NARROW = {"audit_auditevent": "SELECT, INSERT", "django_migrations": "SELECT"}

# No query of the app takes as long; set on the role, so that it applies behind a pooler too.
BOUNDS = {"statement_timeout": "5min", "idle_in_transaction_session_timeout": "5min"}
MAY_CHANGE = "SELECT pg_has_role(current_user, %s, 'MEMBER WITH ADMIN OPTION')"


class SameRole(TiebackError):
    code = "database.same_role"
    user_message = "DATABASE_URL and DATABASE_OWNER_URL name the same role."
    remedy = "Give DATABASE_URL a role of its own: the app must not own its tables."


class OwnerUnknown(TiebackError):
    code = "database.owner_unknown"
    user_message = "DATABASE_OWNER_URL is missing: it should be the role that owns the schema."
    remedy = "Set it for this command only, not for web, worker and beat."


def require_owner() -> None:
    """Raises OwnerUnknown."""
    if "owner" not in settings.DATABASES:
        raise OwnerUnknown


def provision() -> dict[str, object]:
    """Creates the role where it is missing and grants its privileges; may be repeated.

    Raises OwnerUnknown, SameRole.
    """
    require_owner()
    runtime, owner = settings.DATABASES["default"], settings.DATABASES["owner"]
    if runtime["USER"] == owner["USER"]:
        raise SameRole
    role = sql.Identifier(runtime["USER"])
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [runtime["USER"]])
        created = cursor.fetchone() is None

        def run(query: str, **parts: sql.Composable) -> None:
            cursor.execute(sql.SQL(query).format(role=role, **parts).as_string(None))

        if created:
            run("CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
            if runtime["PASSWORD"]:
                run("ALTER ROLE {role} PASSWORD {word}", word=sql.Literal(runtime["PASSWORD"]))
        run(
            "GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {role}",
            name=sql.Identifier(owner["NAME"]),
        )
        run("GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(MAY_CHANGE, [runtime["USER"]])
        if cursor.fetchone()[0]:
            for name, value in BOUNDS.items():
                run(
                    "ALTER ROLE {role} SET {name} = {value}",
                    name=sql.SQL(name),
                    value=sql.Literal(value),
                )
        cursor.execute(TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            run("REVOKE ALL ON {table} FROM {role}", table=sql.Identifier(table))
            rights = sql.SQL(NARROW.get(table, USUAL))
            run("GRANT {rights} ON {table} TO {role}", rights=rights, table=sql.Identifier(table))
        run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
        cursor.execute(FUNCTIONS)
        for name, arguments in cursor.fetchall():
            run(
                "GRANT EXECUTE ON FUNCTION {name}({arguments}) TO {role}",
                name=sql.Identifier(name),
                arguments=sql.SQL(arguments),
            )
    return {"role": runtime["USER"], "created": created, "tables": len(tables)}
