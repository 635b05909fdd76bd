"""Quiet hours: what came in them is shown when they end, on the clock of the person.

inbox_accept holds it back (`deferred`, with deliver_at) and the job inbox.release_deferred, enqueued in
the same transaction, places it. One job serves everybody whose quiet hours end at that moment.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from jobs import sql
from jobs.enqueue import enqueue_many
from jobs.registry import kind_get
from lib import clock
from notifications.inbox.changing import changed
from notifications.inbox.fallback import fallbacks_enqueue

RELEASE = "inbox.release_deferred"
BATCH = 200  # in one transaction

_NEXT = (
    "SELECT deliver_at FROM inbox_notification WHERE state = 'deferred' ORDER BY deliver_at LIMIT 1"
)
_RELEASE_DUE = """inbox_release(ARRAY(
    SELECT id FROM inbox_notification
    WHERE state = 'deferred' AND deliver_at <= clock_timestamp() + %s ORDER BY deliver_at, id LIMIT %s
), %s)"""
_REPLAN = """
WITH planned AS (
    SELECT n.id, coalesce(inbox_quiet_until(%(now)s, r.quiet_from, r.quiet_to, r.time_zone), %(now)s) AS at
    FROM inbox_notification n JOIN inbox_recipient r ON r.id = n.recipient_id
    WHERE n.recipient_id = %(recipient)s AND n.state = 'deferred'
)
UPDATE inbox_notification n SET deliver_at = p.at, fallback_at = n.fallback_at + (p.at - n.deliver_at)
FROM planned p WHERE n.id = p.id AND n.deliver_at <> p.at RETURNING n.deliver_at
"""


def releases_enqueue(moments: Iterable[datetime]) -> None:
    """See to it that what is deferred until these moments is shown then. In the caller's transaction.

    Repeat-safe: one job per moment. Locks: who is the first to defer until a moment is waited for by
    others that do.
    """
    kind = kind_get(RELEASE)
    enqueue_many(
        (kind, {"run_at": moment, "unique": ("until", moment.isoformat())})
        for moment in sorted(set(moments))
    )


def deferred_release(*, batches: int = 100) -> int:
    """Show what is deferred and due, at most so many batches of 200. Returns how many were shown.

    Costs one look at an index if nothing is due. Repeat-safe.
    """
    count = 0
    for _ in range(batches):
        due_at = next_release_at()
        if due_at is None or due_at > clock.now():
            break
        with transaction.atomic():
            done = changed(_RELEASE_DUE, [clock.offset(), BATCH, clock.offset()])
            fallbacks_enqueue(_fallbacks([one.notification_id for one in done]))
        count += sum(one.position == one.version for one in done)
    return count


def next_release_at() -> datetime | None:
    """Until when the first deferred notification waits. One step on an index."""
    found = sql.row(_NEXT)
    return found[0] if found else None


def deferred_replan(recipient_id: int) -> None:
    """The quiet hours of a person are others now: what is deferred waits for their end, or no longer.

    In the transaction that changed them; the caller holds the inbox.
    """
    found = sql.rows(_REPLAN, {"recipient": recipient_id, "now": clock.now()})
    releases_enqueue(moment for (moment,) in found)


def _fallbacks(ids: list[object]) -> list[datetime]:
    found = sql.rows(
        """SELECT DISTINCT fallback_at FROM inbox_notification
        WHERE id = ANY (%s) AND state = 'unread' AND fallback_at IS NOT NULL""",
        [ids],
    )
    return [moment for (moment,) in found]
