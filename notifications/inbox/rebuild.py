"""Filling the window in Redis again, after Redis has forgotten it.

A key that nobody else writes marks the window as whole. Screens do not need any of this: they are told
from Postgres. Outsiders that read the keys of the source document do.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import orjson
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from jobs import sql
from lib import clock
from notifications.inbox import keys
from notifications.inbox.changing import seconds_left
from notifications.inbox.frames import payload_form
from notifications.inbox.models import State
from notifications.inbox.positions import stream_id
from notifications.inbox.shapes import Row
from notifications.inbox.window import KEPT_S, WindowAway

MARKER = f"{settings.INBOX_REDIS_PREFIX}inbox:window"  # is there unless Redis has lost its memory
LATELY = timedelta(days=1)  # whose inbox changed since then comes back
PEOPLE = 100  # in one call of Redis, which does nothing else meanwhile

_ACTIVE = """
SELECT id FROM inbox_recipient WHERE id > %s AND last_position > %s ORDER BY id LIMIT %s
"""
_ROWS = """
SELECT r.user_id, r.login, r.retention_days, n.* FROM unnest(%s::bigint[]) AS p (id)
JOIN inbox_recipient r ON r.id = p.id
CROSS JOIN LATERAL (
    SELECT recipient_id, id, position, version, state, message, source, created_at, expires_at,
        priority, edition, data::text
    FROM inbox_notification n WHERE n.recipient_id = p.id AND n.position IS NOT NULL
    ORDER BY n.position DESC LIMIT %s
) n
ORDER BY r.id, n.position
"""
_GONE = "SELECT id FROM inbox_notification WHERE id = ANY(%s) AND state NOT IN ('unread', 'read')"
# What somebody published in the meantime is newer: it stays behind what is written here. A payload that
# is there already is newer, too.
_WRITE = """
local kept, length = ARGV[2], ARGV[3]
for _, p in ipairs(cjson.decode(ARGV[1])) do
    local stream, entries = p.stream, p.entries
    local newer = redis.call('XRANGE', stream, '(' .. entries[#entries][1], '+')
    redis.call('DEL', stream)
    for _, e in ipairs(entries) do redis.call('XADD', stream, e[1], 'nid', e[2]) end
    for _, e in ipairs(newer) do redis.call('XADD', stream, e[1], unpack(e[2])) end
    redis.call('XTRIM', stream, 'MAXLEN', length)
    redis.call('EXPIRE', stream, kept)
    for _, each in ipairs(p.payloads) do redis.call('SET', each[1], each[3], 'EX', each[2], 'NX') end
    for _, nid in ipairs(p.read) do redis.call('HSET', p.state, nid, 'read') end
    if #p.read > 0 then redis.call('EXPIRE', p.state, kept) end
    if p.days < 15 then redis.call('SET', p.retention, p.days) end
end
"""


def window_is_lost() -> bool:
    """Has Redis forgotten the window, or never had it? Raises WindowAway."""
    try:
        return not get_redis_connection("default").exists(MARKER)
    except RedisError as exc:
        raise WindowAway(type(exc).__name__) from exc


def window_rebuild() -> int:
    """Write the streams, payloads and read states of people whose inbox changed within a day.

    Returns how many people. Repeat-safe; the mark is set when all is done. Raises WindowAway.
    """
    since_ms = int((clock.now() - LATELY).timestamp() * 1000)
    after, count = 0, 0
    while found := sql.rows(_ACTIVE, [after, since_ms, PEOPLE]):
        people = [recipient_id for (recipient_id,) in found]
        after = people[-1]
        people_rebuild(people)
        count += len(people)
    try:
        get_redis_connection("default").set(MARKER, clock.now().isoformat())
    except RedisError as exc:
        raise WindowAway(type(exc).__name__) from exc
    return count


def people_rebuild(recipient_ids: Sequence[int]) -> None:
    """Write the window of these people anew: the last 100 of each. Raises WindowAway.

    Holds no lock: what ends in that moment is looked for once more, and its payload taken away.
    """
    for start in range(0, len(recipient_ids), PEOPLE):
        rows = sql.rows(_ROWS, [list(recipient_ids[start : start + PEOPLE]), keys.STREAM_LENGTH])
        people = [
            _person(target, list(group))
            for target, group in groupby(rows, key=lambda row: (row[0], row[1]))
        ]
        if not people:
            continue
        try:
            redis = get_redis_connection("default")
            redis.eval(_WRITE, 0, orjson.dumps(people), KEPT_S, keys.STREAM_LENGTH)
            # Whoever ends one later than this look takes its payload away itself.
            if gone := sql.rows(_GONE, [[row[4] for row in rows]]):
                redis.unlink(*(keys.payload(str(found)) for (found,) in gone))
        except RedisError as exc:
            raise WindowAway(type(exc).__name__) from exc


def _person(target: tuple[int, str], found: list[tuple[Any, ...]]) -> dict[str, Any]:
    """What the script writes for one person. found: oldest first."""
    rows = [Row(row[3], str(row[4]), *row[5:]) for row in found]
    now = clock.now()
    return {
        "stream": keys.stream(*target),
        "state": keys.read_state(*target),
        "retention": keys.retention(*target),
        "days": found[0][2],
        "entries": [(stream_id(row.position), row.notification_id) for row in rows],
        "payloads": [
            (
                keys.payload(row.notification_id),
                seconds_left(row.expires_at),
                payload_form(row)(row.notification_id, target),
            )
            for row in rows
            if row.state in {State.UNREAD, State.READ}
            and row.expires_at is not None
            and row.expires_at > now
        ],
        "read": [row.notification_id for row in rows if row.state == State.READ],
    }
