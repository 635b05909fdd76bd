"""Retention: an inbox is kept for 1 to 15 days, as its person wishes; then it is forgotten, everywhere.

What counts is when a notification came. What is still unread then is cleared first, so that screens
hear of it. Who kept the default is found by the age of the ids; the few who keep less, one by one.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from jobs import sql
from lib import clock
from notifications.inbox import keys
from notifications.inbox.changing import changed
from notifications.inbox.models import State

MOST_DAYS = 15
BATCH = 500  # notifications in one transaction
PEOPLE = 500  # of those who keep less, in one look
EACH = 50  # notifications of each of them in one look
OUTBOX_KEPT = timedelta(days=1)  # screens have long since found out by themselves
LEFTOVERS = 10_000

logger = logging.getLogger("switchboard.inbox")

_OLDEST = """
SELECT id, state FROM inbox_notification
WHERE id > %(after)s AND id < %(before)s AND coalesce(position <= %(ms)s, accepted_at <= %(at)s)
ORDER BY id LIMIT %(batch)s
"""
_SHORT = """
SELECT id, retention_days FROM inbox_recipient
WHERE retention_days < 15 AND id > %s ORDER BY id LIMIT %s
"""
_OF_SHORT = """
SELECT n.id, n.state FROM unnest(%s::bigint[], %s::bigint[]) AS p (id, ms)
CROSS JOIN LATERAL (
    SELECT id, state FROM inbox_notification n
    WHERE n.recipient_id = p.id AND n.position <= p.ms ORDER BY n.position LIMIT %s
) n
"""

Found = list[tuple[UUID, str]]  # notifications with their states


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What one run forgot."""

    notifications: int
    leftovers: int


def retention_trim() -> Trimmed:
    """Forget what is older than its person wishes, in Postgres and in Redis. Repeat-safe.

    Locks: the inboxes concerned, 500 notifications at a time.
    """
    return Trimmed(_trim_by_age() + _trim_short(), _leftovers_drop())


def _trim_by_age() -> int:
    at = clock.now() - timedelta(days=MOST_DAYS)
    params: dict[str, Any] = {
        "after": UUID(int=0),
        "before": _first_id(at),
        "at": at,
        "ms": _ms(at),
        "batch": BATCH,
    }
    count = 0
    while found := _found(_OLDEST, params):
        params["after"] = found[-1][0]
        count += _trim(found)
        if len(found) < BATCH:
            break
    return count


def _trim_short() -> int:
    count, after, now = 0, 0, clock.now()
    while people := sql.rows(_SHORT, [after, PEOPLE]):
        after = people[-1][0]
        cutoffs = [_ms(now - timedelta(days=days)) for _, days in people]
        params = [[person for person, _ in people], cutoffs, EACH]
        while found := _found(_OF_SHORT, params):
            done = sum(_trim(found[start : start + BATCH]) for start in range(0, len(found), BATCH))
            count += done
            if not done:
                break  # somebody else was quicker
    return count


def _found(query: str, params: Any) -> Found:
    return [(notification_id, state) for notification_id, state in sql.rows(query, params)]


def _trim(found: Found) -> int:
    """Forget these, in one transaction; what is deferred stays. Returns how many went."""
    unread = [notification_id for notification_id, state in found if state == State.UNREAD]
    with transaction.atomic():
        if unread:
            changed("inbox_close(%s, %s, %s)", [unread, State.AUTO_CLEARED, clock.offset()])
        ids = [notification_id for notification_id, _ in found]
        gone = sql.rows("SELECT user_id, login, up_to, ids FROM inbox_trim(%s)", [ids])
        transaction.on_commit(lambda: _forget_in_redis(gone))
    return sum(len(ids) for *_, ids in gone)


def _forget_in_redis(gone: Iterable[tuple[Any, ...]]) -> None:
    """Take it out of the window as well. If Redis is away, the next trim of that person does it."""
    try:
        with get_redis_connection("default").pipeline(transaction=False) as pipe:
            for user_id, login, up_to, ids in gone:
                names: Sequence[str] = [str(each) for each in ids]
                if up_to is not None:
                    stream = keys.stream(user_id, login)
                    pipe.xtrim(stream, minid=f"{up_to + 1}-0", approximate=False)
                pipe.hdel(keys.read_state(user_id, login), *names)
                pipe.unlink(*(keys.payload(name) for name in names))
            pipe.execute()
    except RedisError as exc:
        logger.warning("the window in Redis could not be trimmed: %s", type(exc).__name__)


def _leftovers_drop() -> int:
    """Delete what served screens long ago: notes of pushes, rows of the outbox."""
    now = clock.now()
    count = 0
    for table, column, before in (
        ("inbox_push", "at", now - timedelta(days=MOST_DAYS + 1)),
        ("inbox_outbox", "created_at", now - OUTBOX_KEPT),
    ):
        query = f"""DELETE FROM {table} WHERE id IN (
            SELECT id FROM {table} WHERE {column} < %s LIMIT %s FOR UPDATE SKIP LOCKED
        )"""
        count += sql.run(query, [before, LEFTOVERS])
    return count


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _first_id(at: datetime) -> UUID:
    """Before all ids that were made from then on (UUID version 7, RFC 9562: 48 bits of milliseconds)."""
    return UUID(int=_ms(at) << 80)
