-- Forget notifications that are over, with the note of whom they reached. Nobody can go on from where
-- such a change was: trimmed_to moves up to the latest of them. Returns what went, by person; up_to:
-- the highest of their places in the stream.
CREATE FUNCTION inbox_trim(p_ids uuid[])
RETURNS TABLE (user_id bigint, login text, up_to bigint, ids uuid[]) LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
BEGIN
    PERFORM inbox_lock_of(p_ids);
    RETURN QUERY
    WITH gone AS (
        DELETE FROM inbox_notification n
        WHERE n.id = ANY (p_ids) AND n.state NOT IN ('unread', 'deferred')
        RETURNING n.id, n.recipient_id, n.position, n.version
    ), pushes AS (
        DELETE FROM inbox_push p USING gone g WHERE p.notification_id = g.id
    ), owners AS (
        SELECT g.recipient_id, max(g.position) AS up_to, max(g.version) AS version, array_agg(g.id) AS ids
        FROM gone g GROUP BY g.recipient_id
    )
    UPDATE inbox_recipient r SET trimmed_to = greatest(r.trimmed_to, o.version)
    FROM owners o WHERE r.id = o.recipient_id
    RETURNING r.user_id, r.login::text, o.up_to, o.ids;
END $$;

-- Few people keep less than the most: they are looked for one by one.
CREATE INDEX inbox_recipient_short ON inbox_recipient (id) WHERE retention_days < 15;
