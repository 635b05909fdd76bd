-- The lane: claim due messages, take over those of a killed run, write what became of them.

DROP FUNCTION IF EXISTS telegram_claim, telegram_take_over, telegram_mark;

-- Claim due messages, the urgent ones first, one per chat. A message whose chat may not be written to
-- yet gets a slot of its own, right behind the one before it, and is not looked at before: a claim
-- costs what it claims, even with ten thousand messages to one chat in front of everybody. Rows and
-- chats that another transaction holds are skipped.
CREATE FUNCTION telegram_claim(p_limit integer, p_run uuid, p_shift interval)
RETURNS SETOF notification_queue LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := clock_timestamp() + p_shift;
    v_row notification_queue;
    v_chat telegram_chat;
    v_gap interval;
    v_before timestamptz;
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
            INSERT INTO telegram_chat (chat_id) VALUES (v_row.telegram_id) ON CONFLICT DO NOTHING;
            SELECT * INTO v_chat FROM telegram_chat
            WHERE chat_id = v_row.telegram_id FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
            v_seen := v_seen + 1;
            IF v_chat.migrated_to IS NOT NULL THEN
                UPDATE notification_queue SET telegram_id = v_chat.migrated_to WHERE id = v_row.id;
                CONTINUE;
            END IF;
            -- Groups take 20 messages a minute, other chats one a second (Bot API FAQ).
            v_gap := CASE WHEN v_row.telegram_id < 0 THEN interval '3 seconds' ELSE interval '1 second' END;
            SELECT coalesce(e.next_attempt_at, e.scheduled_at) INTO v_before FROM notification_queue e
            WHERE e.telegram_id = v_row.telegram_id AND e.status = 'pending'
                AND e.priority = v_row.priority AND (e.scheduled_at, e.id) < (v_row.scheduled_at, v_row.id)
            ORDER BY e.scheduled_at DESC, e.id DESC LIMIT 1;
            IF v_before IS NULL AND coalesce(v_chat.next_at, v_now) <= v_now THEN
                UPDATE telegram_chat SET next_at = v_now + interval '2 minutes'
                WHERE chat_id = v_row.telegram_id;
                UPDATE notification_queue SET claimed_at = v_now, claim_run = p_run
                WHERE id = v_row.id RETURNING * INTO v_row;
                v_left := v_left - 1;
                RETURN NEXT v_row;
                EXIT WHEN v_left <= 0;
            ELSE
                UPDATE notification_queue SET next_attempt_at = CASE
                    WHEN v_before IS NOT NULL THEN greatest(v_before, v_now) + v_gap
                    -- While a message of the chat is on its way next_at is only a safety net.
                    ELSE greatest(least(v_chat.next_at, v_now + v_gap), v_now + interval '50 milliseconds')
                END WHERE id = v_row.id;
            END IF;
        END LOOP;
        EXIT WHEN v_left <= 0 OR v_seen = 0;
    END LOOP;
END $$;

-- The last twenty tries of a message, with one more.
CREATE FUNCTION telegram_try_add(p_tries jsonb, p_outcome text, p_error text, p_shift interval)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT (CASE WHEN jsonb_array_length(p_tries) >= 20 THEN p_tries - 0 ELSE p_tries END)
        || jsonb_build_array(jsonb_build_object(
            'at', clock_timestamp() + p_shift, 'outcome', p_outcome, 'error', p_error))
$$;

-- A new run of the lane takes over what a killed one was just sending: it may arrive twice.
CREATE FUNCTION telegram_take_over(p_shift interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH freed AS (
        UPDATE notification_queue SET claimed_at = NULL, claim_run = NULL, maybe_doubled = true,
            next_attempt_at = clock_timestamp() + p_shift,
            tries = telegram_try_add(tries, 'unknown',
                'the sender ended without a word while it sent this', p_shift)
        WHERE claimed_at IS NOT NULL RETURNING telegram_id
    ), chats AS (
        UPDATE telegram_chat c SET next_at = NULL FROM freed f WHERE c.chat_id = f.telegram_id
    )
    SELECT count(*) INTO v_count FROM freed;
    RETURN v_count;
END $$;

-- Write what became of claimed messages. Only the claim of this run counts.
-- outcome: sent, retry (attempts + 1), wait (no attempt spent), failed, cancelled.
CREATE FUNCTION telegram_mark(
    p_run uuid, p_ids bigint[], p_outcomes text[], p_message_ids bigint[], p_errors text[],
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
            failed_at = CASE WHEN f.outcome = 'failed' THEN clock_timestamp() + p_shift END,
            claimed_at = NULL, claim_run = NULL,
            -- Sent at the first try: sent_at says it all.
            tries = CASE WHEN f.outcome = 'sent' AND q.tries = '[]' THEN q.tries
                ELSE telegram_try_add(q.tries, f.outcome, f.error, p_shift) END
        FROM f WHERE q.id = f.id AND q.claim_run = p_run AND q.claimed_at IS NOT NULL
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
