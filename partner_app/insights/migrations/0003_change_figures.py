import django.db.models.deletion
from django.db import migrations, models

from partner_app.core.rls import force_row_level_security


class Migration(migrations.Migration):

    dependencies = [
        ('insights', '0002_figures_apart'),
        ('tenancy', '0004_partner_side'),
    ]

    operations = [
        migrations.AddField(
            model_name='projectday',
            name='budget_relief',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name='projectday',
            name='maybe_ordered',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name='projectday',
            name='not_covered',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=20),
        ),
        migrations.AddField(
            model_name='projectday',
            name='orders_unread',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='projectday',
            name='unknown_cost',
            field=models.DecimalField(db_default=0, decimal_places=4, default=0, max_digits=20),
        ),
        migrations.CreateModel(
            name='ChangeFigure',
            fields=[
                ('pk', models.CompositePrimaryKey('company_id', 'resource', 'remote_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('project_id', models.BigIntegerField()),
                ('resource', models.TextField()),
                ('remote_id', models.BigIntegerField()),
                ('contract_id', models.BigIntegerField(null=True)),
                ('status', models.TextField()),
                ('standing', models.TextField()),
                ('amount', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('maybe_ordered', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('currency', models.TextField()),
                ('created_on', models.DateTimeField(null=True)),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.company')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'project_id'], name='change_figure_project')],
            },
        ),
        migrations.CreateModel(
            name='ContractFigure',
            fields=[
                ('pk', models.CompositePrimaryKey('company_id', 'contract_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('project_id', models.BigIntegerField()),
                ('contract_id', models.BigIntegerField()),
                ('currency', models.TextField()),
                ('standing', models.TextField()),
                ('original', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('approved', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('pending', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('invoiced', models.DecimalField(decimal_places=4, default=0, max_digits=20)),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.company')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'project_id'], name='contract_figure_project')],
            },
        ),
        force_row_level_security("insights_changefigure"),
        force_row_level_security("insights_contractfigure"),
    ]
