-- The numbers of a broadcast follow its ledger: whoever changes rows of the ledger calls this in the same
-- transaction, with what was added (or, negative, taken away) per channel, fate and reason. A row that is
-- being sent counts as pending. The row of the broadcast is the last thing that is locked, so that nobody
-- who waits for it holds what another one needs.
CREATE FUNCTION broadcast_count(
    p_id uuid, p_channels text[], p_fates text[], p_reasons text[], p_deltas bigint[], p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_done bigint;
BEGIN
    IF coalesce(cardinality(p_deltas), 0) = 0 THEN
        RETURN;
    END IF;
    SELECT sum(d.delta) FILTER (WHERE d.fate <> 'pending') INTO v_done
    FROM unnest(p_fates, p_deltas) d (fate, delta);
    UPDATE notification_broadcasts b SET
        total = b.total + s.total, sent = b.sent + s.sent, failed = b.failed + s.failed,
        skipped = b.skipped + s.skipped, unknown = b.unknown + s.unknown,
        -- Measured over two seconds at least; after a pause of half a minute it begins anew.
        rate = CASE WHEN m.is_due AND p_now - b.rate_at < interval '30 seconds'
            THEN greatest(m.done - b.rate_done, 0) / extract(epoch FROM p_now - b.rate_at)
            ELSE b.rate END,
        rate_done = CASE WHEN m.is_due THEN m.done ELSE b.rate_done END,
        rate_at = CASE WHEN m.is_due THEN p_now ELSE b.rate_at END,
        updated_at = p_now
    FROM (
        SELECT sum(d.delta) AS total,
            coalesce(sum(d.delta) FILTER (WHERE d.fate = 'sent'), 0) AS sent,
            coalesce(sum(d.delta) FILTER (WHERE d.fate = 'failed'), 0) AS failed,
            coalesce(sum(d.delta) FILTER (WHERE d.fate = 'skipped'), 0) AS skipped,
            coalesce(sum(d.delta) FILTER (WHERE d.fate = 'unknown'), 0) AS unknown
        FROM unnest(p_fates, p_deltas) d (fate, delta)
    ) s, LATERAL (
        SELECT x.done + coalesce(v_done, 0) AS done,
            x.rate_at IS NULL OR p_now - x.rate_at >= interval '2 seconds' AS is_due
        FROM (
            SELECT o.sent + o.failed + o.skipped + o.unknown AS done, o.rate_at
            FROM notification_broadcasts o WHERE o.id = p_id FOR NO KEY UPDATE
        ) x
    ) m
    WHERE b.id = p_id;
    INSERT INTO broadcast_tally AS t (broadcast_id, channel, fate, reason, count)
    SELECT p_id, d.channel, d.fate, d.reason, sum(d.delta)
    FROM unnest(p_channels, p_fates, p_reasons, p_deltas) d (channel, fate, reason, delta)
    GROUP BY d.channel, d.fate, d.reason HAVING sum(d.delta) <> 0
    ORDER BY d.channel, d.fate, d.reason
    ON CONFLICT (broadcast_id, channel, fate, reason) DO UPDATE SET count = t.count + EXCLUDED.count;
END $$;

-- Write what became of rows of one broadcast. p_run: only rows that this run has claimed and that nobody
-- has settled since (a late answer may still turn `unknown` into what it says); null: rows that are pending
-- and that the caller holds. A fate of `pending` gives the row back, to be taken after its wait.
CREATE FUNCTION broadcast_settle(
    p_id uuid, p_run uuid, p_rows bigint[], p_fates text[], p_reasons text[], p_details text[],
    p_refs text[], p_waits interval[], p_chats bigint[], p_now timestamptz
) RETURNS bigint[] LANGUAGE plpgsql
    -- The plan is fixed to one search by id per row, whatever the statistics say: they are of yesterday's
    -- ledger. Hence also IS TRUE: no index on the broadcast is to be walked for each row.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_rows bigint[];
    v_channels text[];
    v_fates text[];
    v_reasons text[];
    v_deltas bigint[];
BEGIN
    WITH old AS MATERIALIZED (
        SELECT l.id, l.channel, CASE WHEN l.fate = 'sending' THEN 'pending' ELSE l.fate END AS fate,
            CASE WHEN l.fate = 'unknown' THEN l.reason ELSE '' END AS reason,
            f.fate AS new_fate, f.reason AS new_reason, f.detail, f.ref, f.wait, f.chat
        FROM unnest(p_rows, p_fates, p_reasons, p_details, p_refs, p_waits, p_chats)
            f (id, fate, reason, detail, ref, wait, chat)
        JOIN broadcast_ledger l ON l.id = f.id
        WHERE (l.broadcast_id = p_id) IS TRUE AND (
            p_run IS NULL AND l.fate = 'pending'
            OR l.run_id = p_run AND (l.fate = 'sending' OR l.fate = 'unknown' AND f.fate IN ('sent', 'failed'))
        )
        ORDER BY l.id FOR UPDATE OF l
    ), new AS (
        UPDATE broadcast_ledger l SET
            fate = o.new_fate, reason = o.new_reason, detail = o.detail, at = p_now,
            message_ref = coalesce(o.ref, l.message_ref), next_at = p_now + o.wait,
            telegram_id = coalesce(o.chat, l.telegram_id),
            -- A 429 and a group that has moved are no tries of this message.
            attempts = l.attempts - (o.new_fate = 'pending' AND o.new_reason = '')::integer
        FROM old o WHERE l.id = o.id
        RETURNING l.id, l.channel, l.fate, CASE WHEN l.fate = 'pending' THEN '' ELSE l.reason END AS reason
    ), moved AS (
        SELECT channel, fate, reason, -count(*) AS delta FROM old GROUP BY 1, 2, 3
        UNION ALL
        SELECT channel, fate, reason, count(*) FROM new GROUP BY 1, 2, 3
    )
    SELECT (SELECT array_agg(id) FROM new), array_agg(channel), array_agg(fate), array_agg(reason),
        array_agg(delta)
    INTO v_rows, v_channels, v_fates, v_reasons, v_deltas FROM moved;
    PERFORM broadcast_count(p_id, v_channels, v_fates, v_reasons, v_deltas, p_now);
    RETURN coalesce(v_rows, '{}');
END $$;

-- Give many rows of one broadcast another fate, whatever they had: the caller holds the broadcast alone
-- (broadcast_hold). Returns how many.
CREATE FUNCTION broadcast_turn(p_id uuid, p_rows bigint[], p_fate text, p_reason text, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_channels text[];
    v_fates text[];
    v_reasons text[];
    v_deltas bigint[];
    v_count bigint;
BEGIN
    WITH old AS (
        SELECT l.id, l.channel, CASE WHEN l.fate = 'sending' THEN 'pending' ELSE l.fate END AS fate,
            CASE WHEN l.fate IN ('pending', 'sending') THEN '' ELSE l.reason END AS reason
        FROM broadcast_ledger l WHERE l.id = ANY (p_rows) AND (l.broadcast_id = p_id) IS TRUE
        ORDER BY l.id FOR UPDATE
    ), new AS (
        UPDATE broadcast_ledger l SET fate = p_fate, reason = p_reason, detail = '', at = p_now,
            next_at = NULL, attempts = CASE WHEN p_fate = 'pending' THEN 0 ELSE l.attempts END,
            -- Whoever sent it before has no say any more; of a row that is lost, he has.
            run_id = CASE WHEN p_fate = 'pending' THEN NULL ELSE l.run_id END
        FROM old o WHERE l.id = o.id RETURNING l.channel
    ), moved AS (
        SELECT channel, fate, reason, -count(*) AS delta FROM old GROUP BY 1, 2, 3
        UNION ALL
        SELECT channel, p_fate, p_reason, count(*) FROM new GROUP BY 1
    )
    SELECT (SELECT count(*) FROM new), array_agg(channel), array_agg(fate), array_agg(reason),
        array_agg(delta)
    INTO v_count, v_channels, v_fates, v_reasons, v_deltas FROM moved;
    PERFORM broadcast_count(p_id, v_channels, v_fates, v_reasons, v_deltas, p_now);
    RETURN v_count;
END $$;
