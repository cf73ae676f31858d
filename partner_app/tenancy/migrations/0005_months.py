"""Parts of operational tables by month: made and dropped by the owner's functions.

See partner_app/core/partitions.py. The app's role may call them, and owns nothing.
"""

from django.db import migrations

# A row that came while its month had no part lies among the rest, and is moved. Waits for a lock
# are short, because whoever writes into the table waits behind this one.
MAKE = """
CREATE FUNCTION tieback_make_month(parent text, day date) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    part text := parent || to_char(first, '_YYYYMM');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(parent)) THEN
        RAISE EXCEPTION '% has no parts', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext(parent));
    IF to_regclass(part) IS NOT NULL THEN
        RETURN '{}';
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', part, parent);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE month = %L RETURNING *)
        INSERT INTO %I SELECT * FROM moved', parent || '_rest', first, part);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, part, first, (first + interval '1 month')::date);
    RETURN ARRAY[part];
END $$;
REVOKE ALL ON FUNCTION tieback_make_month(text, date) FROM PUBLIC;
"""
# By the database's clock too, so that a host whose clock is wrong drops nothing that is young.
DROP = """
CREATE FUNCTION tieback_drop_months(parent text, before date) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    part text;
    dropped text[] := '{}';
BEGIN
    FOR part IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = to_regclass(parent) AND relname ~ '_[0-9]{6}$'
        AND to_date(right(relname, 6), 'YYYYMM') + interval '1 month'
            <= least(before, current_date - 90)
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        dropped := dropped || part;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION tieback_drop_months(text, date) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0004_partner_side")]

    operations = [
        migrations.RunSQL(MAKE, "DROP FUNCTION tieback_make_month(text, date)"),
        migrations.RunSQL(DROP, "DROP FUNCTION tieback_drop_months(text, date)"),
    ]
