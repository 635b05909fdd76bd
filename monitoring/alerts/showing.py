"""Messages that were sent are written again when people act: who has taken it, until when it is silent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings

from jobs import breakers, sql
from jobs.outcomes import Cancel, Outcome, Snooze
from jobs.registry import Debounce, kind_get
from lib import clock
from monitoring.alerts.buttons import buttons_of
from monitoring.alerts.models import Alert, AlertEvent, EventKind, Telling
from monitoring.alerts.writing import many_write, one_write
from notifications.telegram import errors, governor
from notifications.telegram.models import QueuedMessage
from notifications.telegram.sending import client

REFRESH = "alerts.refresh_telling"
LATELY = timedelta(hours=48)  # Telegram lets nobody edit much older messages with buttons
TOGETHER = Debounce("500ms", max_wait="3s")  # acts on many alerts of one message are one edit
_TELLS = (EventKind.TOLD, EventKind.REMINDED, EventKind.ESCALATED)


def alert_show(alert: Alert) -> None:
    """Have the messages about an alert written again, in the caller's transaction."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return
    lines = AlertEvent.objects.filter(
        alert=alert, kind__in=_TELLS, at__gt=clock.now() - LATELY
    ).order_by("-id")[:10]
    for telling_id in sorted({line.details["telling"] for line in lines}):
        kind_get(REFRESH).enqueue(
            telling_id=telling_id, debounce=(("telling", telling_id), TOGETHER)
        )


def telling_refresh(telling_id: int) -> Outcome | dict[str, int]:
    """Give all messages of a telling the text and the buttons that its alerts have now.

    What still waits in the queue is changed there. Repeat: safe. Raises TelegramError if Telegram is
    away: the rest is done by the next attempt.
    """
    telling = Telling.objects.filter(pk=telling_id).first()
    if telling is None:
        return Cancel("the telling was removed")
    while True:
        text, markup = _now(telling)
        waiting = _change_waiting(telling, text, markup)
        edited = 0
        for chat_id, message_id in _sent(telling):
            if (pause := governor.take(1)) is not None:
                return Snooze(pause, "the pace of the bot")
            try:
                edited += _edit(chat_id, message_id, text, markup)
            except errors.RateLimited as exc:
                governor.pause(exc.retry_after)
                return Snooze(exc.retry_after, str(exc))
        if _now(telling) == (text, markup):
            return {"edited": edited, "waiting": waiting}


def _now(telling: Telling) -> tuple[str, dict[str, Any] | None]:
    alerts = list(Alert.objects.filter(pk__in=telling.alert_ids).order_by("opened_at", "pk"))
    if not alerts:
        return telling.text, None
    markup = buttons_of(telling, alerts)
    if len(telling.alert_ids) == 1:
        return one_write(alerts[0], telling.kind, telling.at), markup
    return many_write(alerts, telling.kind), markup


def _sent(telling: Telling) -> Sequence[tuple[int, int]]:
    rows = QueuedMessage.objects.filter(pk__in=telling.messages).order_by("pk")
    found = rows.values_list("telegram_id", "message_id")
    return [(chat, message_id) for chat, message_id in found if message_id is not None]


def _change_waiting(telling: Telling, text: str, markup: dict[str, Any] | None) -> int:
    return sql.run(
        """UPDATE notification_queue SET message = %s, reply_markup = %s::jsonb
        WHERE id = ANY(%s) AND status = 'pending' AND claimed_at IS NULL""",
        [text, None if markup is None else orjson.dumps(markup).decode(), telling.messages],
    )


def _edit(chat_id: int, message_id: int, text: str, markup: dict[str, Any] | None) -> int:
    """One edit. A message that is gone, or cannot be edited any more, is left as it is."""
    try:
        client().edit_message_text(
            chat_id=chat_id, message_id=message_id, text=text, reply_markup=markup
        )
    except errors.Refused:
        return 0
    except (errors.TelegramUnavailable, errors.OutcomeUnknown) as exc:
        breakers.record_failure("telegram", str(exc))
        raise
    return 1
