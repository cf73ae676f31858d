from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='figurework',
            name='attempts',
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='figurework',
            name='failed',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        # A WBS code may have costs in several currencies, so the subject of its cases names the
        # currency. Cases keep their snoozes and notes. The policy binds the owner too, so it is
        # lifted for this one statement.
        migrations.RunSQL(
            "ALTER TABLE insights_exceptioncase NO FORCE ROW LEVEL SECURITY;"
            "UPDATE insights_exceptioncase SET subject = subject || ':' || currency "
            "WHERE subject ~ '^wbs:[0-9]+$';"
            "ALTER TABLE insights_exceptioncase FORCE ROW LEVEL SECURITY;",
            # The release before knows one open case of a code; of several the largest stays open.
            "ALTER TABLE insights_exceptioncase NO FORCE ROW LEVEL SECURITY;"
            "UPDATE insights_exceptioncase c SET closed_at = now() FROM insights_exceptioncase o "
            "WHERE c.subject ~ '^wbs:[0-9]+:' AND c.closed_at IS NULL AND o.closed_at IS NULL "
            "AND (o.company_id, o.project_id, o.rule) = (c.company_id, c.project_id, c.rule) "
            "AND split_part(o.subject, ':', 2) = split_part(c.subject, ':', 2) "
            "AND o.subject ~ '^wbs:' AND (o.amount, o.id) > (c.amount, c.id);"
            "UPDATE insights_exceptioncase SET subject = 'wbs:' || split_part(subject, ':', 2) "
            "WHERE subject ~ '^wbs:[0-9]+:';"
            "ALTER TABLE insights_exceptioncase FORCE ROW LEVEL SECURITY;",
        ),
    ]
