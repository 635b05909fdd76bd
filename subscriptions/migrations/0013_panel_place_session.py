"""A place at the panel is free as soon as the session of its holder is gone."""

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

UP = """
-- Take a token of each bucket and a place, or nothing of it. Gives the place with its token; else how
-- long the slowest bucket wants one to wait; else (all null) that no place is free.
-- A place whose holder has died is free as soon as his session is gone, not only when its time is over.
-- Locks: the buckets in the order of their names, a place that nobody else looks at.
CREATE OR REPLACE FUNCTION panel_turn_take(
    p_buckets text[], p_steps interval[], p_bursts interval[], p_count int, p_span interval,
    OUT o_number int, OUT o_token bigint, OUT o_wait interval
) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz;
    v_known int;
BEGIN
    IF cardinality(p_buckets) > 0 THEN
        PERFORM FROM jobs_ratebucket b WHERE b.name = ANY (p_buckets) ORDER BY b.name FOR UPDATE;
        GET DIAGNOSTICS v_known = ROW_COUNT;
        IF v_known < cardinality(p_buckets) THEN
            INSERT INTO jobs_ratebucket (name, tat)
            SELECT n, clock_timestamp() FROM unnest(p_buckets) n ORDER BY n ON CONFLICT DO NOTHING;
            PERFORM FROM jobs_ratebucket b WHERE b.name = ANY (p_buckets) ORDER BY b.name FOR UPDATE;
        END IF;
        v_now := clock_timestamp();  -- once whoever was before us has gone on
        SELECT max(greatest(
            greatest(b.tat, v_now) + u.step - u.burst - v_now,
            coalesce(b.paused_until - v_now, interval '0')))
        INTO o_wait
        FROM unnest(p_buckets, p_steps, p_bursts) u (name, step, burst)
        JOIN jobs_ratebucket b USING (name);
        IF o_wait > interval '0' THEN
            RETURN;
        END IF;
        o_wait := NULL;
    END IF;
    FOR i IN 1..2 LOOP
        UPDATE panel_place SET until = clock_timestamp() + p_span, token = token + 1,
            session = pg_backend_pid()
        WHERE number = (
            SELECT p.number FROM panel_place p
            WHERE p.number <= p_count AND (p.until <= clock_timestamp()
                OR p.session IS NOT NULL
                    AND NOT EXISTS (SELECT FROM pg_stat_get_activity(p.session)))
            ORDER BY p.number LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING number, token INTO o_number, o_token;
        EXIT WHEN FOUND;
        -- There may be too few rows, at first or after the number was raised.
        INSERT INTO panel_place (number) SELECT generate_series(1, p_count) ON CONFLICT DO NOTHING;
        EXIT WHEN NOT FOUND;
    END LOOP;
    IF o_number IS NOT NULL AND cardinality(p_buckets) > 0 THEN
        UPDATE jobs_ratebucket b SET tat = greatest(b.tat, v_now) + u.step
        FROM unnest(p_buckets, p_steps) u (name, step) WHERE b.name = u.name;
    END IF;
END $$;
"""

DOWN = """
-- Take a token of each bucket and a place, or nothing of it. Gives the place with its token; else how
-- long the slowest bucket wants one to wait; else (all null) that no place is free.
-- Locks: the buckets in the order of their names, a place that nobody else looks at.
CREATE OR REPLACE FUNCTION panel_turn_take(
    p_buckets text[], p_steps interval[], p_bursts interval[], p_count int, p_span interval,
    OUT o_number int, OUT o_token bigint, OUT o_wait interval
) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz;
    v_known int;
BEGIN
    IF cardinality(p_buckets) > 0 THEN
        PERFORM FROM jobs_ratebucket b WHERE b.name = ANY (p_buckets) ORDER BY b.name FOR UPDATE;
        GET DIAGNOSTICS v_known = ROW_COUNT;
        IF v_known < cardinality(p_buckets) THEN
            INSERT INTO jobs_ratebucket (name, tat)
            SELECT n, clock_timestamp() FROM unnest(p_buckets) n ORDER BY n ON CONFLICT DO NOTHING;
            PERFORM FROM jobs_ratebucket b WHERE b.name = ANY (p_buckets) ORDER BY b.name FOR UPDATE;
        END IF;
        v_now := clock_timestamp();  -- once whoever was before us has gone on
        SELECT max(greatest(
            greatest(b.tat, v_now) + u.step - u.burst - v_now,
            coalesce(b.paused_until - v_now, interval '0')))
        INTO o_wait
        FROM unnest(p_buckets, p_steps, p_bursts) u (name, step, burst)
        JOIN jobs_ratebucket b USING (name);
        IF o_wait > interval '0' THEN
            RETURN;
        END IF;
        o_wait := NULL;
    END IF;
    FOR i IN 1..2 LOOP
        UPDATE panel_place SET until = clock_timestamp() + p_span, token = token + 1
        WHERE number = (
            SELECT p.number FROM panel_place p
            WHERE p.number <= p_count AND p.until <= clock_timestamp()
            ORDER BY p.number LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING number, token INTO o_number, o_token;
        EXIT WHEN FOUND;
        -- There may be too few rows, at first or after the number was raised.
        INSERT INTO panel_place (number) SELECT generate_series(1, p_count) ON CONFLICT DO NOTHING;
        EXIT WHEN NOT FOUND;
    END LOOP;
    IF o_number IS NOT NULL AND cardinality(p_buckets) > 0 THEN
        UPDATE jobs_ratebucket b SET tat = greatest(b.tat, v_now) + u.step
        FROM unnest(p_buckets, p_steps) u (name, step) WHERE b.name = u.name;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("subscriptions", "0012_panel_turn")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField("panelplace", "session", models.IntegerField(null=True)),
        migrations.RunSQL(UP, DOWN),
    ]
