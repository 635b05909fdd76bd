-- Lease due jobs to a worker. Rows that somebody else is touching are skipped, paused queues too.
-- p_chain > 0: the worker met partition keys lately; then fewer heads are taken and each may bring up
-- to p_chain jobs from behind it in its line, so that one turn of the line serves many jobs.
-- p_oldest_first: the fair turn, priorities in the order of their oldest job.
-- p_spare: jobs whose worker once died are left to jobs_lease_suspects.
CREATE FUNCTION jobs_lease(
    p_queues text[], p_limit integer, p_worker text, p_lease interval, p_shift interval,
    p_chain integer, p_oldest_first boolean, p_kinds text[], p_spare boolean
) RETURNS SETOF jobs_job LANGUAGE plpgsql
    -- The table changes faster than its statistics: the plan is fixed to walks on its indexes.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_until timestamptz := clock_timestamp() + p_lease;
    v_queues text[];
    v_priorities integer[] := '{0,1,2,3}';
    v_queue text;
    v_priority integer;
    v_left integer := p_limit;
    v_take integer;
    v_quota integer;
    v_row jobs_job;
    v_keys text[] := '{}';
    v_round integer;
BEGIN
    SELECT array_agg(q.name ORDER BY array_position(p_queues, q.name::text)) INTO v_queues
    FROM jobs_queue q WHERE q.name = ANY (p_queues) AND q.paused_at IS NULL;
    IF v_queues IS NULL THEN
        RETURN;
    END IF;
    IF p_oldest_first THEN
        SELECT array_agg(p ORDER BY oldest NULLS LAST, p) INTO v_priorities FROM (
            SELECT p, (
                SELECT min(h.run_at) FROM unnest(v_queues) q CROSS JOIN LATERAL (
                    SELECT j.run_at FROM jobs_job j
                    WHERE j.queue = q AND j.priority = p AND NOT j.blocked
                        AND j.state IN ('scheduled', 'available')
                    ORDER BY j.run_at LIMIT 1
                ) h
            ) AS oldest
            FROM generate_series(0, 3) p
        ) a;
    END IF;
    IF p_chain = 0 THEN
        FOREACH v_priority IN ARRAY v_priorities LOOP
            FOREACH v_queue IN ARRAY v_queues LOOP
                RETURN QUERY WITH picked AS MATERIALIZED (
                    SELECT j.id FROM jobs_job j
                    WHERE j.queue = v_queue AND j.priority = v_priority AND NOT j.blocked
                        AND j.state IN ('scheduled', 'available') AND j.run_at <= v_now
                        AND (p_kinds IS NULL OR j.kind = ANY (p_kinds))
                        AND (j.crash_count = 0 OR NOT p_spare)
                    ORDER BY j.run_at, j.seq LIMIT v_left FOR UPDATE SKIP LOCKED
                )
                UPDATE jobs_job j SET state = 'running', attempt = j.attempt + 1,
                    fence = j.fence + 1, lease_until = v_until, worker = p_worker,
                    started_at = clock_timestamp()
                FROM picked WHERE j.id = picked.id RETURNING j.*;
                GET DIAGNOSTICS v_take = ROW_COUNT;
                v_left := v_left - v_take;
                IF v_left <= 0 THEN
                    RETURN;
                END IF;
            END LOOP;
        END LOOP;
        RETURN;
    END IF;
    FOR v_round IN 1..2 LOOP
        v_take := CASE WHEN v_round = 1 THEN ceil(v_left / (1.0 + p_chain))::integer ELSE v_left END;
        FOREACH v_priority IN ARRAY v_priorities LOOP
            FOREACH v_queue IN ARRAY v_queues LOOP
                FOR v_row IN
                    WITH picked AS MATERIALIZED (
                        SELECT j.id FROM jobs_job j
                        WHERE j.queue = v_queue AND j.priority = v_priority AND NOT j.blocked
                            AND j.state IN ('scheduled', 'available') AND j.run_at <= v_now
                            AND (p_kinds IS NULL OR j.kind = ANY (p_kinds))
                            AND (j.crash_count = 0 OR NOT p_spare)
                        ORDER BY j.run_at, j.seq LIMIT v_take FOR UPDATE SKIP LOCKED
                    )
                    UPDATE jobs_job j SET state = 'running', attempt = j.attempt + 1,
                        fence = j.fence + 1, lease_until = v_until, worker = p_worker,
                        started_at = clock_timestamp()
                    FROM picked WHERE j.id = picked.id RETURNING j.*
                LOOP
                    v_left := v_left - 1;
                    v_take := v_take - 1;
                    IF v_round = 1 AND v_row.partition_key IS NOT NULL AND NOT v_row.skip_ahead THEN
                        v_keys := v_keys || v_row.partition_key::text;
                    END IF;
                    RETURN NEXT v_row;
                END LOOP;
                EXIT WHEN v_take <= 0;
            END LOOP;
            EXIT WHEN v_take <= 0;
        END LOOP;
        EXIT WHEN v_left <= 0 OR v_round = 2;
        IF cardinality(v_keys) > 0 THEN
            -- Others wait too: the jobs behind a head may not crowd them out of this lease.
            v_quota := CASE WHEN v_take <= 0 THEN least(p_chain, v_left)
                ELSE ceil(v_left::numeric / cardinality(v_keys))::integer END;
            RETURN QUERY WITH line AS (
                SELECT k AS key, f.id, f.rn, bool_and(f.fits) OVER (PARTITION BY k ORDER BY f.rn) AS fits
                FROM unnest(v_keys) k CROSS JOIN LATERAL (
                    SELECT j.id, row_number() OVER (ORDER BY j.seq) AS rn,
                        j.blocked AND j.state IN ('scheduled', 'available') AND j.run_at <= v_now
                        AND NOT j.skip_ahead AND j.queue = ANY (v_queues)
                        AND (p_kinds IS NULL OR j.kind = ANY (p_kinds))
                        AND (j.crash_count = 0 OR NOT p_spare) AS fits
                    FROM jobs_job j
                    WHERE j.partition_key = k AND j.state IN ('scheduled', 'available', 'running')
                        AND (j.state <> 'running' OR j.worker <> p_worker)
                    ORDER BY j.seq LIMIT v_quota
                ) f
            ), locked AS MATERIALIZED (
                SELECT j.id FROM jobs_job j WHERE j.id IN (
                    SELECT l.id FROM line l WHERE l.fits ORDER BY l.rn LIMIT v_left
                ) AND j.state IN ('scheduled', 'available') AND j.blocked
                FOR UPDATE SKIP LOCKED
            ), unbroken AS (
                -- A row that somebody holds ends the chain: nobody may overtake it.
                SELECT s.id FROM (
                    SELECT l.id, bool_and(l.id = ANY (ARRAY(SELECT k.id FROM locked k)))
                        OVER (PARTITION BY l.key ORDER BY l.rn) AS whole
                    FROM line l WHERE l.fits
                ) s WHERE s.whole
            )
            UPDATE jobs_job j SET state = 'running', attempt = j.attempt + 1,
                fence = j.fence + 1, lease_until = v_until, worker = p_worker,
                started_at = clock_timestamp(), blocked = false
            FROM unbroken u WHERE j.id = u.id RETURNING j.*;
            GET DIAGNOSTICS v_take = ROW_COUNT;
            v_left := v_left - v_take;
        END IF;
        EXIT WHEN v_left <= 0;
    END LOOP;
END $$;

-- Lease due jobs whose worker once died, oldest first, to somebody who runs nothing else beside them.
CREATE FUNCTION jobs_lease_suspects(
    p_queues text[], p_limit integer, p_worker text, p_lease interval, p_shift interval
) RETURNS SETOF jobs_job LANGUAGE plpgsql
    -- The table changes faster than its statistics: the plan is fixed to walks on its indexes.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    RETURN QUERY WITH picked AS MATERIALIZED (
        SELECT j.id FROM jobs_job j
        WHERE j.crash_count > 0 AND NOT j.blocked AND j.state IN ('scheduled', 'available')
            AND j.run_at <= clock_timestamp() + p_shift
            AND j.queue IN (
                SELECT q.name FROM jobs_queue q WHERE q.name = ANY (p_queues) AND q.paused_at IS NULL
            )
        ORDER BY j.run_at LIMIT p_limit FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE jobs_job j SET state = 'running', attempt = j.attempt + 1, fence = j.fence + 1,
        lease_until = clock_timestamp() + p_lease, worker = p_worker, started_at = clock_timestamp()
    FROM picked WHERE j.id = picked.id RETURNING j.*;
END $$;

-- How many jobs may be leased now, counted up to a limit, in how many seconds the next one may, whether
-- there are lines that nobody has let go on yet, and how many due jobs wait for jobs_lease_suspects.
CREATE FUNCTION jobs_ready(p_queues text[], p_limit integer, p_shift interval)
RETURNS TABLE (due integer, next_due_s double precision, stalled boolean, suspects integer)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_queue text;
    v_queues text[] := '{}';
    v_priority integer;
    v_next timestamptz;
    v_found integer;
BEGIN
    due := 0;
    FOR v_queue IN SELECT q.name FROM jobs_queue q WHERE q.name = ANY (p_queues) AND q.paused_at IS NULL LOOP
        v_queues := v_queues || v_queue;
        FOR v_priority IN 0..3 LOOP
            SELECT count(*) FILTER (WHERE r.run_at <= v_now), min(r.run_at) FILTER (WHERE r.run_at > v_now)
            INTO v_found, v_next FROM (
                SELECT j.run_at FROM jobs_job j
                WHERE j.queue = v_queue AND j.priority = v_priority AND NOT j.blocked
                    AND j.state IN ('scheduled', 'available') AND j.crash_count = 0
                ORDER BY j.run_at LIMIT p_limit
            ) r;
            due := due + v_found;
            next_due_s := least(next_due_s, date_part('epoch', v_next - v_now));
        END LOOP;
    END LOOP;
    due := least(due, p_limit);
    stalled := EXISTS (SELECT FROM jobs_partitionwake);
    SELECT count(*) INTO suspects FROM (
        SELECT FROM jobs_job j
        WHERE j.crash_count > 0 AND NOT j.blocked AND j.state IN ('scheduled', 'available')
            AND j.run_at <= v_now AND j.queue = ANY (v_queues)
        LIMIT p_limit
    ) s;
    RETURN NEXT;
END $$;
