"""Saying something in a dialog, and reading what was said."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from notifications.conversations import stats, timers
from notifications.conversations.errors import MessageUnknown, NotAParticipant
from notifications.conversations.models import Dialog, Message, Participant
from notifications.conversations.people import (
    dialog_lock,
    participant_lock,
    text_check,
    user_check,
)

# The other people have one more unread, the dialog is back on everybody's list, and whoever has no
# timer yet begins to wait.
_TELL = """
UPDATE conversation_participant SET
    is_archived = false,
    unread = unread + CASE WHEN user_id = %(sender)s THEN 0 ELSE 1 END,
    pending_position = CASE WHEN is_told THEN %(position)s ELSE pending_position END,
    pending_since = CASE WHEN is_told THEN coalesce(pending_since, %(now)s) ELSE pending_since END
FROM (SELECT id AS told_id, %(starts)s AND user_id <> %(sender)s AS is_told
    FROM conversation_participant WHERE dialog_id = %(dialog)s AND left_at IS NULL
    ORDER BY id FOR NO KEY UPDATE) told
WHERE id = told_id
RETURNING user_id
"""


@transaction.atomic
def message_send(*, dialog_id: UUID, sender_id: str, text: str) -> Message:
    """Say something: everybody else has one more unread, and a timer begins anew for each of them.

    Redis is not asked. Locks: the dialog, then its participants.
    Raises ConversationInvalid, DialogUnknown, NotAParticipant.
    """
    sender_id, text = user_check(sender_id, "sender_id"), text_check(text)
    dialog = dialog_lock(dialog_id)
    here = Participant.objects.filter(dialog=dialog, user_id=sender_id, left_at=None)
    if not here.exists():
        raise NotAParticipant(f"{sender_id} does not take part in this dialog")
    now = clock.now()
    message = Message(
        dialog=dialog,
        position=dialog.last_position + 1,
        sender_id=sender_id,
        text=text,
        sent_at=now,
    )
    message.save(force_insert=True)
    dialog.last_position, dialog.active_at, dialog.archived_at = message.position, now, None
    dialog.save(update_fields=["last_position", "active_at", "archived_at"])
    others = _told(dialog, message)
    stats.count("message")
    if settings.NOTIFICATION_ENABLED:
        timers.timers_start(message, others)
    return message


def _told(dialog: Dialog, message: Message) -> list[str]:
    """Count the message for all who are there. Returns the others."""
    found = sql.rows(
        _TELL,
        {
            "dialog": dialog.pk,
            "sender": message.sender_id,
            "position": message.position,
            "starts": settings.NOTIFICATION_ENABLED,
            "now": message.sent_at,
        },
    )
    return sorted(user_id for (user_id,) in found if user_id != message.sender_id)


@dataclass(frozen=True, slots=True)
class ReadState:
    """How far somebody has read."""

    last_read_position: int
    unread: int


@transaction.atomic
def messages_read(*, dialog_id: UUID, user_id: str, message_id: UUID | None = None) -> ReadState:
    """Note that somebody has read up to a message; without one: all there is.

    Once this has committed, nobody is told of those messages any more. Reading never goes back:
    an older message changes nothing. Repeat-safe. Locks: the participant, which the timer locks, too.
    Raises ConversationInvalid, DialogUnknown, MessageUnknown, NotAParticipant.
    """
    row = participant_lock(dialog_id, user_check(user_id))
    # Read under the lock: a message that is being sent cannot count itself before we have committed.
    last = Dialog.objects.values_list("last_position", flat=True).get(pk=dialog_id)
    position = last if message_id is None else _position(dialog_id, message_id)
    if position > row.last_read_position:
        row.last_read_position, row.last_read_at = position, clock.now()
        row.unread = 0 if position >= last else _unread_after(row)
        if row.pending_position is not None and row.pending_position <= position:
            row.pending_position = row.pending_since = None
        row.save(
            update_fields=[
                "last_read_position",
                "last_read_at",
                "unread",
                "pending_position",
                "pending_since",
            ]
        )
    return ReadState(row.last_read_position, row.unread)


def _position(dialog_id: UUID, message_id: UUID) -> int:
    found = Message.objects.filter(pk=message_id, dialog_id=dialog_id)
    position = found.values_list("position", flat=True).first()
    if position is None:
        raise MessageUnknown
    return position


def _unread_after(row: Participant) -> int:
    newer = Message.objects.filter(dialog_id=row.dialog_id, position__gt=row.last_read_position)
    return newer.exclude(sender_id=row.user_id).count()
