from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("procore", "0003_cost_lines")]

    operations = [
        AddIndexConcurrently(
            "syncrun", models.Index(fields=["-started_at", "-id"], name="run_newest_of_all")
        ),
        AddIndexConcurrently(
            "webhookevent",
            models.Index(fields=["-received_at", "-id"], name="webhook_event_newest_of_all"),
        ),
        AddIndexConcurrently(
            "incident", models.Index(fields=["-opened_at", "-id"], name="incident_newest")
        ),
        AddIndexConcurrently(
            "incident",
            models.Index(
                fields=["-opened_at", "-id"],
                condition=models.Q(closed_at=None),
                name="incident_newest_open",
            ),
        ),
    ]
