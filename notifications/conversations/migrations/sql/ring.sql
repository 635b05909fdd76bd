-- A timer rings. What a worker does some hundred times a second is two calls instead of eight.

-- Decide whether a person is told of a message. fate 'tell': store the event, then settle; otherwise
-- it is settled already. Each statement sees what was committed before it: whoever reads the message
-- holds the row of the participant, and has committed once we have it.
CREATE FUNCTION conversation_ring(
    given_dialog uuid, given_user text, given_message uuid, given_job uuid,
    is_on boolean, max_wait interval, clock_offset interval,
    OUT fate text, OUT reason text, OUT event_id uuid, OUT participant_id bigint,
    OUT "position" bigint, OUT title text, OUT sender_id text, OUT body text,
    OUT sent_at timestamptz, OUT unread integer
) LANGUAGE plpgsql AS $$
DECLARE
    p conversation_participant;
    n conversation_notice;
    given_now timestamptz;
BEGIN
    SELECT * INTO p FROM conversation_participant
    WHERE dialog_id = given_dialog AND user_id = given_user FOR NO KEY UPDATE;
    given_now := clock_timestamp() + clock_offset;  -- after whoever we have waited for
    SELECT m.position, m.sender_id, m.text, m.sent_at, d.title
    INTO "position", sender_id, body, sent_at, title
    FROM conversation_message m JOIN conversation_dialog d ON d.id = m.dialog_id
    WHERE m.id = given_message AND m.dialog_id = given_dialog;
    participant_id := p.id;
    unread := p.unread;
    IF p.id IS NULL OR "position" IS NULL THEN
        -- The dialog is gone, with all that could be told of it; or the person never was there.
        fate := 'skipped';
        reason := 'left';
        PERFORM conversation_count(fate, reason, given_now);
        RETURN;
    END IF;
    SELECT * INTO n FROM conversation_notice c
    WHERE c.participant_id = p.id AND c.position = conversation_ring."position";
    IF FOUND THEN
        fate := n.fate;
        reason := n.reason;
        event_id := n.event_id;
        RETURN;
    END IF;
    reason := CASE
        WHEN p.left_at IS NOT NULL THEN 'left'
        WHEN p.last_read_position >= "position" THEN 'read'
        WHEN NOT p.notifications_enabled THEN 'disabled'
        WHEN NOT is_on THEN 'switched_off'
        ELSE '' END;
    -- A later message has begun a timer of its own while this one was on its way to a worker. That
    -- one tells, unless somebody has waited for so long that it would be too long.
    IF reason = '' AND p.pending_position > "position" AND given_now - p.pending_since < max_wait THEN
        fate := 'skipped';
        reason := 'superseded';
        PERFORM conversation_count('debounced', '', given_now);
        RETURN;
    END IF;
    IF reason = '' THEN
        fate := 'tell';
        RETURN;
    END IF;
    fate := 'skipped';
    PERFORM conversation_settle(
        participant_id, given_message, "position", sent_at, fate, reason, NULL, given_job, given_now);
END $$;

-- Note what it came to, in the transaction of the event. The caller holds the participant.
CREATE FUNCTION conversation_settle(
    given_participant bigint, given_message uuid, given_position bigint, given_sent_at timestamptz,
    given_fate text, given_reason text, given_event uuid, given_job uuid, given_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH p AS (
        -- The message that follows has waited for no longer than this one.
        UPDATE conversation_participant SET
            pending_since = CASE WHEN pending_position > given_position THEN given_now END,
            pending_position = CASE WHEN pending_position > given_position THEN pending_position END
        WHERE id = given_participant RETURNING dialog_id, user_id, unread
    )
    INSERT INTO conversation_notice (dialog_id, participant_id, user_id, message_id, position,
        fate, reason, unread, sent_at, at, event_id, job_id)
    SELECT dialog_id, given_participant, user_id, given_message, given_position,
        given_fate, given_reason, unread, given_sent_at, given_now, given_event, given_job FROM p;
    PERFORM conversation_count(given_fate, given_reason, given_now);
END $$;

-- Settle what was to be told. An event that no endpoint asks for was not stored, and nobody is told.
CREATE FUNCTION conversation_told(
    given_participant bigint, given_message uuid, given_position bigint, given_sent_at timestamptz,
    given_event uuid, given_job uuid, given_now timestamptz,
    OUT fate text, OUT reason text, OUT event_id uuid
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT id INTO event_id FROM webhook_event WHERE id = given_event;
    fate := CASE WHEN event_id IS NULL THEN 'skipped' ELSE 'sent' END;
    reason := CASE WHEN event_id IS NULL THEN 'no_endpoint' ELSE '' END;
    PERFORM conversation_settle(given_participant, given_message, given_position, given_sent_at,
        fate, reason, event_id, given_job, given_now);
END $$;

-- One more of something; see notifications.conversations.stats.
CREATE FUNCTION conversation_count(given_event text, given_reason text, given_now timestamptz)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO conversation_stat (at, event, reason, count)
    VALUES (date_trunc('minute', given_now), given_event, given_reason, 1)
$$;
