"""A timer rings: is the message still unread, and is there somebody to tell?"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from lib import clock
from notifications.conversations import stats
from notifications.conversations.events import PENDING, pending_event
from notifications.conversations.models import Fate, Message, Notice, Participant, Reason
from notifications.webhooks.models import Event
from notifications.webhooks.services import event_emit

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


@transaction.atomic
def timer_ring(
    *, dialog_id: UUID, recipient_id: str, message_id: UUID, job_id: UUID | None = None
) -> Verdict:
    """Store a `notification.pending` event if the person is there, has not read, and wants to know.

    Decided under the lock of the participant, which a read takes as well: an event is never stored
    after a read has committed. Repeat: a message is told of once, whatever rings again.
    """
    person = _locked(dialog_id, recipient_id)
    message = Message.objects.select_related("dialog").filter(pk=message_id).first()
    if person is None or message is None:
        # The dialog is gone, with all that could be told of it.
        stats.count(Fate.SKIPPED, reason=Reason.LEFT)
        return Verdict(Fate.SKIPPED, Reason.LEFT)
    known = Notice.objects.filter(participant=person, position=message.position).first()
    if known is not None:
        return Verdict(known.fate, known.reason, known.event_id)
    reason = _reason(person, message)
    if not reason and _is_superseded(person, message):
        stats.count("debounced")
        return Verdict(Fate.SKIPPED, SUPERSEDED)
    verdict = Verdict(Fate.SKIPPED, reason) if reason else _told(person, message)
    _settle(person, message, verdict, job_id)
    return verdict


def _locked(dialog_id: UUID, recipient_id: str) -> Participant | None:
    rows = Participant.objects.select_for_update(no_key=True)
    return rows.filter(dialog_id=dialog_id, user_id=recipient_id).first()


def _reason(person: Participant, message: Message) -> str:
    """Why nobody is told; nothing if somebody is."""
    if person.left_at is not None:
        return Reason.LEFT
    if person.last_read_position >= message.position:
        return Reason.READ
    if not person.notifications_enabled:
        return Reason.DISABLED
    return "" if settings.NOTIFICATION_ENABLED else Reason.SWITCHED_OFF


def _told(person: Participant, message: Message) -> Verdict:
    """Store the event; one that no endpoint asks for is not stored, and nobody is told."""
    event_id = event_emit(PENDING, pending_event(message, person))
    if not Event.objects.filter(pk=event_id).exists():
        return Verdict(Fate.SKIPPED, Reason.NO_ENDPOINT)
    return Verdict(Fate.SENT, event_id=event_id)


def _is_superseded(person: Participant, message: Message) -> bool:
    """Has a later message begun a timer of its own while this one was on its way to a worker?

    Then that one tells, unless somebody has waited for so long that it would be too long.
    """
    if person.pending_position is None or person.pending_position <= message.position:
        return False
    assert person.pending_since is not None  # a constraint
    return clock.now() - person.pending_since < settings.NOTIFICATION_MAX_WAIT


def _settle(person: Participant, message: Message, verdict: Verdict, job_id: UUID | None) -> None:
    """Note what it came to, in the transaction of the event."""
    now = clock.now()
    Notice.objects.create(
        dialog_id=message.dialog_id,
        participant=person,
        user_id=person.user_id,
        message_id=message.pk,
        position=message.position,
        fate=verdict.fate,
        reason=verdict.reason,
        unread=person.unread,
        sent_at=message.sent_at,
        at=now,
        event_id=verdict.event_id,
        job_id=job_id,
    )
    if person.pending_position is not None:
        if person.pending_position > message.position:
            person.pending_since = now  # the next message has waited for no longer than this one
        else:
            person.pending_position = person.pending_since = None
        person.save(update_fields=["pending_position", "pending_since"])
    stats.count(verdict.fate, reason=verdict.reason)
