"""Timers: one debounced job per person who is to be told, begun anew by each message."""

from collections.abc import Iterable

from django.conf import settings

from jobs.enqueue import enqueue_many
from jobs.registry import Debounce
from notifications.conversations import stats
from notifications.conversations.models import Message
from notifications.conversations.tasks import notify_unread


def timer_key(dialog_id: object, user_id: str) -> str:
    """Whose timer it is: there is one per dialog and person."""
    return f"{dialog_id}:{user_id}"


def timers_start(message: Message, recipients: Iterable[str]) -> None:
    """Begin the timers of these people, in the transaction of the message.

    A timer that runs already begins anew and is about this message from now on, but rings no later
    than NOTIFICATION_MAX_WAIT after it was first begun. Locks: the timers, in the order of their keys.
    """
    debounce = Debounce(settings.NOTIFICATION_DELAY, settings.NOTIFICATION_MAX_WAIT)
    made = enqueue_many(
        (
            notify_unread,
            {
                "dialog_id": str(message.dialog_id),
                "recipient_id": user_id,
                "message_id": str(message.pk),
                "debounce": (timer_key(message.dialog_id, user_id), debounce),
            },
        )
        for user_id in recipients
    )
    stats.count("debounced", sum(each.deduplicated for each in made))
