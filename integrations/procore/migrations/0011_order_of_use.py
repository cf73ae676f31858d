import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("procore", "0010_absence"), ("tenancy", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ProjectUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, auto_created=True, verbose_name="ID")),
                ("project_id", models.BigIntegerField()),
                ("opened_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenancy.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["company", "project_id"], name="one_use")
                ]
            },
        ),
        migrations.AddField("syncstep", "whole", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("synccursor", "failed_at", models.DateTimeField(null=True)),
        migrations.AddField("synccursor", "failures", models.IntegerField(db_default=0, default=0)),
        migrations.AddField("synccursor", "trouble", models.TextField(blank=True, db_default="")),
        migrations.AddField("duework", "asked_at", models.DateTimeField(null=True)),
        # The column stays for the release before this one; a later migration drops it.
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("duework", "poll_at")]
        ),
        # Until now a time at which everything is read again; from now on only where it was asked for.
        migrations.RunSQL(
            "UPDATE procore_duework SET full_due_at = NULL", migrations.RunSQL.noop
        ),
    ]
