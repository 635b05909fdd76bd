"""What touches many rows, in batches of their own transactions: replays, retention, removal."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock, partitions
from lib.patience import TableBusy
from notifications.webhooks.sealing import is_current, seal, unseal

logger = logging.getLogger(__name__)

BATCH = 1000
NOWHERE = UUID(int=0)
# A cursor is (created_at, id) of the last row looked at, so that a batch never meets it again, even
# if it has failed anew in the meantime.
_REPLAY = """
WITH batch AS (
    SELECT id, created_at FROM webhook_delivery
    WHERE endpoint_id = %(endpoint)s AND created_at >= %(since)s AND created_at < %(until)s
        AND (created_at, id) > (%(after_at)s, %(after_id)s)
    ORDER BY created_at, id LIMIT %(batch)s
), ended AS (
    -- In the order of all who lock several. Rows that wait belong to the runs: they are not touched.
    SELECT id FROM webhook_delivery
    WHERE id = ANY (SELECT id FROM batch) AND state = ANY (%(states)s) ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE webhook_delivery d SET state = 'pending', tries = 0, finished_at = NULL,
        next_attempt_at = %(now)s, replays = d.replays + 1
    FROM ended e WHERE d.id = e.id AND d.state = ANY (%(states)s) RETURNING 1
), last AS (SELECT created_at, id FROM batch ORDER BY created_at DESC, id DESC LIMIT 1)
SELECT (SELECT count(*) FROM changed), l.created_at, l.id FROM last l
"""
_TELL_MISSING = """
WITH batch AS (
    SELECT v.id, v.created_at, v.type FROM webhook_event v
    WHERE v.created_at >= %(since)s AND v.created_at < %(until)s
        AND (v.created_at, v.id) > (%(after_at)s, %(after_id)s)
    ORDER BY v.created_at, v.id LIMIT %(batch)s
), told AS (
    INSERT INTO webhook_delivery (event_id, endpoint_id, event_type, next_attempt_at, created_at)
    SELECT b.id, e.id, b.type, %(now)s, %(now)s
    FROM batch b JOIN webhook_endpoint e ON e.id = %(endpoint)s
    WHERE e.event_types && ARRAY[b.type, '*']::varchar[] AND b.type <> 'webhook.test'
    ON CONFLICT (event_id, endpoint_id) DO NOTHING RETURNING 1
), last AS (SELECT created_at, id FROM batch ORDER BY created_at DESC, id DESC LIMIT 1)
SELECT (SELECT count(*) FROM told), l.created_at, l.id FROM last l
"""
_OLD = """
SELECT id FROM webhook_event WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE
"""
# One row per endpoint stays for what is older than two weeks, so that totals never shrink.
TALLY_KEPT = timedelta(days=14)
TALLY_SUM_AT = "2000-01-01 00:00:00+00"
_FOLD = f"""
WITH old AS (
    DELETE FROM webhook_tally WHERE at < %(before)s AND at > '{TALLY_SUM_AT}' RETURNING *
), sums AS (
    INSERT INTO webhook_tally AS t (endpoint_id, at, delivered, failed, throttled, duration_ms)
    SELECT endpoint_id, '{TALLY_SUM_AT}', sum(delivered), sum(failed), sum(throttled),
        sum(duration_ms) FROM old GROUP BY endpoint_id
    ON CONFLICT (endpoint_id, at) DO UPDATE SET delivered = t.delivered + EXCLUDED.delivered,
        failed = t.failed + EXCLUDED.failed, throttled = t.throttled + EXCLUDED.throttled,
        duration_ms = t.duration_ms + EXCLUDED.duration_ms
)
SELECT count(*) FROM old
"""

Cursor = tuple[datetime, str]


def replay_batch(
    endpoint_id: UUID, since: datetime, until: datetime, states: list[str], after: Cursor | None
) -> tuple[int, Cursor | None]:
    """Replay the next batch. Returns how many go again, and the next cursor (None: it was the last)."""
    return _step(
        _REPLAY, endpoint_id, since, until, after or (since, "0"), number=True, states=states
    )


def missing_batch(
    endpoint_id: UUID, since: datetime, until: datetime, after: Cursor | None
) -> tuple[int, Cursor | None]:
    """Tell what was missed, the next batch of events. Returns as replay_batch does."""
    return _step(_TELL_MISSING, endpoint_id, since, until, after or (since, str(NOWHERE)))


def _step(
    statement: str,
    endpoint_id: UUID,
    since: datetime,
    until: datetime,
    after: Cursor,
    *,
    number: bool = False,
    states: list[str] | None = None,
) -> tuple[int, Cursor | None]:
    found = sql.row(
        statement,
        {
            "endpoint": endpoint_id,
            "since": since,
            "until": until,
            "after_at": after[0],
            "after_id": int(after[1]) if number else UUID(after[1]),
            "states": states or [],
            "batch": BATCH,
            "now": clock.now(),
        },
    )
    return (0, None) if found is None else (found[0], (found[1], str(found[2])))


def attempts_forget(before: datetime) -> list[str]:
    """Drop whole days of attempts. Returns the names of the partitions.

    None is younger than its event, so the events of these days go as well. Somebody may read the
    table for long: then the rest of them stays until the next night.
    """
    try:
        return partitions.days_drop("webhook_attempt", before.date())
    except TableBusy as exc:
        logger.warning("old attempts stay for another day: %s", exc)
        return []


def events_forget(before: datetime) -> int:
    """Delete one batch of events made earlier, with their deliveries and attempts. Returns how many."""
    with transaction.atomic():
        events = [row[0] for row in sql.rows(_OLD, [before, BATCH])]
        _deliveries_delete("event_id = ANY (%s)", [events])
        return sql.run("DELETE FROM webhook_event WHERE id = ANY (%s)", [events])


def endpoint_purge(endpoint_id: UUID) -> int:
    """Delete one batch of an endpoint's deliveries with their attempts. Returns how many."""
    with transaction.atomic():
        return _deliveries_delete("endpoint_id = %s LIMIT %s", [endpoint_id, BATCH])


def _deliveries_delete(which: str, params: list[Any]) -> int:
    """Locked first: a run may be about to write what came of one, and its attempt has to go as well."""
    chosen = f"id IN (SELECT id FROM webhook_delivery WHERE {which})"
    rows = sql.rows(
        f"SELECT id FROM webhook_delivery WHERE {chosen} ORDER BY id FOR UPDATE", params
    )
    ids = [row[0] for row in rows]
    sql.run("DELETE FROM webhook_attempt WHERE delivery_id = ANY (%s)", [ids])
    return sql.run("DELETE FROM webhook_delivery WHERE id = ANY (%s)", [ids])


def endpoint_remove(endpoint_id: UUID) -> bool:
    """Delete a deleted endpoint itself, unless a run still holds its lane. True: it is gone."""
    found = sql.rows(
        """WITH lane AS (DELETE FROM webhook_lane l USING webhook_endpoint e
            WHERE e.id = l.endpoint_id AND e.id = %(endpoint)s AND e.state = 'deleted'
                AND (l.held_until IS NULL OR l.held_until < clock_timestamp()) RETURNING e.id)
        DELETE FROM webhook_endpoint e USING lane l WHERE e.id = l.id RETURNING 1""",
        {"endpoint": endpoint_id},
    )
    return bool(found)


def tallies_fold() -> int:
    """Add up what is older than two weeks. Returns how many rows went into the sums."""
    return _count(_FOLD, {"before": clock.now() - TALLY_KEPT})


def old_secrets_forget() -> int:
    """Wipe secrets that sign nothing any more."""
    return sql.run(
        """UPDATE webhook_endpoint SET old_secret = NULL, old_secret_expires_at = NULL
        WHERE old_secret_expires_at < %s""",
        [clock.now()],
    )


def secrets_reseal() -> dict[str, int]:
    """Seal under the present SECRET_KEY what was sealed under a former one. Repeat-safe.

    Returns {"resealed", "unreadable"}: secrets that were sealed anew, and endpoints with one that no key
    opens. A secret that somebody rotates meanwhile is left alone.
    """
    done = {"resealed": 0, "unreadable": 0}
    for endpoint_id, *found in sql.rows("SELECT id, secret, old_secret FROM webhook_endpoint"):
        is_readable = True
        for column, sealed in zip(("secret", "old_secret"), found, strict=True):
            if sealed is None or is_current(sealed):
                continue
            if (text := unseal(sealed)) is None:
                is_readable = False
                continue
            done["resealed"] += sql.run(
                f"UPDATE webhook_endpoint SET {column} = %s WHERE id = %s AND {column} = %s",
                [seal(text), endpoint_id, sealed],
            )
        done["unreadable"] += not is_readable
    return done


def _count(statement: str, params: dict[str, object]) -> int:
    found = sql.row(statement, params)
    return int(found[0]) if found else 0
