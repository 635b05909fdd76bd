-- What happens to notifications later. Each change takes the next position of its person, so all of these
-- go the same way: take the inboxes; look again, for what was seen before may be over; take one position
-- per change; leave, in the same transaction, a row for the relay and the count.
-- p_shift: how far the clock of the project is moved (lib/clock.py).

-- A change as it is published. version: its position, null if there is nothing to publish, since nobody
-- was shown the notification; prev: where the person stood before it.
CREATE TYPE inbox_change AS (
    recipient_id bigint, user_id bigint, login text, notification_id uuid,
    "position" bigint, version bigint, prev bigint,
    state text, message text, source text, created_at timestamptz, expires_at timestamptz,
    priority smallint, edition integer, data text, outbox_id bigint
);

CREATE FUNCTION inbox_told(n inbox_notification, r inbox_recipient, p_prev bigint, p_outbox_id bigint)
RETURNS inbox_change LANGUAGE sql STABLE AS $$
    SELECT ROW(n.recipient_id, r.user_id, r.login, n.id, n.position, n.version, p_prev,
        n.state, n.message, n.source, n.created_at, n.expires_at,
        n.priority, n.edition, n.data::text, p_outbox_id)::inbox_change
$$;

-- Take the inboxes in which these notifications are.
CREATE FUNCTION inbox_lock_of(p_ids uuid[]) RETURNS void LANGUAGE plpgsql
    -- The plan is fixed to walks on indexes, whatever the statistics say; so below.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
BEGIN
    PERFORM inbox_lock(ARRAY(
        SELECT DISTINCT n.recipient_id FROM inbox_notification n WHERE n.id = ANY (p_ids)));
END $$;

-- End what is unread: auto_cleared, recalled or replaced. The last two also end what is deferred.
CREATE FUNCTION inbox_close(p_ids uuid[], p_state text, p_shift interval)
RETURNS SETOF inbox_change LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_now timestamptz;
    v_ids uuid[];
    v_owners bigint[];  -- null for what nobody was shown
    v_positions bigint[];
    v_prevs bigint[];
    v_outbox_id bigint;
BEGIN
    PERFORM inbox_lock_of(p_ids);
    v_now := clock_timestamp() + p_shift;
    SELECT array_agg(n.id ORDER BY n.position, n.id),
        array_agg(CASE WHEN n.position IS NOT NULL THEN n.recipient_id END ORDER BY n.position, n.id)
    INTO v_ids, v_owners
    FROM inbox_notification n
    WHERE n.id = ANY (p_ids) AND (n.state = 'unread' OR n.state = 'deferred' AND p_state <> 'auto_cleared');
    IF v_ids IS NULL THEN
        RETURN;
    END IF;
    SELECT a.positions, a.prevs INTO v_positions, v_prevs
    FROM inbox_advance(v_owners, array_fill(-1, ARRAY[cardinality(v_ids)]), v_now) a;
    IF cardinality(array_remove(v_positions, NULL)) > 0 THEN
        v_outbox_id := inbox_note(v_owners, v_positions);
    END IF;
    PERFORM inbox_count(p_state, cardinality(v_ids), v_now);
    RETURN QUERY
    WITH changed AS (
        UPDATE inbox_notification n SET state = p_state, version = t.position,
            cleared_at = CASE WHEN p_state = 'auto_cleared' THEN v_now ELSE n.cleared_at END,
            recalled_at = CASE WHEN p_state = 'auto_cleared' THEN n.recalled_at ELSE v_now END
        FROM unnest(v_ids, v_positions, v_prevs) t (id, position, prev), inbox_recipient r
        WHERE n.id = t.id AND r.id = n.recipient_id
        RETURNING inbox_told(n, r, t.prev, v_outbox_id) AS told
    )
    SELECT (told).* FROM changed;
END $$;

-- Give what is unread or deferred another text or other data: one entry per id. Null leaves it as it is;
-- the JSON null takes the data away.
CREATE FUNCTION inbox_update(p_ids uuid[], p_messages text[], p_data text[], p_shift interval)
RETURNS SETOF inbox_change LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_now timestamptz;
    v_ids uuid[];
    v_owners bigint[];
    v_positions bigint[];
    v_prevs bigint[];
    v_outbox_id bigint;
BEGIN
    PERFORM inbox_lock_of(p_ids);
    v_now := clock_timestamp() + p_shift;
    SELECT array_agg(n.id ORDER BY n.position, n.id),
        array_agg(CASE WHEN n.position IS NOT NULL THEN n.recipient_id END ORDER BY n.position, n.id)
    INTO v_ids, v_owners
    FROM inbox_notification n WHERE n.id = ANY (p_ids) AND n.state IN ('unread', 'deferred');
    IF v_ids IS NULL THEN
        RETURN;
    END IF;
    SELECT a.positions, a.prevs INTO v_positions, v_prevs
    FROM inbox_advance(v_owners, array_fill(0, ARRAY[cardinality(v_ids)]), v_now) a;
    IF cardinality(array_remove(v_positions, NULL)) > 0 THEN
        v_outbox_id := inbox_note(v_owners, v_positions);
    END IF;
    PERFORM inbox_count('updated', cardinality(v_ids), v_now);
    RETURN QUERY
    WITH changed AS (
        UPDATE inbox_notification n SET version = t.position, edited = t.position,
            message = coalesce(g.message, n.message),
            data = CASE WHEN g.data IS NULL THEN n.data ELSE nullif(g.data::jsonb, 'null'::jsonb) END,
            edition = n.edition + 1, updated_at = v_now
        FROM unnest(v_ids, v_positions, v_prevs) t (id, position, prev)
        JOIN unnest(p_ids, p_messages, p_data) g (id, message, data) ON g.id = t.id, inbox_recipient r
        WHERE n.id = t.id AND r.id = n.recipient_id
        RETURNING inbox_told(n, r, t.prev, v_outbox_id) AS told
    )
    SELECT (told).* FROM changed;
END $$;

-- Show what waited for the end of quiet hours, oldest first. Its life begins now. What was muted in the
-- meantime stays away; what stands on the screens under the same key gives way.
CREATE FUNCTION inbox_release(p_ids uuid[], p_shift interval)
RETURNS SETOF inbox_change LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_now timestamptz;
    v_muted bigint;
    v_ids uuid[];
    v_owners bigint[];
    v_positions bigint[];
    v_prevs bigint[];
    v_outbox_id bigint;
BEGIN
    PERFORM inbox_lock_of(p_ids);
    v_now := clock_timestamp() + p_shift;
    UPDATE inbox_notification n SET state = 'muted' FROM inbox_recipient r
    WHERE n.id = ANY (p_ids) AND n.state = 'deferred' AND r.id = n.recipient_id
        AND n.source = ANY (r.muted_sources);
    GET DIAGNOSTICS v_muted = ROW_COUNT;
    PERFORM inbox_count('muted', v_muted, v_now);
    SELECT array_agg(n.id ORDER BY n.id), array_agg(n.recipient_id ORDER BY n.id) INTO v_ids, v_owners
    FROM inbox_notification n
    WHERE n.id = ANY (p_ids) AND n.state = 'deferred' AND n.deliver_at <= v_now;
    IF v_ids IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT * FROM inbox_close(ARRAY(
        SELECT o.id FROM inbox_notification n JOIN inbox_notification o
            ON o.recipient_id = n.recipient_id AND o.collapse_key = n.collapse_key
                AND o.source = n.source AND o.state = 'unread'
        WHERE n.id = ANY (v_ids)
    ), 'replaced', p_shift);
    SELECT a.positions, a.prevs INTO v_positions, v_prevs
    FROM inbox_advance(v_owners, array_fill(1, ARRAY[cardinality(v_ids)]), v_now) a;
    v_outbox_id := inbox_note(v_owners, v_positions);
    PERFORM inbox_count('sent', cardinality(v_ids), v_now);
    RETURN QUERY
    WITH changed AS (
        UPDATE inbox_notification n SET state = 'unread', position = t.position, version = t.position,
            expires_at = v_now + make_interval(secs => n.ttl_s),
            fallback_at = v_now + (n.fallback_at - n.deliver_at)
        FROM unnest(v_ids, v_positions, v_prevs) t (id, position, prev), inbox_recipient r
        WHERE n.id = t.id AND r.id = n.recipient_id
        RETURNING inbox_told(n, r, t.prev, v_outbox_id) AS told
    )
    SELECT (told).* FROM changed;
END $$;
