"""The hot window in Redis: what outsiders read of an inbox, and the channel that the hubs hear.

All of it can be lost. Keys and their meaning are those of the source document; see keys.py.
"""

from collections.abc import Sequence
from typing import Any

import orjson
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from notifications.inbox import keys
from notifications.inbox.changes import published
from notifications.inbox.positions import stream_id
from notifications.inbox.shapes import NEW, READ, Change

AT_ONCE = 250  # changes per call: Redis does nothing else meanwhile
KEPT_S = (
    16 * 86_400
)  # nothing is kept for longer than 15 days; who is never written to is forgotten

# One argument is quicker than thousands, on both sides. XADD refuses an id below the newest one: either
# the change was published before, or a newer one of another process was quicker; then what is newer
# stands aside for a moment.
_WRITE = """
local function add(stream, id, nid)
    local added = redis.pcall('XADD', stream, 'MAXLEN', ARGV[2], id, 'nid', nid)
    if type(added) ~= 'table' or #redis.call('XRANGE', stream, id, id) > 0 then return end
    local newer = redis.call('XRANGE', stream, '(' .. id, '+')
    for _, e in ipairs(newer) do redis.call('XDEL', stream, e[1]) end
    local before = redis.call('XREVRANGE', stream, '(' .. id, '-', 'COUNT', 1)
    redis.call('XSETID', stream, before[1] and before[1][1] or '0-0')
    redis.call('XADD', stream, id, 'nid', nid)
    for _, e in ipairs(newer) do redis.call('XADD', stream, e[1], unpack(e[2])) end
    redis.call('XTRIM', stream, 'MAXLEN', ARGV[2])
end
for _, c in ipairs(cjson.decode(ARGV[1])) do
    local kind = c[1]
    if kind == 'n' then
        redis.call('SETEX', c[4], c[5], c[6])
        add(c[7], c[8], c[9])
        redis.call('EXPIRE', c[7], ARGV[3])
    elseif kind == 'u' then
        redis.call('SETEX', c[4], c[5], c[6])
    elseif kind == 'r' then
        redis.call('HSET', c[4], c[5], 'read')
        redis.call('EXPIRE', c[4], ARGV[3])
    else
        redis.call('DEL', c[4])
    end
    redis.call('PUBLISH', c[2], c[3])
end
"""


class WindowAway(Exception):
    """Redis cannot be reached, or refuses to write."""


class Window:
    """A connection of its own. Not for two threads at once."""

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=0.5,
            socket_timeout=2.0,
            retry=Retry(NoBackoff(), 1),  # a connection that went stale is opened again
            single_connection_client=False,
        )
        self._write = self._redis.register_script(_WRITE)

    def write(self, changes: Sequence[Change]) -> None:
        """Write and publish, in their order. Raises WindowAway; then some of it may be done.

        Repeat: whoever knows a position drops it, and a stream takes a position once.
        """
        for start in range(0, len(changes), AT_ONCE):
            entries = orjson.dumps([_entry(change) for change in changes[start : start + AT_ONCE]])
            try:
                self._write(args=[entries, keys.STREAM_LENGTH, KEPT_S])
            except redis.RedisError as exc:
                raise WindowAway(type(exc).__name__) from exc

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _entry(change: Change) -> list[Any]:
    begin: list[Any] = [change.kind, keys.channel(change.recipient_id), published(change)]
    if change.kind == READ:
        state = keys.read_state(change.user_id, change.login)
        return [*begin, state, change.notification_id]
    begin.append(keys.payload(change.notification_id))
    if change.payload is None:
        return begin
    begin += [change.ttl_s, change.payload]
    if change.kind == NEW:
        begin += [
            keys.stream(change.user_id, change.login),
            stream_id(change.position),
            change.notification_id,
        ]
    return begin
