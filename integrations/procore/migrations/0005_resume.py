from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("procore", "0004_newest_of_all")]

    operations = [
        migrations.AddField("syncstep", "progress", models.JSONField(null=True)),
    ]
