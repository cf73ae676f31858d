from django.db import migrations, models

from partner_app.core.rls import same_project


class Migration(migrations.Migration):

    dependencies = [
        ('estimates', '0003_estimate_handoff'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='estimate',
            constraint=models.UniqueConstraint(fields=('company', 'project_id', 'id'), name='estimate_project'),
        ),
        same_project("estimates_estimate", "revision_of_id", "estimates_estimate", "id"),
    ]
