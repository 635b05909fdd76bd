-- Wake the lane for rows of any inserter. A hint only: nothing is locked, so that a long transaction
-- of a stranger holds up nobody, and the lane looks every half minute anyway.
CREATE FUNCTION notification_queue_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('jobs_wake', 'telegram.drain_queue');
    RETURN NULL;
END $$;
CREATE TRIGGER notification_queue_wake AFTER INSERT ON notification_queue
    FOR EACH STATEMENT EXECUTE FUNCTION notification_queue_wake();

ALTER TABLE notification_queue SET (
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

-- Claim due messages, the urgent ones first, one per chat. A message whose chat may not be written to
-- yet gets a slot of its own behind the chat's others and is not looked at before it, so that a
-- claim costs what it claims, even with ten thousand messages to one chat in front of everybody.
-- Rows that another transaction holds are skipped.
CREATE FUNCTION telegram_claim(p_limit integer, p_job uuid, p_shift interval)
RETURNS SETOF notification_queue LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_row notification_queue;
    v_chat telegram_chat;
    v_gap interval;
    v_slot timestamptz;
    v_earlier timestamptz;
    v_left integer := p_limit;
    v_seen integer;
BEGIN
    FOR v_round IN 1..5 LOOP
        v_seen := 0;
        FOR v_row IN
            SELECT * FROM notification_queue q
            WHERE q.status = 'pending' AND q.claimed_at IS NULL
                AND coalesce(q.next_attempt_at, q.scheduled_at) <= v_now
            ORDER BY q.priority, coalesce(q.next_attempt_at, q.scheduled_at), q.id
            LIMIT greatest(v_left * 4, 50) FOR UPDATE SKIP LOCKED
        LOOP
            v_seen := v_seen + 1;
            -- Groups take 20 messages a minute, other chats one a second (Bot API FAQ).
            v_gap := CASE WHEN v_row.telegram_id < 0 THEN interval '3 seconds' ELSE interval '1 second' END;
            INSERT INTO telegram_chat (chat_id) VALUES (v_row.telegram_id) ON CONFLICT DO NOTHING;
            SELECT * INTO v_chat FROM telegram_chat WHERE chat_id = v_row.telegram_id FOR NO KEY UPDATE;
            SELECT coalesce(e.next_attempt_at, e.scheduled_at) INTO v_earlier FROM notification_queue e
            WHERE e.telegram_id = v_row.telegram_id AND e.status = 'pending'
                AND e.priority = v_row.priority AND (e.scheduled_at, e.id) < (v_row.scheduled_at, v_row.id)
            ORDER BY e.scheduled_at, e.id LIMIT 1;
            IF v_earlier IS NULL AND coalesce(v_chat.next_at, v_now) <= v_now THEN
                UPDATE telegram_chat SET next_at = v_now + interval '2 minutes'
                WHERE chat_id = v_row.telegram_id;
                UPDATE notification_queue SET claimed_at = v_now, claim_job = p_job
                WHERE id = v_row.id RETURNING * INTO v_row;
                v_left := v_left - 1;
                RETURN NEXT v_row;
                EXIT WHEN v_left <= 0;
            ELSE
                v_slot := greatest(
                    v_chat.tail_at + v_gap, v_earlier + v_gap,
                    -- While a message of the chat is on its way next_at is only a safety net.
                    least(v_chat.next_at, v_now + v_gap), v_now + interval '100 milliseconds'
                );
                UPDATE telegram_chat SET tail_at = v_slot WHERE chat_id = v_row.telegram_id;
                UPDATE notification_queue SET next_attempt_at = v_slot WHERE id = v_row.id;
            END IF;
        END LOOP;
        EXIT WHEN v_left <= 0 OR v_seen = 0;
    END LOOP;
END $$;

-- A new run of the lane takes over what a killed one was just sending: it may arrive twice.
CREATE FUNCTION telegram_take_over(p_shift interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH freed AS (
        UPDATE notification_queue SET claimed_at = NULL, claim_job = NULL, maybe_doubled = true,
            next_attempt_at = clock_timestamp() + p_shift,
            tries = tries || jsonb_build_array(jsonb_build_object(
                'at', clock_timestamp(), 'outcome', 'unknown',
                'error', 'the sender ended without a word while it sent this'))
        WHERE claimed_at IS NOT NULL RETURNING telegram_id
    ), chats AS (
        UPDATE telegram_chat c SET next_at = NULL FROM freed f WHERE c.chat_id = f.telegram_id
    )
    SELECT count(*) INTO v_count FROM freed;
    RETURN v_count;
END $$;

-- Write what became of claimed messages. Only the claim of this job counts.
-- outcome: sent, retry (attempts + 1), wait (no attempt spent), failed, cancelled.
CREATE FUNCTION telegram_mark(
    p_job uuid, p_ids bigint[], p_outcomes text[], p_message_ids bigint[], p_errors text[],
    p_reasons text[], p_waits interval[], p_unknown boolean[], p_shift interval
) RETURNS SETOF bigint LANGUAGE sql AS $$
    WITH f AS (
        SELECT * FROM unnest(p_ids, p_outcomes, p_message_ids, p_errors, p_reasons, p_waits, p_unknown)
            AS f (id, outcome, message_id, error, reason, wait, is_unknown)
    ), marked AS (
        UPDATE notification_queue q SET
            status = CASE f.outcome WHEN 'sent' THEN 'sent' WHEN 'failed' THEN 'failed'
                WHEN 'cancelled' THEN 'cancelled' ELSE 'pending' END,
            sent_at = CASE WHEN f.outcome = 'sent' THEN clock_timestamp() + p_shift ELSE q.sent_at END,
            message_id = coalesce(f.message_id, q.message_id),
            attempts = q.attempts + (f.outcome = 'retry' OR f.outcome = 'failed')::integer,
            error_message = CASE WHEN f.outcome = 'sent' THEN f.error ELSE coalesce(f.error, q.error_message) END,
            reason = f.reason,
            next_attempt_at = CASE WHEN f.wait IS NULL THEN q.next_attempt_at
                ELSE clock_timestamp() + p_shift + f.wait END,
            maybe_doubled = q.maybe_doubled OR f.is_unknown,
            claimed_at = NULL, claim_job = NULL,
            tries = CASE WHEN f.outcome = 'sent' AND q.attempts = 0 OR jsonb_array_length(q.tries) >= 20
                THEN q.tries ELSE q.tries || jsonb_build_array(jsonb_build_object(
                    'at', clock_timestamp(), 'outcome', f.outcome, 'error', f.error)) END
        FROM f WHERE q.id = f.id AND q.claim_job = p_job AND q.claimed_at IS NOT NULL
        RETURNING q.id, q.telegram_id, f.outcome, f.reason
    ), chats AS (
        UPDATE telegram_chat c SET
            next_at = clock_timestamp() + p_shift
                + CASE WHEN m.telegram_id < 0 THEN interval '3 seconds' ELSE interval '1 second' END,
            last_sent_at = CASE WHEN m.outcome = 'sent' THEN clock_timestamp() + p_shift ELSE c.last_sent_at END,
            unreachable_since = CASE WHEN m.outcome = 'sent' THEN NULL
                WHEN m.outcome = 'failed' AND m.reason = ANY ('{blocked,deactivated,not_started,not_found,kicked,to_bot}')
                THEN coalesce(c.unreachable_since, clock_timestamp() + p_shift) ELSE c.unreachable_since END,
            unreachable_reason = CASE WHEN m.outcome = 'sent' THEN NULL
                WHEN m.outcome = 'failed' AND m.reason = ANY ('{blocked,deactivated,not_started,not_found,kicked,to_bot}')
                THEN m.reason ELSE c.unreachable_reason END
        FROM marked m WHERE c.chat_id = m.telegram_id
    )
    SELECT id FROM marked
$$;
