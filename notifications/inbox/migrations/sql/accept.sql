-- Older ones whose place is taken: same person, collapse key and source. The caller holds the inboxes.
-- One that nobody has seen yet (deferred) goes without a position.
CREATE FUNCTION inbox_replace(
    p_recipients bigint[], p_keys text[], p_sources text[], p_now timestamptz,
    OUT ids uuid[], OUT recipient_ids bigint[], OUT streams bigint[], OUT positions bigint[], OUT prevs bigint[]
) LANGUAGE plpgsql
    -- The plan is fixed to walks on indexes, whatever the statistics say.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    SELECT array_agg(n.id), array_agg(CASE WHEN n.state = 'unread' THEN n.recipient_id END),
        array_agg(n.position)
    INTO ids, recipient_ids, streams
    FROM unnest(p_recipients, p_keys, p_sources) t (recipient_id, key, source)
    JOIN inbox_notification n ON n.recipient_id = t.recipient_id AND n.collapse_key = t.key
        AND n.source = t.source AND n.state IN ('unread', 'deferred');
    IF ids IS NULL THEN
        RETURN;
    END IF;
    SELECT a.positions, a.prevs INTO positions, prevs
    FROM inbox_advance(recipient_ids, array_fill(-1, ARRAY[cardinality(ids)]), p_now) a;
    UPDATE inbox_notification n SET state = 'replaced', recalled_at = p_now, version = t.position
    FROM unnest(ids, positions) t (id, position) WHERE n.id = t.id;
    PERFORM inbox_count('replaced', cardinality(ids), p_now);
END $$;

-- Accept one notification per target. Nobody is named twice with one collapse key in one call.
-- p_shared: all targets get the same, which then stands in the first place of the arrays after it.
-- One row comes back, its arrays in the order of the targets; position is null for what is not shown now.
-- states is null where all are unread. replaced_*: older ones whose place was taken. deliver_ats and
-- fallback_ats: the moments at which somebody must look at them again.
CREATE FUNCTION inbox_accept(
    p_ids uuid[], p_users bigint[], p_logins text[], p_shared boolean,
    p_messages text[], p_sources text[], p_created timestamptz[], p_ttls integer[], p_keys text[],
    p_priorities smallint[], p_data text[], p_fallbacks integer[], p_senders bigint[],
    p_correlations text[], p_shift interval,
    OUT accepted_at timestamptz, OUT outbox_id bigint, OUT recipient_ids bigint[], OUT states text[],
    OUT positions bigint[], OUT prevs bigint[],
    OUT replaced_ids uuid[], OUT replaced_recipients bigint[], OUT replaced_streams bigint[],
    OUT replaced_positions bigint[], OUT replaced_prevs bigint[],
    OUT deliver_ats timestamptz[], OUT fallback_ats timestamptz[]
) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_untils timestamptz[];
    v_after integer[];  -- seconds until somebody who has not read it is told elsewhere
    v_shown bigint[];
    v_count integer;
BEGIN
    LOOP
        -- Looks people up and takes their inboxes in one walk.
        SELECT array_agg(q.id ORDER BY q.ord),
            array_agg(CASE WHEN q.muted THEN 'muted' WHEN q.until IS NULL THEN 'unread' ELSE 'deferred' END
                ORDER BY q.ord),
            array_agg(q.until ORDER BY q.ord), array_agg(q.after ORDER BY q.ord)
        INTO recipient_ids, states, v_untils, v_after
        FROM (
            SELECT r.id, t.ord, t.source = ANY (r.muted_sources) AS muted,
                CASE WHEN r.quiet_from IS NOT NULL AND t.priority > 0 THEN inbox_quiet_until(
                    clock_timestamp() + p_shift, r.quiet_from, r.quiet_to, r.time_zone
                ) END AS until,
                coalesce(t.fallback, r.fallback_after_s) AS after
            FROM (
                SELECT u.user_id, u.login, u.ord,
                    CASE WHEN p_shared THEN p_sources[1] ELSE u.source END AS source,
                    CASE WHEN p_shared THEN p_priorities[1] ELSE u.priority END AS priority,
                    CASE WHEN p_shared THEN p_fallbacks[1] ELSE u.fallback END AS fallback
                FROM unnest(p_users, p_logins, p_sources, p_priorities, p_fallbacks)
                    WITH ORDINALITY u (user_id, login, source, priority, fallback, ord)
            ) t
            JOIN inbox_recipient r ON r.user_id = t.user_id AND r.login = t.login
            ORDER BY r.id FOR NO KEY UPDATE OF r
        ) q;
        EXIT WHEN coalesce(cardinality(recipient_ids), 0) = cardinality(p_ids);
        PERFORM inbox_recipients(p_users, p_logins);
    END LOOP;
    accepted_at := clock_timestamp() + p_shift;

    IF p_keys[1] IS NOT NULL OR NOT p_shared AND cardinality(array_remove(p_keys, NULL)) > 0 THEN
        SELECT * INTO replaced_ids, replaced_recipients, replaced_streams, replaced_positions, replaced_prevs
        FROM inbox_replace(
            recipient_ids,
            CASE WHEN p_shared THEN array_fill(p_keys[1], ARRAY[cardinality(p_ids)]) ELSE p_keys END,
            CASE WHEN p_shared THEN array_fill(p_sources[1], ARRAY[cardinality(p_ids)]) ELSE p_sources END,
            accepted_at
        );
    END IF;

    IF array_position(states, 'muted') IS NULL AND array_position(states, 'deferred') IS NULL THEN
        v_shown := recipient_ids;
        v_count := cardinality(p_ids);
        states := NULL;
    ELSE
        SELECT array_agg(CASE WHEN t.state = 'unread' THEN t.recipient_id END ORDER BY t.ord),
            count(*) FILTER (WHERE t.state = 'unread')
        INTO v_shown, v_count
        FROM unnest(recipient_ids, states) WITH ORDINALITY t (recipient_id, state, ord);
        PERFORM inbox_count(s.state, s.n, accepted_at) FROM (
            SELECT t.state, count(*) AS n FROM unnest(states) t (state) WHERE t.state <> 'unread' GROUP BY 1
        ) s;
    END IF;
    IF states IS NOT NULL THEN
        deliver_ats := ARRAY(
            SELECT DISTINCT t.until FROM unnest(states, v_untils) t (state, until) WHERE t.state = 'deferred'
        );
    END IF;
    IF cardinality(array_remove(v_after, NULL)) > 0 THEN
        -- What is deferred is looked at when it is shown.
        fallback_ats := ARRAY(
            SELECT DISTINCT accepted_at + make_interval(secs => t.after)
            FROM unnest(v_shown, v_after) t (shown, after) WHERE t.shown IS NOT NULL AND t.after IS NOT NULL
        );
    END IF;
    SELECT a.positions, a.prevs INTO positions, prevs
    FROM inbox_advance(v_shown, array_fill(1, ARRAY[cardinality(p_ids)]), accepted_at) a;

    INSERT INTO inbox_notification (
        id, recipient_id, position, version, state, message, source, created_at, accepted_at, deliver_at,
        expires_at, ttl_s, collapse_key, priority, data, correlation_id, sender_id, fallback_at
    )
    SELECT t.id, t.recipient_id, t.position, t.position, coalesce(t.state, 'unread'), t.message, t.source,
        coalesce(t.created_at, accepted_at), accepted_at,
        CASE WHEN t.state = 'deferred' THEN t.until END,
        CASE WHEN t.position IS NOT NULL THEN accepted_at + make_interval(secs => t.ttl_s) END,
        t.ttl_s, t.key, t.priority, t.data::jsonb, t.correlation, t.sender,
        CASE WHEN t.state IS DISTINCT FROM 'muted'
            THEN coalesce(t.until, accepted_at) + make_interval(secs => t.after) END
    FROM (
        SELECT u.id, u.recipient_id, u.position, u.state, u.until, u.after,
            CASE WHEN p_shared THEN p_messages[1] ELSE u.message END AS message,
            CASE WHEN p_shared THEN p_sources[1] ELSE u.source END AS source,
            CASE WHEN p_shared THEN p_created[1] ELSE u.created_at END AS created_at,
            CASE WHEN p_shared THEN p_ttls[1] ELSE u.ttl_s END AS ttl_s,
            CASE WHEN p_shared THEN p_keys[1] ELSE u.key END AS key,
            CASE WHEN p_shared THEN p_priorities[1] ELSE u.priority END AS priority,
            CASE WHEN p_shared THEN p_data[1] ELSE u.data END AS data,
            CASE WHEN p_shared THEN p_correlations[1] ELSE u.correlation END AS correlation,
            CASE WHEN p_shared THEN p_senders[1] ELSE u.sender END AS sender
        FROM unnest(
            p_ids, recipient_ids, positions, states, v_untils, v_after, p_messages, p_sources, p_created,
            p_ttls, p_keys, p_priorities, p_data, p_correlations, p_senders
        ) u (
            id, recipient_id, position, state, until, after, message, source, created_at,
            ttl_s, key, priority, data, correlation, sender
        )
    ) t;

    IF v_count > 0 OR replaced_recipients IS NOT NULL THEN
        outbox_id := inbox_note(replaced_recipients || v_shown, replaced_positions || positions);
        PERFORM inbox_count('sent', v_count, accepted_at);
    END IF;
END $$;
