"""Writing many messages to the queue at once: two statements, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from jobs import sql
from lib import clock
from lib.context import correlation_id
from lib.errors import InputInvalid
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import DEDUP_TTL, chat_check, text_check

_CLAIM = """
INSERT INTO telegram_dedup AS d (key, message_id, expires_at)
SELECT v.key, v.message_id, %(now)s + v.ttl
FROM unnest(%(keys)s::text[], %(ids)s::bigint[], %(ttls)s::interval[]) AS v (key, message_id, ttl)
ORDER BY v.key
ON CONFLICT (key) DO UPDATE SET message_id = EXCLUDED.message_id, expires_at = EXCLUDED.expires_at
WHERE d.expires_at <= %(now)s RETURNING key
"""
_HOLDERS = "SELECT key, message_id FROM telegram_dedup WHERE key = ANY (%s)"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message for the queue. Of one dedup key there is one within its ttl. Raises InputInvalid."""

    telegram_id: int
    message: str
    dedup_key: str
    dedup_ttl: timedelta = DEDUP_TTL
    notification_type: str = "message"
    parse_mode: str | None = "HTML"
    priority: int = 2

    def __post_init__(self) -> None:
        text_check(self.message, self.parse_mode)
        chat_check(self.telegram_id)
        if self.priority not in range(4):
            raise InputInvalid("priority must be 0 (critical), 1, 2 or 3 (low)")
        if not self.dedup_key:
            raise InputInvalid("a draft needs a dedup key")


@transaction.atomic
def messages_queue(drafts: Sequence[Draft]) -> list[tuple[int, bool]]:
    """Queue messages. Returns for each the id of its message, and whether that was there before.

    As message_queue in services.py. Repeat: all are found. Locks: dedup keys in their order.
    """
    first: dict[str, Draft] = {}
    for draft in drafts:
        first.setdefault(draft.dedup_key, draft)
    made = _insert(list(first.values()))
    held = _claim(first, made)
    if held:
        QueuedMessage.objects.filter(pk__in=[made[key] for key in held]).delete()
    seen: set[str] = set(held)
    found = []
    for draft in drafts:
        key = draft.dedup_key
        found.append((held.get(key, made[key]), key in seen))
        seen.add(key)
    return found


def _insert(drafts: Sequence[Draft]) -> dict[str, int]:
    now, correlation = clock.now(), correlation_id.get() or None
    rows = QueuedMessage.objects.bulk_create(
        QueuedMessage(
            telegram_id=draft.telegram_id,
            message=draft.message,
            notification_type=draft.notification_type,
            parse_mode=draft.parse_mode,
            priority=draft.priority,
            scheduled_at=now,
            dedup_key=draft.dedup_key,
            correlation_id=correlation,
        )
        for draft in drafts
    )
    return {draft.dedup_key: row.pk for draft, row in zip(drafts, rows, strict=True)}


def _claim(drafts: dict[str, Draft], made: dict[str, int]) -> dict[str, int]:
    """Take the keys; gives those that others hold, with the ids of their messages."""
    if not drafts:
        return {}
    claimed = sql.rows(
        _CLAIM,
        {
            "now": clock.now(),
            "keys": list(drafts),
            "ids": [made[key] for key in drafts],
            "ttls": [draft.dedup_ttl for draft in drafts.values()],
        },
    )
    lost = sorted(drafts.keys() - {row[0] for row in claimed})
    return {key: int(message_id) for key, message_id in sql.rows(_HOLDERS, [lost])} if lost else {}
