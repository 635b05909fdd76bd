-- The row of a recipient is the lock of that person's inbox. Everybody takes it before looking at anything
-- in the inbox that is to change, many of them in the order of ids; it gives the next positions.

-- The ids of people, one per pair, in the order of the pairs. Who is new is made.
CREATE FUNCTION inbox_recipients(p_users bigint[], p_logins text[]) RETURNS bigint[] LANGUAGE plpgsql
    -- The plan is fixed to walks on indexes, whatever the statistics say.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_ids bigint[];
BEGIN
    LOOP
        SELECT array_agg(r.id ORDER BY t.ord) INTO v_ids
        FROM unnest(p_users, p_logins) WITH ORDINALITY t (user_id, login, ord)
        LEFT JOIN inbox_recipient r ON r.user_id = t.user_id AND r.login = t.login;
        EXIT WHEN array_position(v_ids, NULL) IS NULL;
        -- In one order, so that two who make the same people never wait for each other in a ring. Then
        -- look again: only a statement of its own sees whom somebody else has made meanwhile.
        INSERT INTO inbox_recipient (user_id, login)
        SELECT DISTINCT t.user_id, t.login FROM unnest(p_users, p_logins, v_ids) t (user_id, login, id)
        WHERE t.id IS NULL ORDER BY 1, 2
        ON CONFLICT (user_id, login) DO NOTHING;
    END LOOP;
    RETURN coalesce(v_ids, '{}');
END $$;

-- Take the inboxes of people. One search per id: a walk along `= ANY` wades through dead entries.
CREATE FUNCTION inbox_lock(p_recipients bigint[]) RETURNS void LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    PERFORM FROM unnest(p_recipients) u (id) JOIN inbox_recipient r ON r.id = u.id
    ORDER BY r.id FOR NO KEY UPDATE OF r;
END $$;

-- Take the next position for each change; the caller holds the inboxes. p_recipients: whose, in the order
-- of the changes, null for what is none. p_unread: by how much each changes the number of unread ones.
-- Gives back one position per change and the one that the person had before it. Positions are milliseconds.
CREATE FUNCTION inbox_advance(
    p_recipients bigint[], p_unread integer[], p_now timestamptz, OUT positions bigint[], OUT prevs bigint[]
) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_ms bigint := floor(date_part('epoch', p_now) * 1000);
BEGIN
    SELECT array_agg(t.start + t.nth ORDER BY t.ord),
        array_agg(CASE WHEN t.nth = 0 THEN t.last_position ELSE t.start + t.nth - 1 END ORDER BY t.ord)
    INTO positions, prevs
    FROM (
        SELECT c.ord, c.nth, r.last_position,
            CASE WHEN r.id IS NOT NULL THEN greatest(r.last_position + 1, v_ms) END AS start
        FROM (
            SELECT u.ord, u.recipient_id,
                row_number() OVER (PARTITION BY u.recipient_id ORDER BY u.ord) - 1 AS nth
            FROM unnest(p_recipients) WITH ORDINALITY u (recipient_id, ord)
        ) c LEFT JOIN inbox_recipient r ON r.id = c.recipient_id
    ) t;
    UPDATE inbox_recipient r SET last_position = m.last, unread = r.unread + m.unread
    FROM (
        SELECT u.recipient_id, max(u.position) AS last, sum(u.unread) AS unread
        FROM unnest(p_recipients, positions, p_unread) u (recipient_id, position, unread)
        WHERE u.recipient_id IS NOT NULL GROUP BY u.recipient_id
    ) m WHERE r.id = m.recipient_id;
END $$;

-- Note what this transaction changes until somebody has published it; see Outbox.
CREATE FUNCTION inbox_note(p_recipients bigint[], p_positions bigint[]) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO inbox_outbox (recipient_ids, positions) VALUES (
        array_remove(p_recipients, NULL), array_remove(p_positions, NULL)
    ) RETURNING id
$$;

-- Count something in the minute of p_at; see Stat.
CREATE FUNCTION inbox_count(p_event text, p_count bigint, p_at timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO inbox_stat (at, event, count)
    SELECT date_trunc('minute', p_at), p_event, p_count WHERE p_count > 0
$$;

-- When the quiet hours end in which p_at lies; null if it lies in none. The wall clock of the person
-- decides. Where clocks are put forward over the end, the quiet hours end with that; where the end
-- comes twice, they end with the second.
CREATE FUNCTION inbox_quiet_until(p_at timestamptz, p_from time, p_to time, p_zone text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN t.wall_end IS NULL OR t.until AT TIME ZONE p_zone = t.wall_end THEN t.until
        -- No clock shows the end on that day: the first minute in which they show a later time.
        ELSE (SELECT min(m) FROM generate_series(t.until - interval '3 hours', t.until, interval '1 minute') m
            WHERE m > p_at AND m AT TIME ZONE p_zone >= t.wall_end)
    END
    FROM (
        SELECT w.wall_end, w.wall_end AT TIME ZONE p_zone AS until FROM (
            SELECT CASE
                WHEN p_from < p_to AND c.wall::time >= p_from AND c.wall::time < p_to
                    OR p_from > p_to AND c.wall::time < p_to THEN c.wall::date + p_to
                WHEN p_from > p_to AND c.wall::time >= p_from THEN c.wall::date + 1 + p_to
            END AS wall_end
            FROM (SELECT p_at AT TIME ZONE p_zone AS wall) c
        ) w
    ) t
$$;
