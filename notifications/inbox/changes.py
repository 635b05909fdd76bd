"""Changes as they are published: what the screens are told, and what the keys in Redis hold."""

from notifications.inbox.frames import (
    cleared_frame,
    payload_form,
    push_frame,
    read_ack_frame,
    recall_frame,
    update_frame,
)
from notifications.inbox.shapes import CLEARED, NEW, READ, RECALLED, UPDATED, Change, Row, Target


def published(change: Change) -> str:
    """The message on the person's channel. Who forwards it reads the first line only."""
    head = f"{change.position} {change.prev} {change.kind} {change.notification_id}"
    return f"{head}\n{change.frame}"


def change_new(row: Row, target: Target, *, prev: int, ttl_s: int) -> Change:
    """A notification got its position. ttl_s: for how long its payload is kept in Redis."""
    payload = payload_form(row)(row.notification_id, target)
    return Change(
        row.recipient_id, *target, row.position, prev, NEW, row.notification_id, push_frame(row),
        payload, ttl_s,
    )  # fmt: skip


def change_updated(row: Row, target: Target, *, prev: int, ttl_s: int) -> Change:
    """Its text or data changed; row.version is the position of that. ttl_s: what is left of it."""
    payload = payload_form(row)(row.notification_id, target)
    return Change(
        row.recipient_id, *target, row.version, prev, UPDATED, row.notification_id,
        update_frame(row), payload, ttl_s,
    )  # fmt: skip


def change_read(
    recipient_id: int,
    target: Target,
    notification_id: str,
    *,
    stream: int,
    position: int,
    prev: int,
) -> Change:
    """It was read. stream: its own position; position: that of the change."""
    frame = read_ack_frame(notification_id, stream)
    return Change(recipient_id, *target, position, prev, READ, notification_id, frame)


def change_recalled(
    recipient_id: int,
    target: Target,
    notification_id: str,
    reason: str,
    *,
    stream: int,
    position: int,
    prev: int,
) -> Change:
    """It is to vanish. reason: recalled or replaced."""
    frame = recall_frame(notification_id, reason, stream, position)
    return Change(recipient_id, *target, position, prev, RECALLED, notification_id, frame)


def change_cleared(
    recipient_id: int,
    target: Target,
    notification_id: str,
    *,
    stream: int,
    position: int,
    prev: int,
) -> Change:
    """It expired unread."""
    frame = cleared_frame(notification_id, stream, position)
    return Change(recipient_id, *target, position, prev, CLEARED, notification_id, frame)
