"""Dialogs of a shop with its customers: some are read, some are told of, one is put away."""

from datetime import timedelta

from lib import clock
from notifications.conversations import dialogs
from notifications.conversations.archive import inactive_archive
from notifications.conversations.messages import message_send, messages_read

SUPPORT = "support-olga"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
# How long ago, who says it, what. Of a customer: the dialog is theirs.
TALKS: dict[str, tuple[str, tuple[tuple[timedelta, str, str], ...]]] = {
    "8001": (
        "Payment of November",
        (
            (47 * MINUTE, "8001", "I have paid twice, it seems. Can you look?"),
            (44 * MINUTE, SUPPORT, "You have: the second payment is on its way back to you."),
            (43 * MINUTE, SUPPORT, "It takes two to three days."),
        ),
    ),
    "8002": (
        "Slow in the evening",
        (
            (31 * MINUTE, "8002", "Since Friday it is slow from eight in the evening on."),
            (12 * MINUTE, SUPPORT, "fra-1 is full then. We have moved you to ams-1."),
        ),
    ),
    "8003": (
        "Another phone",
        (
            (6 * MINUTE, "8003", "How do I get it onto my new phone?"),
            (4 * MINUTE, SUPPORT, "Open the link that we have just sent you there."),
        ),
    ),
    "8004": ("Thank you", ((9 * DAY, "8004", "It works again, thank you!"),)),
}


def conversations_make() -> None:
    """Make the dialogs. Their timers are due, so the workers decide them at once."""
    made = {}
    for customer, (title, talk) in TALKS.items():
        with clock.shift(-talk[0][0] - MINUTE):
            row = dialogs.dialog_create(participants=[customer, SUPPORT], title=title)
        made[customer] = row.pk
        for back, who, text in talk:
            with clock.shift(-back):
                message_send(dialog_id=row.pk, sender_id=who, text=text)
    messages_read(dialog_id=made["8001"], user_id=SUPPORT)
    dialogs.participant_notify(dialog_id=made["8002"], user_id="8002", is_enabled=False)
    inactive_archive()
