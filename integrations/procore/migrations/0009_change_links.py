import django.db.models.deletion
from django.db import migrations, models

from partner_app.core.rls import force_row_level_security


class Migration(migrations.Migration):

    dependencies = [
        ('procore', '0008_budget_views'),
        ('tenancy', '0004_partner_side'),
    ]

    operations = [
        migrations.AddField(
            model_name='changeorder',
            name='package_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.CreateModel(
            name='ChangeEventLine',
            fields=[
                ('pk', models.CompositePrimaryKey('company_id', 'remote_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('remote_id', models.BigIntegerField()),
                ('project_id', models.BigIntegerField(null=True)),
                ('remote_updated_at', models.DateTimeField(null=True)),
                ('content_hash', models.BinaryField()),
                ('synced_at', models.DateTimeField()),
                ('event_id', models.BigIntegerField(null=True)),
                ('wbs_code_id', models.BigIntegerField(null=True)),
                ('cost', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('contract_id', models.BigIntegerField(null=True)),
                ('contract_cost', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('order_cost', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('order_status', models.TextField()),
                ('budget_change', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.company')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'project_id', 'event_id'], name='change_event_line_of')],
            },
        ),
        migrations.CreateModel(
            name='ChangeOrderPackage',
            fields=[
                ('pk', models.CompositePrimaryKey('company_id', 'remote_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('remote_id', models.BigIntegerField()),
                ('project_id', models.BigIntegerField(null=True)),
                ('remote_updated_at', models.DateTimeField(null=True)),
                ('content_hash', models.BinaryField()),
                ('synced_at', models.DateTimeField()),
                ('contract_id', models.BigIntegerField(null=True)),
                ('number', models.TextField()),
                ('title', models.TextField()),
                ('status', models.TextField()),
                ('grand_total', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('created_on', models.DateTimeField(null=True)),
                ('currency', models.TextField()),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.company')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'project_id', 'contract_id'], name='change_order_package_of')],
            },
        ),
        migrations.CreateModel(
            name='PotentialChangeOrder',
            fields=[
                ('pk', models.CompositePrimaryKey('company_id', 'remote_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('remote_id', models.BigIntegerField()),
                ('project_id', models.BigIntegerField(null=True)),
                ('remote_updated_at', models.DateTimeField(null=True)),
                ('content_hash', models.BinaryField()),
                ('synced_at', models.DateTimeField()),
                ('contract_id', models.BigIntegerField(null=True)),
                ('number', models.TextField()),
                ('title', models.TextField()),
                ('status', models.TextField()),
                ('grand_total', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('package', models.TextField()),
                ('created_on', models.DateTimeField(null=True)),
                ('currency', models.TextField()),
                ('company', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenancy.company')),
            ],
            options={
                'indexes': [models.Index(fields=['company', 'project_id', 'contract_id'], name='potential_change_order_of')],
            },
        ),
        force_row_level_security("procore_changeeventline"),
        force_row_level_security("procore_changeorderpackage"),
        force_row_level_security("procore_potentialchangeorder"),
    ]
