-- Acks. One row comes back, its arrays in the order of the pairs: stream is the position of the
-- notification itself, null if there is none with this id in this inbox that the person has seen; position
-- is that of the change, null if nothing changed (read before, or named twice).
CREATE FUNCTION inbox_read(
    p_recipients bigint[], p_ids uuid[], p_shift interval,
    OUT read_at timestamptz, OUT outbox_id bigint, OUT streams bigint[], OUT positions bigint[],
    OUT prevs bigint[], OUT users bigint[], OUT logins text[]
) LANGUAGE plpgsql
    -- The plan is fixed to walks on indexes, whatever the statistics say.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_owners bigint[];
    v_unread integer[];
    v_count integer;
BEGIN
    PERFORM inbox_lock(p_recipients);
    read_at := clock_timestamp() + p_shift;
    -- A statement of its own: it sees what the former holders of the inboxes committed.
    SELECT array_agg(t.position ORDER BY t.ord),
        array_agg(CASE WHEN t.is_new THEN t.recipient_id END ORDER BY t.ord),
        array_agg(-(t.state = 'unread')::integer ORDER BY t.ord),
        count(*) FILTER (WHERE t.is_new)
    INTO streams, v_owners, v_unread, v_count
    FROM (
        SELECT u.ord, u.recipient_id, n.state, n.position,
            n.state IN ('unread', 'auto_cleared')
                AND row_number() OVER (PARTITION BY u.id, u.recipient_id ORDER BY u.ord) = 1 AS is_new
        FROM unnest(p_recipients, p_ids) WITH ORDINALITY u (recipient_id, id, ord)
        LEFT JOIN inbox_notification n ON n.id = u.id AND n.recipient_id = u.recipient_id
    ) t;
    IF v_count = 0 THEN
        RETURN;
    END IF;
    SELECT a.positions, a.prevs INTO positions, prevs FROM inbox_advance(v_owners, v_unread, read_at) a;
    UPDATE inbox_notification n SET state = 'read', version = t.position, read_at = inbox_read.read_at
    FROM unnest(p_ids, positions) t (id, position) WHERE n.id = t.id AND t.position IS NOT NULL;
    SELECT array_agg(r.user_id ORDER BY t.ord), array_agg(r.login ORDER BY t.ord) INTO users, logins
    FROM unnest(v_owners) WITH ORDINALITY t (id, ord) LEFT JOIN inbox_recipient r ON r.id = t.id;
    outbox_id := inbox_note(v_owners, positions);
    PERFORM inbox_count('acked', v_count, read_at);
END $$;
