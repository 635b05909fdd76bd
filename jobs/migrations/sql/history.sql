-- Finished jobs and earlier tries, partitioned by day so that retention drops whole tables.
-- Columns of jobs_jobhistory stand in the order of the INSERTs of finish.sql.
CREATE TABLE jobs_jobhistory (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    kind varchar(80) NOT NULL,
    queue varchar(40) NOT NULL,
    priority smallint NOT NULL,
    state varchar(10) NOT NULL CHECK (state IN ('completed', 'dead', 'cancelled')),
    args jsonb NOT NULL,
    run_at timestamptz NOT NULL,
    attempt integer NOT NULL,
    max_attempts integer NOT NULL,
    crash_count integer NOT NULL,
    fence bigint NOT NULL,
    worker varchar(120),
    partition_key varchar(160),
    skip_ahead boolean NOT NULL,
    unique_key varchar(200),
    debounce_key varchar(200),
    debounced integer NOT NULL,
    first_enqueued_at timestamptz,
    deadline_at timestamptz,
    timeout_s double precision,
    retry_delays jsonb,
    progress jsonb,
    checkpoint jsonb,
    last_error text,
    correlation_id varchar(64),
    batch_id uuid,
    parent_id uuid,
    replay_of uuid,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz NOT NULL,
    result jsonb,
    logs jsonb,
    resolution varchar(200),
    PRIMARY KEY (id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX jobs_jobhistory_kind ON jobs_jobhistory (kind, id);
CREATE INDEX jobs_jobhistory_unusual ON jobs_jobhistory (state, id) WHERE state <> 'completed';
CREATE INDEX jobs_jobhistory_key ON jobs_jobhistory (partition_key, id) WHERE partition_key IS NOT NULL;
-- Whatever no day has claimed yet; stays empty while the days are made ahead.
CREATE TABLE jobs_jobhistory_other PARTITION OF jobs_jobhistory DEFAULT;

CREATE TABLE jobs_jobattempt (
    id uuid NOT NULL,
    job_id uuid NOT NULL,
    attempt integer NOT NULL,
    fence bigint NOT NULL,
    worker varchar(120),
    started_at timestamptz,
    finished_at timestamptz NOT NULL,
    outcome varchar(10) NOT NULL,
    error text,
    logs jsonb,
    next_run_at timestamptz,
    PRIMARY KEY (id, finished_at)
) PARTITION BY RANGE (finished_at);
CREATE INDEX jobs_jobattempt_job ON jobs_jobattempt (job_id, finished_at);
CREATE TABLE jobs_jobattempt_other PARTITION OF jobs_jobattempt DEFAULT;

-- The partition of one day; safe to call again and from several sides at once. What finished on a day
-- that nobody had made (all was off for long) stands in the partition of the rest, and moves over.
CREATE FUNCTION jobs_history_day(p_table text, p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_name text := format('%s_%s', p_table, to_char(p_day, 'YYYYMMDD'));
    v_rest text := p_table || '_other';
    v_from timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
    v_to timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('jobs_history_day'));
    IF to_regclass(v_name) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Nobody may add to the rest meanwhile; making a partition takes this lock anyway.
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', v_rest);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', v_name, p_table);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE finished_at >= $1 AND finished_at < $2 RETURNING *)
        INSERT INTO %I SELECT * FROM moved', v_rest, v_name) USING v_from, v_to;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        p_table, v_name, v_from, v_to);
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_insert_scale_factor = 0.5)', v_name);
END $$;

CREATE VIEW jobs_jobrecord AS
SELECT id, seq, kind, queue, priority, state, args, run_at, attempt, max_attempts, crash_count,
    fence, worker, partition_key, skip_ahead, unique_key, debounce_key, debounced,
    first_enqueued_at, deadline_at, timeout_s, retry_delays, progress, checkpoint, last_error,
    correlation_id, batch_id, parent_id, replay_of, created_at, started_at,
    blocked, lease_until, cancel_requested_at,
    NULL::timestamptz AS finished_at, NULL::jsonb AS result, NULL::jsonb AS logs,
    NULL::varchar(200) AS resolution
FROM jobs_job
UNION ALL
SELECT id, seq, kind, queue, priority, state, args, run_at, attempt, max_attempts, crash_count,
    fence, worker, partition_key, skip_ahead, unique_key, debounce_key, debounced,
    first_enqueued_at, deadline_at, timeout_s, retry_delays, progress, checkpoint, last_error,
    correlation_id, batch_id, parent_id, replay_of, created_at, started_at,
    false, NULL::timestamptz, NULL::timestamptz,
    finished_at, result, logs, resolution
FROM jobs_jobhistory;
