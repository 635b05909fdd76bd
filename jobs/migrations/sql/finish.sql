-- The arrows out of `running`. Each takes (id, fence) pairs; a row whose fence has moved on belongs
-- to somebody else and is left alone. What comes back are the ids that were really changed.
-- `lease_until IS NOT NULL` says `running` (a constraint); said so, no partial index is taken for it.

-- Completed jobs leave the hot table. p_lean: none of them has a key, a unique key or a batch.
-- p_tell: wake the pool where a line goes on; who may keep quiet says jobs/lease.py.
-- Unlike the others it gives back the ids that were NOT changed, which is nearly always none.
CREATE FUNCTION jobs_complete(
    p_ids uuid[], p_fences bigint[], p_started float8[], p_finished float8[],
    p_results text[], p_logs text[], p_stats jsonb, p_lean boolean, p_tell boolean, p_shift interval
) RETURNS SETOF uuid LANGUAGE plpgsql
    -- The table changes faster than its statistics: the plan is fixed to walks on its indexes.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_gone uuid[];
    v_keys text[];
    v_tied uuid[];
BEGIN
    WITH f AS (
        SELECT * FROM unnest(p_ids, p_fences, p_started, p_finished, p_results, p_logs)
            AS f (id, fence, started_at, finished_at, result, logs)
    ), gone AS (
        DELETE FROM jobs_job j USING f
        WHERE j.id = f.id AND j.fence = f.fence AND j.lease_until IS NOT NULL
        RETURNING j.*, to_timestamp(f.started_at) AS began_at,
            to_timestamp(f.finished_at) AS finished_at, f.result, f.logs
    ), kept AS (
        INSERT INTO jobs_jobhistory
        SELECT id, seq, kind, queue, priority, 'completed', args, run_at, attempt, max_attempts,
            crash_count, fence, worker, partition_key, skip_ahead, unique_key, debounce_key,
            debounced, first_enqueued_at, deadline_at, timeout_s, retry_delays, progress,
            checkpoint, last_error, correlation_id, batch_id, parent_id, replay_of, created_at,
            began_at, finished_at, result::jsonb, logs::jsonb, NULL
        FROM gone RETURNING id, partition_key, unique_key, batch_id
    )
    SELECT array_agg(id), array_agg(DISTINCT partition_key) FILTER (WHERE partition_key IS NOT NULL),
        array_agg(id) FILTER (WHERE unique_key IS NOT NULL OR batch_id IS NOT NULL)
    INTO v_gone, v_keys, v_tied FROM kept;
    IF NOT p_lean THEN
        IF v_tied IS NOT NULL THEN
            PERFORM jobs_untie(v_tied, p_shift);
        END IF;
        IF v_keys IS NOT NULL THEN
            PERFORM jobs_line_leave(v_keys, p_shift);
            IF p_tell THEN
                PERFORM pg_notify('jobs_wake', '');
            END IF;
        END IF;
    END IF;
    IF cardinality(v_gone) = cardinality(p_ids) THEN
        PERFORM jobs_count(p_stats);
    ELSE
        RETURN QUERY SELECT unnest(p_ids) EXCEPT SELECT unnest(v_gone);
    END IF;
END $$;

-- Retried, snoozed, crashed, released, dead, cancelled. p_run_at is null where the time does not change.
-- A snooze and a release give the attempt back. A released row of a line stands behind its head again.
CREATE FUNCTION jobs_put_back(
    p_ids uuid[], p_fences bigint[], p_outcomes text[], p_started float8[],
    p_finished float8[], p_run_at float8[], p_errors text[], p_logs text[],
    p_stats jsonb, p_shift interval
) RETURNS SETOF uuid LANGUAGE plpgsql
    -- The table changes faster than its statistics: the plan is fixed to walks on its indexes.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_changed uuid[];
    v_cancelled uuid[];
    v_keys text[];
    v_dead uuid[];
BEGIN
    WITH f AS (
        SELECT id, fence, outcome, to_timestamp(started_at) AS started_at,
            to_timestamp(finished_at) AS finished_at, to_timestamp(run_at) AS run_at, error, logs
        FROM unnest(p_ids, p_fences, p_outcomes, p_started, p_finished, p_run_at, p_errors, p_logs)
            AS f (id, fence, outcome, started_at, finished_at, run_at, error, logs)
    ), changed AS (
        UPDATE jobs_job j SET
            state = CASE WHEN f.outcome = 'dead' THEN 'dead'
                WHEN f.run_at > clock_timestamp() + p_shift THEN 'scheduled' ELSE 'available' END,
            run_at = coalesce(f.run_at, j.run_at),
            attempt = j.attempt - (f.outcome IN ('snoozed', 'released'))::integer,
            crash_count = j.crash_count + (f.outcome = 'crashed')::integer,
            last_error = coalesce(f.error, j.last_error),
            lease_until = NULL, worker = CASE WHEN f.outcome = 'dead' THEN j.worker END,
            blocked = j.partition_key IS NOT NULL AND f.outcome <> 'dead'
                AND (f.outcome = 'released' OR j.skip_ahead),
            seq = CASE WHEN f.outcome = 'retried' AND j.skip_ahead AND j.partition_key IS NOT NULL
                THEN nextval('jobs_job_seq_seq') ELSE j.seq END,
            -- A newer call stands under the same debounce key by now, or comes back together with this
            -- one: this one goes on without it.
            debounce_key = CASE WHEN j.debounce_key IS NULL THEN NULL WHEN EXISTS (
                SELECT FROM jobs_job o WHERE o.debounce_key = j.debounce_key AND o.id <> j.id
                    AND o.state IN ('scheduled', 'available')
            ) OR EXISTS (
                SELECT FROM f g JOIN jobs_job o ON o.id = g.id AND o.fence = g.fence
                WHERE o.debounce_key = j.debounce_key AND o.seq > j.seq
                    AND o.lease_until IS NOT NULL AND g.outcome NOT IN ('dead', 'cancelled')
            ) THEN NULL ELSE j.debounce_key END
        FROM f JOIN jobs_job old ON old.id = f.id
        WHERE j.id = f.id AND j.fence = f.fence AND j.lease_until IS NOT NULL AND f.outcome <> 'cancelled'
        RETURNING j.id, j.attempt, j.fence, j.partition_key, old.worker, f.outcome, f.started_at,
            f.finished_at, f.run_at, f.error, f.logs
    ), gone AS (
        DELETE FROM jobs_job j USING f
        WHERE j.id = f.id AND j.fence = f.fence AND j.lease_until IS NOT NULL AND f.outcome = 'cancelled'
        RETURNING j.*, f.started_at AS began_at, f.finished_at, f.error, f.logs
    ), kept AS (
        INSERT INTO jobs_jobhistory
        SELECT id, seq, kind, queue, priority, 'cancelled', args, run_at, attempt, max_attempts,
            crash_count, fence, worker, partition_key, skip_ahead, unique_key, debounce_key,
            debounced, first_enqueued_at, deadline_at, timeout_s, retry_delays, progress,
            checkpoint, coalesce(error, last_error), correlation_id, batch_id, parent_id, replay_of,
            created_at, began_at, finished_at, NULL, logs::jsonb, NULL
        FROM gone RETURNING id
    ), tries AS (
        INSERT INTO jobs_jobattempt
        SELECT gen_random_uuid(), c.id, c.attempt + (c.outcome = 'snoozed')::integer, c.fence,
            c.worker, c.started_at, c.finished_at, c.outcome, c.error, c.logs::jsonb, c.run_at
        FROM changed c WHERE c.outcome <> 'released'
    )
    SELECT (SELECT array_agg(id) FROM changed), (SELECT array_agg(id) FROM kept),
        (SELECT array_agg(DISTINCT partition_key) FROM changed WHERE partition_key IS NOT NULL),
        (SELECT array_agg(id) FROM changed WHERE outcome = 'dead')
    INTO v_changed, v_cancelled, v_keys, v_dead;
    IF coalesce(cardinality(v_changed), 0) + coalesce(cardinality(v_cancelled), 0) = cardinality(p_ids) THEN
        PERFORM jobs_count(p_stats);
    END IF;
    IF v_cancelled IS NOT NULL THEN
        PERFORM jobs_after_end(v_cancelled, p_shift);
    END IF;
    IF v_dead IS NOT NULL THEN
        PERFORM jobs_after_dead(v_dead);
    END IF;
    IF v_keys IS NOT NULL THEN
        PERFORM jobs_line_leave(v_keys, p_shift);
    END IF;
    PERFORM pg_notify('jobs_wake', '');
    RETURN QUERY SELECT unnest(v_changed) UNION ALL SELECT unnest(v_cancelled);
END $$;

-- What hangs on finished jobs (rows of the history): their line, their unique key, their batch.
CREATE FUNCTION jobs_after_end(p_ids uuid[], p_shift interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_keys text[];
BEGIN
    SELECT array_agg(DISTINCT partition_key) INTO v_keys FROM jobs_jobhistory
    WHERE id = ANY (p_ids) AND partition_key IS NOT NULL AND finished_at > now() + p_shift - interval '1 day';
    PERFORM jobs_untie(p_ids, p_shift);
    IF v_keys IS NOT NULL THEN
        PERFORM jobs_line_leave(v_keys, p_shift);
        PERFORM pg_notify('jobs_wake', '');
    END IF;
END $$;

-- The unique keys and batches of finished jobs.
CREATE FUNCTION jobs_untie(p_ids uuid[], p_shift interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM jobs_uniquekey u USING (
        SELECT h.unique_key, h.id FROM jobs_jobhistory h
        WHERE h.id = ANY (p_ids) AND h.unique_key IS NOT NULL AND h.finished_at > now() + p_shift - interval '1 day'
    ) d WHERE u.key = d.unique_key AND u.job_id = d.id AND u.expires_at = 'infinity';
    PERFORM jobs_batch_count(s.batch_id, s.completed, s.cancelled, 0) FROM (
        SELECT batch_id, count(*) FILTER (WHERE state = 'completed') AS completed,
            count(*) FILTER (WHERE state = 'cancelled') AS cancelled
        FROM jobs_jobhistory
        WHERE id = ANY (p_ids) AND batch_id IS NOT NULL AND finished_at > now() + p_shift - interval '1 day'
        GROUP BY batch_id ORDER BY batch_id
    ) s;
END $$;

-- A dead job frees its unique key and counts for its batch; its line goes on.
CREATE FUNCTION jobs_after_dead(p_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM jobs_uniquekey u USING jobs_job j
    WHERE j.id = ANY (p_ids) AND u.key = j.unique_key AND u.job_id = j.id AND u.expires_at = 'infinity';
    PERFORM jobs_batch_count(s.batch_id, 0, 0, s.dead) FROM (
        SELECT batch_id, count(*) AS dead FROM jobs_job
        WHERE id = ANY (p_ids) AND batch_id IS NOT NULL GROUP BY batch_id ORDER BY batch_id
    ) s;
    PERFORM pg_notify('jobs_dead', '');
END $$;

-- Count ended members; the one that completes a sealed batch enqueues its callback, once.
CREATE FUNCTION jobs_batch_count(p_batch uuid, p_completed bigint, p_cancelled bigint, p_dead bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_batch jobs_batch;
BEGIN
    UPDATE jobs_batch SET completed = completed + p_completed, cancelled = cancelled + p_cancelled,
        dead = dead + p_dead
    WHERE id = p_batch RETURNING * INTO v_batch;
    IF FOUND AND v_batch.sealed_at IS NOT NULL AND v_batch.finished_at IS NULL
        AND v_batch.completed + v_batch.cancelled + v_batch.dead >= v_batch.total THEN
        UPDATE jobs_batch SET finished_at = clock_timestamp() WHERE id = p_batch;
        IF v_batch.callback_kind IS NOT NULL THEN
            INSERT INTO jobs_job (id, kind, queue, priority, state, args, run_at, attempt,
                max_attempts, crash_count, fence, skip_ahead, debounced, correlation_id, blocked)
            SELECT v_batch.callback_job_id, v_batch.callback_kind, v_batch.callback_args ->> 'queue',
                (v_batch.callback_args ->> 'priority')::smallint, 'available',
                (v_batch.callback_args -> 'args') || jsonb_build_object('batch_id', p_batch),
                clock_timestamp(), 0, (v_batch.callback_args ->> 'max_attempts')::integer, 0, 0,
                false, 0, v_batch.correlation_id, false;
        END IF;
    END IF;
END $$;

-- Append counts; see JobStat.
CREATE FUNCTION jobs_count(p_stats jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO jobs_jobstat (at, kind, queue, event, count, wait_ms, run_ms, wait_hist, run_hist)
    SELECT date_trunc('minute', clock_timestamp()), s.kind, s.queue, s.event, s.count,
        coalesce(s.wait_ms, 0), coalesce(s.run_ms, 0), s.wait_hist, s.run_hist
    FROM jsonb_to_recordset(p_stats) AS s (
        kind text, queue text, event text, count bigint, wait_ms float, run_ms float,
        wait_hist jsonb, run_hist jsonb
    )
$$;

-- Take back what was leased and never came to an end: by lease, or of a worker known to be gone.
-- p_known: workers of which somebody knows what they are at; p_culprits: those jobs. The others in their
-- pockets are innocent and keep their attempt. Without that knowledge each counts a crash, and is run
-- alone from then on; so whoever knows goes first.
CREATE FUNCTION jobs_reap(
    p_worker text, p_known text[], p_culprits uuid[], p_max_crashes integer, p_limit integer,
    p_shift interval
) RETURNS TABLE (id uuid, kind text, queue text, outcome text, worker text) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_grace interval := '1.5 s';
    v_ids uuid[];
    v_kinds text[];
    v_queues text[];
    v_outcomes text[];
    v_workers text[];
    v_keys text[];
    v_dead uuid[];
BEGIN
    IF NOT EXISTS (
        SELECT FROM jobs_job j WHERE j.state = 'running'
            AND CASE WHEN p_worker IS NOT NULL THEN j.worker = p_worker
                ELSE j.lease_until < v_now AND (j.worker = ANY (p_known) OR j.lease_until < v_now - v_grace) END
    ) THEN
        RETURN;
    END IF;
    WITH lost AS MATERIALIZED (
        SELECT j.id, j.worker, (j.worker <> ALL (p_known) OR j.id = ANY (p_culprits)) AS suspect
        FROM jobs_job j
        WHERE j.state = 'running'
            AND CASE WHEN p_worker IS NOT NULL THEN j.worker = p_worker
                ELSE j.lease_until < v_now AND (j.worker = ANY (p_known) OR j.lease_until < v_now - v_grace) END
        ORDER BY j.id LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), changed AS (
        UPDATE jobs_job j SET
            crash_count = j.crash_count + l.suspect::integer,
            attempt = j.attempt - (NOT l.suspect)::integer,
            state = CASE WHEN l.suspect AND j.crash_count + 1 >= p_max_crashes THEN 'dead'
                ELSE 'available' END,
            last_error = CASE
                WHEN l.suspect AND j.crash_count + 1 >= p_max_crashes THEN
                    format('poison: %s workers ended without a word while they ran it', j.crash_count + 1)
                WHEN l.suspect THEN 'its worker ended without a word' ELSE j.last_error END,
            lease_until = NULL, worker = NULL, blocked = j.partition_key IS NOT NULL
                AND NOT (l.suspect AND j.crash_count + 1 >= p_max_crashes),
            debounce_key = CASE WHEN j.debounce_key IS NULL THEN NULL WHEN EXISTS (
                SELECT FROM jobs_job o WHERE o.debounce_key = j.debounce_key AND o.id <> j.id
                    AND o.state IN ('scheduled', 'available')
            ) OR EXISTS (
                SELECT FROM lost t JOIN jobs_job o ON o.id = t.id
                WHERE o.debounce_key = j.debounce_key AND o.seq > j.seq
            ) THEN NULL ELSE j.debounce_key END
        FROM lost l WHERE j.id = l.id
        RETURNING j.id, j.kind, j.queue, j.attempt, j.fence, j.started_at, j.last_error,
            j.partition_key, l.worker AS lost_worker, l.suspect,
            CASE WHEN j.state = 'dead' THEN 'dead' WHEN l.suspect THEN 'crashed' ELSE 'released' END
            AS outcome
    ), tries AS (
        INSERT INTO jobs_jobattempt
        SELECT gen_random_uuid(), c.id, c.attempt, c.fence, c.lost_worker, c.started_at,
            clock_timestamp() + p_shift, c.outcome, c.last_error, NULL, NULL
        FROM changed c WHERE c.suspect
    )
    SELECT array_agg(c.id), array_agg(c.kind), array_agg(c.queue), array_agg(c.outcome),
        array_agg(c.lost_worker),
        array_agg(DISTINCT c.partition_key) FILTER (WHERE c.partition_key IS NOT NULL),
        array_agg(c.id) FILTER (WHERE c.outcome = 'dead')
    INTO v_ids, v_kinds, v_queues, v_outcomes, v_workers, v_keys, v_dead FROM changed c;
    IF v_ids IS NULL THEN
        RETURN;
    END IF;
    IF v_dead IS NOT NULL THEN
        PERFORM jobs_after_dead(v_dead);
    END IF;
    IF v_keys IS NOT NULL THEN
        PERFORM jobs_line_leave(v_keys, p_shift);
    END IF;
    PERFORM pg_notify('jobs_wake', '');
    PERFORM jobs_count((
        SELECT jsonb_agg(jsonb_build_object('kind', s.k, 'queue', s.q, 'event', s.o, 'count', s.n))
        FROM (
            SELECT k, q, o, count(*) AS n FROM unnest(v_kinds, v_queues, v_outcomes) u (k, q, o)
            GROUP BY 1, 2, 3
        ) s
    ));
    RETURN QUERY SELECT * FROM unnest(v_ids, v_kinds, v_queues, v_outcomes, v_workers);
END $$;
