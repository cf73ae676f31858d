"""The model has a name of its own; its table keeps the former one, which the last release reads."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('embedded', '0007_levels'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel('HandoffCode', 'SignInCode'),
                migrations.AlterModelTable('SignInCode', 'embedded_handoffcode'),
            ],
        ),
    ]
