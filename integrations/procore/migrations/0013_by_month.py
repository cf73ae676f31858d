"""Steps of runs and events of webhooks in tables with a part for each month.

The tables of before stay one release, for the processes of the former release that run meanwhile:
what those write there is not shown, and the lists that it named are read again all the same. Their
rows go with their company, and the next release drops them.
"""

from datetime import date

import django.db.models.deletion
from django.db import migrations, models

STEPS = """
CREATE TABLE procore_step_by_month (LIKE procore_syncstep INCLUDING DEFAULTS, month date NOT NULL)
    PARTITION BY RANGE (month);
CREATE SEQUENCE procore_step_by_month_id_seq AS bigint OWNED BY procore_step_by_month.id;
ALTER TABLE procore_step_by_month
    ALTER COLUMN id SET DEFAULT nextval('procore_step_by_month_id_seq'),
    ADD PRIMARY KEY (id, month),
    ADD CONSTRAINT one_step_a_run UNIQUE (run_id, resource, project_id, month),
    ADD FOREIGN KEY (run_id) REFERENCES procore_syncrun (id) DEFERRABLE INITIALLY DEFERRED,
    ADD FOREIGN KEY (company_id) REFERENCES tenancy_company (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX procore_step_by_month_company ON procore_step_by_month (company_id);
CREATE TABLE procore_step_by_month_rest PARTITION OF procore_step_by_month DEFAULT;
INSERT INTO procore_step_by_month
    SELECT step.*, date_trunc('month', run.started_at AT TIME ZONE 'UTC')
    FROM procore_syncstep step JOIN procore_syncrun run ON run.id = step.run_id;
SELECT setval('procore_step_by_month_id_seq', coalesce(max(id), 0) + 1, false)
    FROM procore_step_by_month;
"""
# The month of an event that was taken before is that of its coming: a ULID that comes once more is
# then taken once more, which reads a list again and does no harm.
EVENTS = """
CREATE TABLE procore_event_by_month
    (LIKE procore_webhookevent INCLUDING DEFAULTS, month date NOT NULL)
    PARTITION BY RANGE (month);
CREATE SEQUENCE procore_event_by_month_id_seq AS bigint OWNED BY procore_event_by_month.id;
ALTER TABLE procore_event_by_month
    ALTER COLUMN id SET DEFAULT nextval('procore_event_by_month_id_seq'),
    ADD PRIMARY KEY (id, month),
    ADD CONSTRAINT one_event_of_a_ulid UNIQUE (company_id, ulid, month),
    ADD FOREIGN KEY (company_id) REFERENCES tenancy_company (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX webhook_newest ON procore_event_by_month (company_id, received_at DESC);
CREATE INDEX webhook_newest_of_all ON procore_event_by_month (received_at DESC, id DESC);
CREATE TABLE procore_event_by_month_rest PARTITION OF procore_event_by_month DEFAULT;
INSERT INTO procore_event_by_month
    SELECT *, date_trunc('month', received_at AT TIME ZONE 'UTC') FROM procore_webhookevent;
SELECT setval('procore_event_by_month_id_seq', coalesce(max(id), 0) + 1, false)
    FROM procore_event_by_month;
"""
# Nobody deletes from the tables of before any more, so their rows must not keep a run or company.
BEFORE = """
DO $$
DECLARE key record;
BEGIN
    FOR key IN
        SELECT conrelid::regclass AS place, conname AS name, pg_get_constraintdef(oid) AS said
        FROM pg_constraint WHERE contype = 'f' AND confdeltype <> 'c'
        AND conrelid IN ('procore_syncstep'::regclass, 'procore_webhookevent'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.place, key.name);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', key.place, key.name,
            replace(key.said, ' DEFERRABLE', ' ON DELETE CASCADE DEFERRABLE'));
    END LOOP;
END $$;
"""
MONTHS = """
SELECT tieback_make_month(place, (current_date + months * interval '1 month')::date)
FROM unnest(ARRAY['procore_step_by_month', 'procore_event_by_month']) AS place,
    generate_series(-4, 2) AS months;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("procore", "0012_private_records"),
        ("tenancy", "0005_months"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(STEPS, "DROP TABLE procore_step_by_month"),
                migrations.RunSQL(EVENTS, "DROP TABLE procore_event_by_month"),
                migrations.RunSQL(MONTHS, migrations.RunSQL.noop),
                migrations.RunSQL(BEFORE, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.RemoveConstraint("syncstep", "one_step"),
                migrations.RemoveConstraint("webhookevent", "one_event_a_ulid"),
                migrations.RemoveIndex("webhookevent", "webhook_event_newest"),
                migrations.RemoveIndex("webhookevent", "webhook_event_newest_of_all"),
                migrations.AlterModelTable("syncstep", "procore_step_by_month"),
                migrations.AlterModelTable("webhookevent", "procore_event_by_month"),
                migrations.AddField(
                    "syncstep",
                    "month",
                    models.DateField(default=date(2026, 1, 1)),
                    preserve_default=False,
                ),
                migrations.AddField(
                    "webhookevent",
                    "month",
                    models.DateField(default=date(2026, 1, 1)),
                    preserve_default=False,
                ),
                migrations.AlterField(
                    "syncstep",
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="procore.syncrun",
                    ),
                ),
                migrations.AddConstraint(
                    "syncstep",
                    models.UniqueConstraint(
                        fields=("run", "resource", "project_id", "month"), name="one_step_a_run"
                    ),
                ),
                migrations.AddConstraint(
                    "webhookevent",
                    models.UniqueConstraint(
                        fields=("company", "ulid", "month"), name="one_event_of_a_ulid"
                    ),
                ),
                migrations.AddIndex(
                    "webhookevent",
                    models.Index(fields=["company", "-received_at"], name="webhook_newest"),
                ),
                migrations.AddIndex(
                    "webhookevent",
                    models.Index(fields=["-received_at", "-id"], name="webhook_newest_of_all"),
                ),
            ],
        )
    ]
