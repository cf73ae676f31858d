from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("audit", "0002_address")]

    operations = [
        AddIndexConcurrently("auditevent", models.Index(fields=["-at"], name="audit_at")),
    ]
