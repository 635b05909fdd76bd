-- Reading inboxes, many people in one statement. A person without notifications comes as one row whose
-- notification is null; one who does not exist does not come.

-- The inbox as it stands: what is unread (the newest p_most), and what else the last p_limit hold.
CREATE FUNCTION inbox_snapshot(p_recipients bigint[], p_limit integer, p_most integer) RETURNS TABLE (
    recipient_id bigint, last_position bigint, unread integer, trimmed_to bigint, epoch varchar,
    id uuid, "position" bigint, version bigint, state varchar, message text, source varchar,
    created_at timestamptz, expires_at timestamptz, priority smallint, edition integer, data text
) LANGUAGE plpgsql STABLE
    -- The plan is fixed to walks on indexes, whatever the statistics say.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.id, r.last_position, r.unread, r.trimmed_to, (SELECT e.epoch FROM inbox_epoch e),
        n.id, n.position, n.version, n.state, n.message, n.source, n.created_at, n.expires_at,
        n.priority, n.edition, n.data::text
    FROM unnest(p_recipients) WITH ORDINALITY w (id, ord)
    JOIN inbox_recipient r ON r.id = w.id
    LEFT JOIN LATERAL (
        (SELECT * FROM inbox_notification i
        WHERE i.recipient_id = r.id AND i.state = 'unread' ORDER BY i.position DESC LIMIT p_most)
        UNION ALL
        SELECT l.* FROM (
            SELECT * FROM inbox_notification i
            WHERE i.recipient_id = r.id AND i.position IS NOT NULL
                AND i.state IN ('unread', 'read', 'auto_cleared')
            ORDER BY i.position DESC LIMIT p_limit
        ) l WHERE l.state <> 'unread'
    ) n ON true;
END $$;

-- What changed after a position, at most p_cap rows per person in the order of their versions.
CREATE FUNCTION inbox_changes(p_recipients bigint[], p_since bigint[], p_cap integer) RETURNS TABLE (
    recipient_id bigint, last_position bigint, unread integer, trimmed_to bigint, epoch varchar,
    id uuid, "position" bigint, version bigint, state varchar, message text, source varchar,
    created_at timestamptz, expires_at timestamptz, priority smallint, edition integer, data text,
    edited bigint
) LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT r.id, r.last_position, r.unread, r.trimmed_to, (SELECT e.epoch FROM inbox_epoch e),
        n.id, n.position, n.version, n.state, n.message, n.source, n.created_at, n.expires_at,
        n.priority, n.edition, n.data::text, n.edited
    FROM unnest(p_recipients, p_since) w (id, since)
    JOIN inbox_recipient r ON r.id = w.id
    LEFT JOIN LATERAL (
        SELECT * FROM inbox_notification i
        WHERE i.recipient_id = r.id AND i.version > w.since
        ORDER BY i.version LIMIT p_cap
    ) n ON true;
END $$;
