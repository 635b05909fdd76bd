"""What was committed and perhaps never published: Redis was away, or a process died in between.

It stands in inbox_outbox, where a publisher leaves it. Publishing it again does no harm: whoever knows a
position drops it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs import sql
from notifications.inbox.changes import change_read
from notifications.inbox.changing import Changed, change_make
from notifications.inbox.models import State
from notifications.inbox.rebuild import people_rebuild, window_is_lost
from notifications.inbox.shapes import Change
from notifications.inbox.window import Window, WindowAway

PATIENCE_S = (
    2  # publishers have that long by themselves; by the clock of the database, as created_at
)
# Is there anything to relay? Nearly always the table is empty, or holds what a publisher is about to take.
LOOK = f"""
SELECT 1 FROM inbox_outbox WHERE created_at < clock_timestamp() - interval '{PATIENCE_S} s'
ORDER BY id LIMIT 1
"""
BATCH = 5_000  # changes, unless one row has more
ROUNDS = 200

_OLD = """
SELECT id, recipient_ids, positions FROM (
    SELECT *, sum(cardinality(positions)) OVER (ORDER BY id) - cardinality(positions) AS before FROM (
        SELECT * FROM inbox_outbox WHERE created_at < clock_timestamp() - make_interval(secs => %s)
        ORDER BY id LIMIT 500
    ) o
) o WHERE before < %s ORDER BY id
"""
# What changed once more since has left its position, and is told by that later change. Nothing lies
# between a position and the one before it, so whoever knows that one may go on, and others look here.
_STANDING = """
SELECT n.recipient_id, r.user_id, r.login, n.id, n.position, n.version, n.version - 1, n.state,
    n.message, n.source, n.created_at, n.expires_at, n.priority, n.edition, n.data::text, NULL
FROM unnest(%s::bigint[], %s::bigint[]) AS t (recipient_id, position)
JOIN inbox_notification n ON n.recipient_id = t.recipient_id AND n.version = t.position
JOIN inbox_recipient r ON r.id = n.recipient_id
ORDER BY n.recipient_id, n.version
"""
_FORGET = """
DELETE FROM inbox_outbox WHERE id IN (
    SELECT id FROM inbox_outbox WHERE id = ANY (%s) FOR UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one run did. is_away: Redis could not be reached, and the rest waits."""

    changes: int
    is_away: bool
    is_lost: bool  # Redis has forgotten what it held: see rebuild.py


def unpushed_relay() -> Relayed:
    """Publish what nobody has published for two seconds. Costs one look at a table that is mostly empty.

    Repeat-safe, and safe beside publishers and other relays: it holds no lock while it talks to Redis.
    """
    window, count = Window(), 0
    try:
        for _ in range(ROUNDS):
            rows = sql.rows(_OLD, [PATIENCE_S, BATCH])
            if not rows:
                break
            recipient_ids = [each for _, ids, _ in rows for each in ids]
            positions = [each for *_, found in rows for each in found]
            changes = _standing(recipient_ids, positions)
            window.write(changes)
            people_rebuild(_lacking(recipient_ids, changes))
            count += len(changes)
            sql.run(_FORGET, [[outbox_id for outbox_id, *_ in rows]])
        return Relayed(count, is_away=False, is_lost=window_is_lost())
    except WindowAway:
        return Relayed(count, is_away=True, is_lost=False)
    finally:
        window.close()


def _standing(recipient_ids: Sequence[int], positions: Sequence[int]) -> list[Change]:
    rows = sql.rows(_STANDING, [list(recipient_ids), list(positions)])
    return [_change(Changed(*row)) for row in rows]


def _lacking(recipient_ids: Sequence[int], changes: Sequence[Change]) -> list[int]:
    """Whose streams these changes will not bring up to date: some of theirs are not among them, since
    the notification has changed once more."""
    told = Counter(change.recipient_id for change in changes)
    return sorted(set(Counter(recipient_ids) - told))


def _change(one: Changed) -> Change:
    if one.state != State.READ:
        return change_make(one)
    places: dict[str, Any] = {"stream": one.position, "position": one.version, "prev": one.prev}
    return change_read(
        one.recipient_id, (one.user_id, one.login), str(one.notification_id), **places
    )
