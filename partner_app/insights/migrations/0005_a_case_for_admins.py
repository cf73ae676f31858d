from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insights", "0004_private_records")]

    operations = [
        # Both constraints together allow more than the one that they replace, so that no row of the
        # release before can break them.
        migrations.RemoveConstraint(
            model_name='exceptioncase',
            name='one_open_case',
        ),
        # Back to the release before: of two cases of one subject, that of all records stays.
        migrations.RunSQL(
            migrations.RunSQL.noop,
            "ALTER TABLE insights_exceptioncase NO FORCE ROW LEVEL SECURITY;"
            "DELETE FROM insights_exceptioncase WHERE audience = 'others' AND closed_at IS NULL;"
            "ALTER TABLE insights_exceptioncase FORCE ROW LEVEL SECURITY;",
        ),
        migrations.AddConstraint(
            model_name='exceptioncase',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None), models.Q(('audience', 'admins'), _negated=True)), fields=('company', 'project_id', 'rule', 'subject'), name='one_open_case_for_all'),
        ),
        migrations.AddConstraint(
            model_name='exceptioncase',
            constraint=models.UniqueConstraint(condition=models.Q(('audience', 'admins'), ('closed_at', None)), fields=('company', 'project_id', 'rule', 'subject'), name='one_open_case_for_admins'),
        ),
    ]
