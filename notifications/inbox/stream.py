"""Reading inboxes: all of it for who connects, what was missed for who comes back.

Positions and rows come of one statement, so they belong together whatever is written meanwhile.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs import sql
from notifications.inbox.arrays import ints
from notifications.inbox.frames import (
    cleared_frame,
    push_frame,
    read_ack_frame,
    recall_frame,
    update_frame,
)
from notifications.inbox.models import VISIBLE
from notifications.inbox.shapes import (
    CLEARED,
    NEW,
    READ,
    RECALLED,
    UPDATED,
    Changes,
    Missed,
    Row,
    Snapshot,
)

PENDING_MOST = 1_000  # unread ones that a snapshot holds; older ones are in the pages

# Times as microseconds: reading timestamps as text takes longer than all the rest of a row.
_ROW = """id::text, position, version, state, message, source,
    (extract(epoch FROM created_at) * 1000000)::bigint,
    (extract(epoch FROM expires_at) * 1000000)::bigint, priority, edition, data::text"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SNAPSHOT = f"""
SELECT recipient_id, last_position, unread, trimmed_to, epoch, {_ROW}
FROM inbox_snapshot(%s::bigint[], %s, %s)
"""
_CHANGES = f"""
SELECT recipient_id, last_position, unread, trimmed_to, epoch, {_ROW}, edited
FROM inbox_changes(%s::bigint[], %s::bigint[], %s)
"""
_PAGE = f"""
SELECT {_ROW} FROM inbox_notification
WHERE recipient_id = %s AND position IS NOT NULL AND position < coalesce(%s, 9223372036854775807)
    AND state IN ('unread', 'read', 'auto_cleared')
ORDER BY position DESC LIMIT %s
"""


def snapshot(recipient_ids: Sequence[int], *, limit: int = 100) -> dict[int, Snapshot]:
    """Inboxes as they stand, of many people in one statement. Who does not exist is left out.

    pending: what is unread, at most PENDING_MOST, the newest. recent: what else the last `limit` hold.
    """
    inboxes: dict[int, Snapshot] = {}
    for found in sql.rows(_SNAPSHOT, [ints(recipient_ids), limit, PENDING_MOST]):
        recipient_id, last_position, unread, trimmed_to, epoch, *rest = found
        inbox = inboxes.get(recipient_id)
        if inbox is None:
            inbox = Snapshot(last_position, unread, trimmed_to, epoch, [], [])
            inboxes[recipient_id] = inbox
        if rest[0] is not None:
            row = _row(recipient_id, rest)
            (inbox.pending if row.state == "unread" else inbox.recent).append(row)
    for inbox in inboxes.values():
        inbox.pending.sort(key=_position)
        inbox.recent.sort(key=_position)
    return inboxes


def changes_since(wanted: Sequence[tuple[int, int]], *, cap: int = 1_000) -> dict[int, Changes]:
    """What happened after a position: (recipient id, position) pairs, each person once.

    cap: how many notifications may have changed until it is too much. Who does not exist is left out.
    """
    since = dict(wanted)
    rows: dict[int, list[tuple[Row, int | None]]] = {}
    result: dict[int, Changes] = {}
    for found in sql.rows(_CHANGES, [ints(since), ints(since.values()), cap + 1]):
        recipient_id, last_position, unread, trimmed_to, epoch, *rest, edited = found
        if recipient_id not in result:
            # A position that we have not reached is of another history.
            leads_on = trimmed_to <= since[recipient_id] <= last_position
            result[recipient_id] = Changes(last_position, unread, epoch, leads_on, [])
            rows[recipient_id] = []
        if rest[0] is not None:
            rows[recipient_id].append((_row(recipient_id, rest), edited))
    for recipient_id, changes in result.items():
        changes.complete = changes.complete and len(rows[recipient_id]) <= cap
        if changes.complete:
            changes.missed = _chain(rows[recipient_id], since[recipient_id])
    return result


def page(recipient_id: int, *, limit: int, before: int | None = None) -> list[Row]:
    """The last `limit` notifications, or those before a position; oldest first."""
    found = sql.rows(_PAGE, [recipient_id, before, limit])
    return [_row(recipient_id, columns) for columns in reversed(found)]


def _chain(rows: Sequence[tuple[Row, int | None]], since: int) -> list[Missed]:
    told = sorted(each for row, edited in rows for each in _told(row, edited, since))
    missed: list[Missed] = []
    for position, frame, kind, notification_id in told:
        missed.append(Missed(position, since, frame, kind, notification_id))
        since = position
    return missed


def _told(row: Row, edited: int | None, since: int) -> Iterator[tuple[int, str, str, str]]:
    """(position, frame, kind, id) of what somebody must be told who knows the inbox up to `since`."""
    each_id = row.notification_id
    if row.position > since:
        if row.state in VISIBLE:
            yield row.position, push_frame(row), NEW, each_id
        return
    if row.state not in VISIBLE:
        yield (
            row.version,
            recall_frame(each_id, row.state, row.position, row.version),
            RECALLED,
            each_id,
        )
        return
    if edited is not None and edited > since:
        yield edited, update_frame(row), UPDATED, each_id
    if row.version == edited:
        return
    if row.state == "read":
        yield row.version, read_ack_frame(each_id, row.position), READ, each_id
    elif row.state == "auto_cleared":
        yield row.version, cleared_frame(each_id, row.position, row.version), CLEARED, each_id


def _row(recipient_id: int, columns: Sequence[Any]) -> Row:
    each_id, position, version, state, message, source, created, expires, *rest = columns
    return Row(
        recipient_id, each_id, position, version, state, message, source, _moment(created),
        None if expires is None else _moment(expires), *rest,
    )  # fmt: skip


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _position(row: Row) -> int:
    return row.position
