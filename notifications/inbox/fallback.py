"""Another way to somebody whose screen nobody looks at: unread for long enough, it goes to Telegram.

The message is queued in the transaction that marks the notification, so there is one or none. Once it
was read, taken back or has expired there is none.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from jobs.enqueue import enqueue_many
from jobs.registry import kind_get
from lib import clock
from lib.context import correlated
from lib.errors import InputInvalid
from notifications.inbox import stats
from notifications.telegram.markup import MarkupInvalid, escape
from notifications.telegram.services import message_queue
from notifications.telegram.templates import LANGUAGES, ValuesInvalid, render

KIND = "inbox.telegram_fallback"
TYPE = "inbox_fallback"  # what the queue calls such a message
BATCH = 100  # in one transaction

logger = logging.getLogger("switchboard.inbox")

# What expires first never goes to Telegram.
_WAITING = "n.state = 'unread' AND n.fell_back_at IS NULL AND n.fallback_at < n.expires_at"
_NEXT = f"SELECT n.fallback_at FROM inbox_notification n WHERE {_WAITING} ORDER BY n.fallback_at LIMIT 1"
# Skips what somebody holds, who reads it or takes it back just now, so that nobody waits in a ring.
_DUE = f"""
SELECT n.id, r.telegram_id, r.language, n.source, n.message, n.priority, n.correlation_id
FROM inbox_notification n JOIN inbox_recipient r ON r.id = n.recipient_id
WHERE {_WAITING} AND n.fallback_at <= %(now)s AND n.expires_at > %(now)s
ORDER BY n.fallback_at LIMIT %(batch)s FOR NO KEY UPDATE OF n SKIP LOCKED
"""


class _Due(NamedTuple):
    id: UUID
    telegram_id: int | None
    language: str
    source: str
    message: str
    priority: int
    correlation_id: str


def fallbacks_enqueue(moments: Iterable[datetime]) -> None:
    """See to it that what is still unread at these moments goes to Telegram. In the caller's transaction.

    One job per second that is named; each looks for all that is due.
    """
    kind = kind_get(KIND)
    seconds = {moment.replace(microsecond=0) + timedelta(seconds=1) for moment in moments}
    enqueue_many(
        (kind, {"run_at": moment, "unique": ("at", moment.isoformat())})
        for moment in sorted(seconds)
    )


def unread_tell(*, batches: int = 50) -> int:
    """Queue a Telegram message for each notification that is unread for too long. Returns how many.

    Who has no Telegram id stays untold. Repeat-safe. Costs one look at an index if nothing is due.
    """
    told = 0
    for _ in range(batches):
        due_at = next_fallback_at()
        if due_at is None or due_at > clock.now():
            break
        with transaction.atomic():
            found = [_Due(*row) for row in sql.rows(_DUE, {"now": clock.now(), "batch": BATCH})]
            if not found:
                break  # somebody holds what is due; the job comes again
            told += _tell(found)
    return told


def next_fallback_at() -> datetime | None:
    """When the first unread notification goes to Telegram, or should have. A step on an index."""
    found = sql.row(_NEXT)
    return found[0] if found else None


def _tell(found: list[_Due]) -> int:
    told = [each.id for each in found if each.telegram_id is not None and _queue(each)]
    untold = list({each.id for each in found} - set(told))
    if told:
        stats.count("fallback", len(told))
        sql.run(
            "UPDATE inbox_notification SET fell_back_at = %s WHERE id = ANY (%s)",
            [clock.now(), told],
        )
    if untold:
        sql.run("UPDATE inbox_notification SET fallback_at = NULL WHERE id = ANY (%s)", [untold])
    return len(told)


def _queue(due: _Due) -> bool:
    """False if Telegram would refuse it: a text of blanks, an id that it never gave."""
    assert due.telegram_id is not None
    language = due.language if due.language in LANGUAGES else settings.TELEGRAM_LANGUAGE
    try:
        text = render("broadcast", language, title=due.source, body=escape(due.message))
        with correlated(due.correlation_id):
            message_queue(
                telegram_id=due.telegram_id,
                message=text,
                notification_type=TYPE,
                priority=due.priority,
            )
    except (InputInvalid, MarkupInvalid, ValuesInvalid) as exc:
        logger.warning("notification %s cannot go to Telegram: %s", due.id, exc)
        return False
    return True
