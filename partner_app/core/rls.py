"""Migration operations that put a table under forced row-level security."""

from django.db import migrations

# Set by tenancy.context.tenant(), local to one transaction. After its first use Postgres returns ''
# rather than null for a setting that is not set, hence NULLIF.
GUARD = "NULLIF(current_setting('tieback.company_id', true), '')::bigint"


def force_row_level_security(table: str, *, column: str = "company_id") -> migrations.RunSQL:
    """Only rows of the current tenant may be seen or written; without a tenant, none."""
    return migrations.RunSQL(
        sql=f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY tenant ON {table}
                USING ({column} = {GUARD}) WITH CHECK ({column} = {GUARD});
        """,
        reverse_sql=f"""
            DROP POLICY tenant ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


def same_project(table: str, column: str, target: str, target_column: str) -> migrations.RunSQL:
    """A foreign key with company and project, so that it cannot point into another project.

    Existing rows are not checked: the owner of the schema does not see them.
    """
    name = f"{table}_{column}_same_project"
    return migrations.RunSQL(
        sql=f"""
            ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (company_id, project_id, {column})
                REFERENCES {target} (company_id, project_id, {target_column})
                DEFERRABLE INITIALLY DEFERRED NOT VALID;
        """,
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )


def same_company(table: str, column: str, target: str, target_column: str) -> migrations.RunSQL:
    """A foreign key with the company, so that it cannot point across tenants."""
    name = f"{table}_{column}_same_company"
    return migrations.RunSQL(
        sql=f"""
            ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (company_id, {column})
                REFERENCES {target} (company_id, {target_column}) DEFERRABLE INITIALLY DEFERRED;
        """,
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name};",
    )
