"""Telling the admins of the bot: alerts of the platform, and messages of the queue that failed."""

from django.conf import settings

from jobs.alerts import attention
from lib import clock
from notifications.telegram.lane import Claimed, Fate
from notifications.telegram.models import QueuedMessage
from notifications.telegram.templates import render

ALERT = "alert"  # the type of our own alerts; their failure is never told in the same channel
# The fault of one chat or one text is shown in the console; nobody is woken for it.
QUIET_REASONS = frozenset(
    {"blocked", "deactivated", "not_started", "not_found", "kicked", "to_bot", "too_long", "empty"}
)


def message_failed(message: Claimed, fate: Fate) -> None:
    """A message was given up: one alert for many, unless it was an alert itself."""
    if message.notification_type == ALERT or fate.reason in QUIET_REASONS:
        return
    attention(
        group="telegram.failed",
        title="Telegram messages failed",
        text=f"message {message.id} ({message.notification_type}): {fate.error or fate.reason}",
        severity="warning",
        link="/admin/telegram/queuedmessage/?state=failed",
    )


def token_refused(error: str) -> None:
    """The bot cannot speak at all: the log and the console are what is left."""
    attention(
        group="telegram.token",
        title="Telegram refuses the token of the bot",
        text=error,
        severity="critical",
        link="/admin/telegram/queuedmessage/?reason=unauthorized",
    )


def admins_tell(*, severity: str, title: str, details: str, source: str, link: str) -> list[int]:
    """Queue one message to each admin. Returns the ids of the rows; none if there are no admins."""
    text = render(
        "alert_opened",
        settings.TELEGRAM_LANGUAGE,
        severity=severity,
        title=title,
        details=details,
        source=source,
        opened_at=clock.now(),
        url=settings.SITE_URL + (link or "/admin/"),
    )
    rows = QueuedMessage.objects.bulk_create(
        QueuedMessage(
            telegram_id=chat, message=text, notification_type=ALERT, parse_mode="HTML", priority=0
        )
        for chat in settings.ADMIN_TELEGRAM_IDS
    )
    return [row.pk for row in rows]
