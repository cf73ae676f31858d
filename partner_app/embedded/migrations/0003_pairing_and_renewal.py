import uuid

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('embedded', '0002_viewer_profile'),
    ]

    operations = [
        # Sessions live for hours: everybody signs in once more, and no row needs a made-up secret.
        migrations.RunSQL("DELETE FROM embedded_embeddedsession", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='Pairing',
            fields=[
                ('nonce_hash', models.BinaryField(primary_key=True, serialize=False)),
                ('code_hash', models.BinaryField()),
                ('tries_left', models.SmallIntegerField()),
                ('company_id', models.BigIntegerField(null=True)),
                ('remote_user_id', models.BigIntegerField(null=True)),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='embeddedsession',
            name='family',
            field=models.UUIDField(default=uuid.uuid4),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='embeddedsession',
            name='renewal_hash',
            field=models.BinaryField(default=b'', unique=True),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='embeddedsession',
            name='renewed_at',
            field=models.DateTimeField(null=True),
        ),
    ]
