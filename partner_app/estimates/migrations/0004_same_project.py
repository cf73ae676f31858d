from django.db import migrations, models

from partner_app.core.rls import same_project

UNIQUE = models.UniqueConstraint(fields=('company', 'project_id', 'id'), name='estimate_project')


class Migration(migrations.Migration):
    """The index is made while the table is in use, hence outside of a transaction."""

    atomic = False

    dependencies = [
        ('estimates', '0003_estimate_handoff'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS estimate_project "
                    "ON estimates_estimate (company_id, project_id, id)",
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(
                    # Quick, because the index is there already.
                    """
                    ALTER TABLE estimates_estimate ADD CONSTRAINT estimate_project
                        UNIQUE USING INDEX estimate_project;
                    """,
                    "ALTER TABLE estimates_estimate DROP CONSTRAINT estimate_project",
                ),
            ],
            state_operations=[migrations.AddConstraint(model_name='estimate', constraint=UNIQUE)],
        ),
        same_project("estimates_estimate", "revision_of_id", "estimates_estimate", "id"),
    ]
