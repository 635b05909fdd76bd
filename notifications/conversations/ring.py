"""A timer rings: is the message still unread, and is there somebody to tell?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from notifications.conversations.events import PENDING, pending_event
from notifications.webhooks.services import event_emit

# What migrations/sql/ring.sql says beside the fates and reasons of a notice.
TELL = "tell"
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a ring came to: a fate, its reason, and the event that was stored."""

    fate: str
    reason: str = ""
    event_id: UUID | None = None

    def result(self) -> dict[str, Any]:
        """As the result of the job."""
        event = str(self.event_id) if self.event_id else None
        return {"fate": self.fate, "reason": self.reason, "event_id": event}


class Found(NamedTuple):
    """What conversation_ring says, and all that the event needs."""

    fate: str
    reason: str
    event_id: UUID | None
    participant_id: int
    position: int
    title: str
    sender_id: str
    text: str
    sent_at: datetime
    unread: int


@transaction.atomic
def timer_ring(
    *, dialog_id: UUID, recipient_id: str, message_id: UUID, job_id: UUID | None = None
) -> Verdict:
    """Store a `notification.pending` event if the person is there, has not read, and wants to know.

    Decided under the lock of the participant, which a read takes as well: an event is never stored
    after a read has committed. Repeat: a message is told of once, whatever rings again.
    """
    row = sql.row(
        "SELECT * FROM conversation_ring(%s, %s, %s, %s, %s, %s, %s)",
        [
            dialog_id,
            recipient_id,
            message_id,
            job_id,
            settings.NOTIFICATION_ENABLED,
            settings.NOTIFICATION_MAX_WAIT,
            clock.offset(),
        ],
    )
    assert row is not None  # a function without SETOF gives one row
    found = Found(*row)
    if found.fate != TELL:
        return Verdict(found.fate, found.reason, found.event_id)
    event_id = event_emit(
        PENDING,
        pending_event(
            dialog_id=dialog_id,
            dialog_title=found.title,
            recipient_id=recipient_id,
            sender_id=found.sender_id,
            message_id=message_id,
            position=found.position,
            text=found.text,
            sent_at=found.sent_at,
            unread=found.unread,
        ),
    )
    settled = sql.row(
        "SELECT * FROM conversation_told(%s, %s, %s, %s, %s, %s, %s)",
        [
            found.participant_id,
            message_id,
            found.position,
            found.sent_at,
            event_id,
            job_id,
            clock.now(),
        ],
    )
    assert settled is not None
    return Verdict(*settled)
