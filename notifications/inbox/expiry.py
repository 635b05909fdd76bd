"""Expiry: what is unread when its time is over is cleared, and screens are told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from jobs import sql
from jobs.audit import Account, audit_write
from lib import clock
from notifications.inbox.changing import changed
from notifications.inbox.models import State

BATCH = 500  # in one transaction: the inboxes of so many people are held for some 30 ms

_NEXT = (
    "SELECT expires_at FROM inbox_notification WHERE state = 'unread' ORDER BY expires_at LIMIT 1"
)
_CLEAR_DUE = """inbox_close(ARRAY(
    SELECT id FROM inbox_notification
    WHERE state = 'unread' AND expires_at <= %s ORDER BY expires_at LIMIT %s
), 'auto_cleared', %s)"""


def expired_clear(*, batches: int = 40) -> int:
    """Clear what has expired unread, at most so many batches of 500. Returns how many were cleared.

    Costs one look at an index if nothing is due, else three statements per batch. Repeat-safe. Whoever
    reads at the same moment comes first or finds it cleared; it is counted as both only in that order.
    """
    count = 0
    for _ in range(batches):
        due_at = next_expiry_at()
        if due_at is None or due_at > clock.now():
            break
        with transaction.atomic():
            count += len(changed(_CLEAR_DUE, [clock.now(), BATCH, clock.offset()]))
    return count


def next_expiry_at() -> datetime | None:
    """When the next unread notification expires, or should have. One step on an index."""
    found = sql.row(_NEXT)
    return found[0] if found else None


@transaction.atomic
def notifications_expire(*, notification_ids: Sequence[UUID], by: Account) -> set[UUID]:
    """Let them expire now, as if their time were over. Returns those that were unread.

    An act on one is in the audit log; who acts on many writes one line for all. Repeat-safe.
    Locks: the inboxes concerned.
    """
    done = changed(
        "inbox_close(%s, %s, %s)", [list(notification_ids), State.AUTO_CLEARED, clock.offset()]
    )
    if done and len(notification_ids) == 1:
        audit_write(by, "inbox.expire", "notification", notification_ids[0])
    return {one.notification_id for one in done}
