from django.db import migrations

from partner_app.core.rls import same_project


class Migration(migrations.Migration):

    dependencies = [
        ('handoffs', '0003_estimate_handoff'),
        ('estimates', '0004_same_project'),
    ]

    operations = [
        same_project("handoffs_handoff", "estimate_id", "estimates_estimate", "id"),
    ]
