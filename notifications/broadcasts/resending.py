"""Sending again to those who did not get it."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from notifications.broadcasts.drafting import OBJECT
from notifications.broadcasts.errors import BroadcastSettled, NothingMissing
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Phase, Status
from notifications.broadcasts.starting import lanes_enqueue

RESENDABLE = (Status.SENT, Status.FAILED, Status.PAUSED)

# Who had no Telegram and has one now is missing, too; who has muted us, or is a double, is not.
_MISSING = """
l.broadcast_id = %(id)s AND l.fate IN ('failed', 'unknown', 'skipped')
    AND (
        l.fate = 'failed' OR l.fate = 'unknown' AND %(unknown)s
        OR l.fate = 'skipped' AND l.reason = 'no_telegram' AND EXISTS (
            SELECT FROM inbox_recipient r WHERE r.id = l.recipient_id AND r.telegram_id IS NOT NULL)
    )
    AND (%(reasons)s::text[] IS NULL OR l.reason = ANY (%(reasons)s::text[]))
    AND (%(rows)s::bigint[] IS NULL OR l.id = ANY (%(rows)s::bigint[]))
"""
_CHATS = f"""
UPDATE broadcast_ledger l SET telegram_id = r.telegram_id FROM inbox_recipient r
WHERE {_MISSING} AND l.channel = 'telegram' AND r.id = l.recipient_id AND r.telegram_id IS NOT NULL
    AND l.telegram_id IS DISTINCT FROM r.telegram_id
"""
# Two logins may have come to one chat since: it gets one message, and none if it has one.
_SORT = f"""
WITH missing AS MATERIALIZED (
    SELECT l.id, l.telegram_id, l.channel = 'telegram' AND row_number() OVER (
        PARTITION BY l.channel, l.telegram_id ORDER BY l.id) > 1 AS is_second
    FROM broadcast_ledger l WHERE {_MISSING}
), sorted AS (
    SELECT m.id, m.is_second OR EXISTS (
        SELECT FROM broadcast_ledger o
        WHERE o.broadcast_id = %(id)s AND o.channel = 'telegram' AND o.telegram_id = m.telegram_id
            AND o.fate IN ('pending', 'sending', 'sent', 'unknown')
            AND o.id <> ALL (SELECT id FROM missing)
    ) AS is_double
    FROM missing m
)
SELECT array_agg(id ORDER BY id) FILTER (WHERE NOT is_double),
    array_agg(id ORDER BY id) FILTER (WHERE is_double) FROM sorted
"""
_TURN = "SELECT coalesce(broadcast_turn(%s, %s, %s, %s, %s), 0)"


@transaction.atomic
def broadcast_resend_missing(
    *,
    broadcast_id: UUID,
    by: Account,
    include_unknown: bool = False,
    reasons: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
) -> int:
    """Send it again to those who did not get it; returns to how many. Nobody who has it gets it twice.

    include_unknown: also to those who may have got it: a person has to say so. reasons, rows: only to
    these, by reason or by id in the ledger. Raises BroadcastUnknown, BroadcastSettled, NothingMissing.
    Repeat: finds nobody, until they have failed again. Locks: the broadcast, alone.
    """
    row = broadcast_hold(broadcast_id)
    if row.status not in RESENDABLE:
        raise BroadcastSettled(
            f"the broadcast is {row.status}; it can be sent again once it is sent, failed or paused",
            broadcast_status=row.status,
        )
    if row.ledger_forgotten_at is not None:
        raise BroadcastSettled("its ledger was put away: nobody knows who missed it; clone it")
    params = {
        "id": broadcast_id, "unknown": include_unknown, "now": clock.now(),
        "reasons": None if reasons is None else list(reasons),
        "rows": None if rows is None else list(rows),
    }  # fmt: skip
    sql.run(_CHATS, params)
    chosen, doubles = sql.row(_SORT, params) or (None, None)
    if doubles and chosen:
        sql.row(_TURN, [row.pk, doubles, "skipped", "duplicate_chat", params["now"]])
    found = sql.row(_TURN, [row.pk, chosen, "pending", "", params["now"]]) if chosen else None
    count = int(found[0]) if found else 0
    if not count:
        raise NothingMissing()
    _go_on(row)
    audit_write(by, "broadcasts.resend", OBJECT, row.pk, recipients=count, unknown=include_unknown)
    return count


def _go_on(row: Broadcast) -> None:
    row.refresh_from_db()  # the counters have changed
    row.status, row.phase, row.finished_at = Status.SENDING, Phase.DELIVERING, None
    row.paused_reason, row.error, row.rate, row.rate_at = "", "", 0, None
    row.updated_at = clock.now()
    row.save(
        update_fields=[
            "status", "phase", "finished_at", "paused_reason", "error", "rate", "rate_at", "updated_at",
        ]
    )  # fmt: skip
    lanes_enqueue(row.pk, row.phase, row.channels)
