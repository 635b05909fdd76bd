-- Partition keys: only the head of a key's line is not blocked, so that a lease never looks at the
-- jobs behind it. Whoever changes a line holds the key's advisory lock until commit; that also makes
-- the order of seq within a key the order of commits. 256 locks serve all keys: a bulk insert over
-- many keys must not exhaust the lock table. Whoever leaves a line never waits and shares that lock, so that
-- many leave at once; alone it has only the line itself.
CREATE FUNCTION jobs_line_lock(p_key text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtext(p_key) & 255
$$;

-- Enter the lines of keys, waiting for their locks. Says of each key whether somebody stands there, and
-- whether its head sleeps until its retry and lets others go ahead.
CREATE FUNCTION jobs_line_enter(p_keys text[], p_shift interval)
RETURNS TABLE (key text, taken boolean, asleep boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_lock integer;
BEGIN
    FOR v_lock IN SELECT DISTINCT jobs_line_lock(k) FROM unnest(p_keys) k ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(748201, v_lock);
    END LOOP;
    -- A statement of its own: it must see what the former holders of the locks committed.
    RETURN QUERY SELECT k, h.state IS NOT NULL,
        coalesce(h.state <> 'running' AND h.skip_ahead AND h.run_at > v_now, false)
    FROM unnest(p_keys) k LEFT JOIN LATERAL (
        SELECT j.state, j.skip_ahead, j.run_at FROM jobs_job j
        WHERE j.partition_key = k AND j.state IN ('scheduled', 'available', 'running')
        ORDER BY j.seq LIMIT 1
    ) h ON true;
END $$;

-- Let the head of each line go. The caller holds the locks of the keys.
CREATE FUNCTION jobs_line_settle(p_keys text[], p_shift interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_heads uuid[];
    v_sleepers text[];
    v_key text;
    v_next record;
    v_id uuid;
BEGIN
    SELECT array_agg(f.id) FILTER (WHERE f.blocked AND NOT (f.skip_ahead AND f.run_at > v_now)),
        array_agg(k) FILTER (WHERE f.skip_ahead AND f.run_at > v_now)
    INTO v_heads, v_sleepers
    FROM unnest(p_keys) k CROSS JOIN LATERAL (
        SELECT i.id, i.state, i.blocked, i.skip_ahead, i.run_at FROM jobs_job i
        WHERE i.partition_key = k AND i.state IN ('scheduled', 'available', 'running')
        ORDER BY i.seq LIMIT 1
    ) f
    WHERE f.state <> 'running';
    IF v_heads IS NOT NULL THEN
        UPDATE jobs_job SET blocked = false WHERE id = ANY (v_heads);
    END IF;
    IF v_sleepers IS NULL THEN
        RETURN;
    END IF;
    -- Rare: a head that sleeps until its retry and lets others go ahead. The first of the line that does
    -- not sleep so goes, or else the first to wake; those before it move to the end of the line.
    FOREACH v_key IN ARRAY v_sleepers LOOP
        SELECT id, seq INTO v_next FROM jobs_job
        WHERE partition_key = v_key AND state IN ('scheduled', 'available', 'running')
            AND (state = 'running' OR NOT skip_ahead OR run_at <= v_now)
        ORDER BY seq LIMIT 1;
        IF NOT FOUND THEN
            SELECT id, seq INTO v_next FROM jobs_job
            WHERE partition_key = v_key AND state IN ('scheduled', 'available', 'running')
            ORDER BY run_at, seq LIMIT 1;
        END IF;
        FOR v_id IN
            SELECT id FROM jobs_job
            WHERE partition_key = v_key AND state IN ('scheduled', 'available') AND seq < v_next.seq
            ORDER BY seq
        LOOP
            UPDATE jobs_job SET blocked = true, seq = nextval('jobs_job_seq_seq') WHERE id = v_id;
        END LOOP;
        UPDATE jobs_job SET blocked = false WHERE id = v_next.id AND blocked AND state <> 'running';
    END LOOP;
END $$;

-- Take the locks of a line that is being left, without waiting.
CREATE FUNCTION jobs_line_try(p_key text) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT pg_try_advisory_xact_lock_shared(748201, jobs_line_lock(p_key))
        AND pg_try_advisory_xact_lock(748203, hashtext(p_key))
$$;

-- Settle the lines that were left by jobs of this transaction. A line whose lock somebody holds (an
-- enqueue in an open transaction) is noted instead: waiting for it could take as long as it likes.
CREATE FUNCTION jobs_line_leave(p_keys text[], p_shift interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_all text[] := ARRAY(SELECT DISTINCT k FROM unnest(p_keys) k ORDER BY k);
    v_free text[];
BEGIN
    v_free := ARRAY(SELECT k FROM unnest(v_all) k WHERE jobs_line_try(k));
    IF cardinality(v_free) > 0 THEN
        PERFORM jobs_line_settle(v_free, p_shift);
    END IF;
    IF cardinality(v_free) < cardinality(v_all) THEN
        -- A note that is there already is touched, so that nobody takes it away before we commit: who
        -- settled the line then would still see our job at its head.
        INSERT INTO jobs_partitionwake (key)
        SELECT k FROM unnest(v_all) k WHERE k <> ALL (v_free) ORDER BY k
        ON CONFLICT (key) DO UPDATE SET created_at = clock_timestamp();
        PERFORM pg_notify('jobs_wake', '');
    END IF;
END $$;

-- Settle the noted lines whose locks are free by now. Returns how many are still held.
CREATE FUNCTION jobs_line_wake(p_shift interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_keys text[];
BEGIN
    WITH free AS (
        SELECT n.key FROM (
            SELECT key FROM jobs_partitionwake LIMIT 500 FOR UPDATE SKIP LOCKED
        ) n WHERE jobs_line_try(n.key)
    ), gone AS (
        DELETE FROM jobs_partitionwake w USING free WHERE w.key = free.key RETURNING w.key
    )
    SELECT array_agg(key) INTO v_keys FROM gone;
    IF v_keys IS NOT NULL THEN
        PERFORM jobs_line_settle(v_keys, p_shift);
        PERFORM pg_notify('jobs_wake', '');
    END IF;
    RETURN (SELECT count(*) FROM jobs_partitionwake);
END $$;
