from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("procore", "0003_cost_lines")]

    operations = [
        AddIndexConcurrently(
            "syncrun", models.Index(fields=["-started_at"], name="run_newest_of_all")
        ),
        AddIndexConcurrently(
            "webhookevent", models.Index(fields=["-received_at"], name="webhook_event_newest_of_all")
        ),
    ]
