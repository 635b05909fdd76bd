"""What became of a notification, in words for people, with the colour of the console."""

from notifications.conversations.models import Fate, Reason
from notifications.conversations.selectors.story import FOLDED, UNKNOWN, WAITS

# name: a word for a badge, what it means, the class of static/jobs/console.css with its colour.
OUTCOMES: dict[str, tuple[str, str, str]] = {
    Fate.SENT: ("told", "an event was stored for the webhooks", "completed"),
    Reason.READ: ("had read", "the message was read before its timer rang", "cancelled"),
    Reason.DISABLED: ("switched off", "the person wants no notifications here", "cancelled"),
    Reason.LEFT: ("had left", "the person had left the dialog", "cancelled"),
    Reason.SWITCHED_OFF: ("site is off", "NOTIFICATION_ENABLED was 0", "paused"),
    Reason.NO_ENDPOINT: (
        "nobody listens",
        "no webhook endpoint asks for notification.pending",
        "paused",
    ),
}
OTHERS: dict[str, tuple[str, str, str]] = {
    WAITS: ("waits", "the timer runs; reading the message stops it", "scheduled"),
    FOLDED: ("folded", "a later message took over the timer, and stands for both", "snoozed"),
    UNKNOWN: ("not known", "no timer was begun, or what became of it is kept no more", "cancelled"),
}


def outcome_words(name: str) -> tuple[str, str, str]:
    """(word, meaning, colour) of a fate, a reason, or a word of the story."""
    return OUTCOMES.get(name) or OTHERS.get(name) or (name, "", "cancelled")
