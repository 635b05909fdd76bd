"""The SQL of the lane: claiming due messages and writing what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from jobs import sql
from lib import clock
from notifications.telegram import stats


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send."""

    id: int
    telegram_id: int
    message: str
    parse_mode: str | None
    notification_type: str
    attempts: int
    dedup_key: str | None
    correlation_id: str | None
    reply_markup: str | None = None  # JSON
    holder: int | None = None  # the message that holds the dedup key, if one does


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message. outcome: sent, retry, wait, failed, cancelled."""

    id: int
    outcome: str
    message_id: int | None = None
    error: str | None = None
    reason: str | None = None
    wait: timedelta | None = None
    is_unknown: bool = False  # it may have arrived nevertheless


def messages_claim(*, limit: int, run_id: UUID) -> list[Claimed]:
    """Claim up to `limit` due messages, urgent ones first, at most one per chat."""
    return [
        Claimed(*row)
        for row in sql.rows(
            """SELECT id, telegram_id, message, parse_mode, notification_type, attempts, dedup_key,
                correlation_id, reply_markup, (
                    SELECT d.message_id FROM telegram_dedup d
                    WHERE d.key = c.dedup_key AND d.expires_at > %s
                )
            FROM telegram_claim(%s, %s, %s) c""",
            [clock.now(), limit, run_id, clock.offset()],
        )
    ]


def markup_read(text: str | None) -> dict[str, Any] | None:
    """reply_markup as it goes to the Bot API. What came by SQL and is no object is left out."""
    found = orjson.loads(text) if text else None
    return found if isinstance(found, dict) else None


def messages_mark(run_id: UUID, fates: Sequence[Fate]) -> set[int]:
    """Write fates and count them; only messages that this run still holds are changed.

    Returns their ids.
    """
    if not fates:
        return set()
    marked = sql.rows(
        """WITH marked AS MATERIALIZED (
            SELECT telegram_mark(%s, %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::text[],
                %s::interval[], %s::boolean[], %s) AS id
        ), counted AS (
            INSERT INTO telegram_stat (at, type, status, count)
            SELECT date_trunc('minute', %s), q.notification_type, f.status, count(*)
            FROM marked m JOIN unnest(%s::bigint[], %s::text[]) f (id, status) USING (id)
                JOIN notification_queue q USING (id)
            WHERE f.status IS NOT NULL GROUP BY q.notification_type, f.status
        )
        SELECT id FROM marked""",
        [
            run_id,
            [fate.id for fate in fates],
            [fate.outcome for fate in fates],
            [fate.message_id for fate in fates],
            [fate.error for fate in fates],
            [fate.reason for fate in fates],
            [fate.wait for fate in fates],
            [fate.is_unknown for fate in fates],
            clock.offset(),
            clock.now(),
            [fate.id for fate in fates],
            [stats.status_of(fate.outcome, fate.reason) for fate in fates],
        ],
    )
    return {row[0] for row in marked}


def messages_take_over() -> int:
    """Free what a killed run was sending; returns how many may arrive twice."""
    found = sql.row("SELECT telegram_take_over(%s)", [clock.offset()])
    return int(found[0]) if found else 0


def next_due_at() -> datetime | None:
    """When the next pending message is due, if any waits. Four steps on the index."""
    found = sql.row(
        """SELECT min(d.due) FROM generate_series(0, 3) p CROSS JOIN LATERAL (
            SELECT coalesce(q.next_attempt_at, q.scheduled_at) AS due FROM notification_queue q
            WHERE q.status = 'pending' AND q.claimed_at IS NULL AND q.priority = p
            ORDER BY coalesce(q.next_attempt_at, q.scheduled_at), q.id LIMIT 1
        ) d"""
    )
    return found[0] if found else None


def dedup_claim(key: str, message_id: int, ttl: timedelta) -> int | None:
    """Take a dedup key for a message. None: it is ours; else the id of the message that holds it.

    Repeat: who holds the key keeps it, until the end that was said first.
    """
    now = clock.now()
    found = sql.row(
        """INSERT INTO telegram_dedup AS d (key, message_id, expires_at) VALUES (%s, %s, %s)
        ON CONFLICT (key) DO UPDATE SET message_id = EXCLUDED.message_id,
            expires_at = CASE WHEN d.expires_at <= %s THEN EXCLUDED.expires_at ELSE d.expires_at END
        WHERE d.expires_at <= %s OR d.message_id = EXCLUDED.message_id RETURNING 1""",
        [key, message_id, now + ttl, now, now],
    )
    if found:
        return None
    holder = sql.row("SELECT message_id FROM telegram_dedup WHERE key = %s", [key])
    return int(holder[0]) if holder else None
