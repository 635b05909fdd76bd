"""Short words for dialogs: make one, say something, read, let the timers ring, look at the rows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Max

from jobs.models import Job
from jobs.testing import drain
from lib import clock
from notifications.conversations import stats
from notifications.conversations.dialogs import dialog_create
from notifications.conversations.messages import ReadState, message_send, messages_read
from notifications.conversations.models import Dialog, Message, Notice, Participant
from notifications.webhooks.models import Event

ANNA, BORIS, CLARA = "anna", "boris", "clara"
KIND = "conversations.notify_unread"


def dialog(*people: str, title: str = "Order 1") -> UUID:
    """A dialog of these people (Anna and Boris)."""
    return dialog_create(participants=people or (ANNA, BORIS), title=title).pk


def say(dialog_id: UUID, text: str = "Hello", *, by: str = ANNA) -> Message:
    """A message of Anna, or of whoever is named."""
    return message_send(dialog_id=dialog_id, sender_id=by, text=text)


def read(dialog_id: UUID, user_id: str = BORIS, upto: Message | None = None) -> ReadState:
    """Boris, or whoever is named, has read up to a message, or everything."""
    return messages_read(dialog_id=dialog_id, user_id=user_id, message_id=upto.pk if upto else None)


def person(dialog_id: UUID, user_id: str = BORIS) -> Participant:
    """The row of a participant."""
    return Participant.objects.get(dialog_id=dialog_id, user_id=user_id)


def after(**span: float) -> Any:
    """A clock that is later by so much: with after(seconds=31): ..."""
    return clock.shift(timedelta(**span))


def ring(**span: float) -> int:
    """Let the timers that are due after so long (31 seconds) ring. Returns how many did."""
    with after(**(span or {"seconds": 31})):
        return drain(queues=["notifications"])


def timers() -> dict[str, str]:
    """{"<user>": text of the message that the waiting timer is about}."""
    jobs = Job.objects.filter(kind=KIND, state__in=["scheduled", "available"])
    texts = {str(pk): text for pk, text in Message.objects.values_list("pk", "text")}
    return {job.args["recipient_id"]: texts[job.args["message_id"]] for job in jobs}


def fates() -> list[tuple[str, str, str]]:
    """(user, text of the message, fate or why not) of all timers that rang, oldest first."""
    texts = dict(Message.objects.values_list("pk", "text"))
    return [
        (row.user_id, texts[row.message_id], row.reason or row.fate)
        for row in Notice.objects.order_by("pk")
    ]


def events() -> int:
    """How many events were stored for webhooks."""
    return Event.objects.count()


def counted() -> dict[str, int]:
    """What was counted, without the messages: {"sent": 1, "skipped read": 2}."""
    return {
        f"{event} {reason}".strip(): times
        for (event, reason), times in stats.totals().items()
        if event != "message"
    }


def dialogs_check() -> None:
    """What holds of all dialogs between two transactions."""
    for each in Dialog.objects.annotate(latest=Max("messages__position")):
        assert each.last_position == (each.latest or 0)
        positions = Message.objects.filter(dialog=each).values_list("position", flat=True)
        assert sorted(positions) == list(range(1, each.last_position + 1))
    for row in Participant.objects.filter(left_at=None):
        others = Message.objects.filter(dialog_id=row.dialog_id).exclude(sender_id=row.user_id)
        assert row.unread == others.filter(position__gt=row.last_read_position).count()
    assert not Participant.objects.filter(
        last_read_position__gt=F("dialog__last_position")
    ).exists()
