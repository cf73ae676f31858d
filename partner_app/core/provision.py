"""The database's two roles: the owner of the schema, and the one that the app runs as."""

from django.conf import settings
from django.db import connections
from psycopg import sql

from partner_app.core.errors import TiebackError

# What the runtime role may do with a table; the audit log is append-only for it.
USUAL = "SELECT, INSERT, UPDATE, DELETE"
NARROW = {"audit_auditevent": "SELECT, INSERT", "django_migrations": "SELECT"}


class SameRole(TiebackError):
    code = "database.same_role"
    user_message = "DATABASE_URL and DATABASE_OWNER_URL name the same role."
    remedy = "Give DATABASE_URL a role of its own: the app must not own its tables."


def provision() -> dict[str, object]:
    """Creates the role where it is missing and grants what it needs; may be repeated."""
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
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            run("REVOKE ALL ON {table} FROM {role}", table=sql.Identifier(table))
            rights = sql.SQL(NARROW.get(table, USUAL))
            run("GRANT {rights} ON {table} TO {role}", rights=rights, table=sql.Identifier(table))
        run("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    return {"role": runtime["USER"], "created": created, "tables": len(tables)}
