"""Telling people: rows of the Telegram queue, written in the transaction that marks alerts as told.

So each alert is told once, whatever is killed: either both are there or neither. What the queue does
with its rows (an outage, a send whose end is unknown) is its own affair, and shown there.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from jobs.faults import fault
from lib import clock
from monitoring.alerts import pending
from monitoring.alerts.buttons import buttons_of
from monitoring.alerts.fitting import alerts_quiet
from monitoring.alerts.models import Alert, EventKind, Telling
from monitoring.alerts.story import lines_write
from monitoring.alerts.writing import many_write, one_write
from notifications.telegram.alerts import ALERT
from notifications.telegram.models import QueuedMessage

_STORY = {Telling.Kind.REMINDER: EventKind.REMINDED, Telling.Kind.ESCALATION: EventKind.ESCALATED}


def admins() -> list[int]:
    """The chats that are told; none while there is no bot. In order, each once."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return []
    return list(dict.fromkeys(settings.ADMIN_TELEGRAM_IDS))


def escalation_chats() -> list[int]:
    """The chats of an escalation: those of the setting, else the admins once more."""
    if not settings.TELEGRAM_BOT_TOKEN:
        return []
    return list(dict.fromkeys(settings.ALERT_ESCALATION_IDS)) or admins()


@transaction.atomic
def alerts_tell() -> int:
    """Tell what is due, as one group. Returns how many alerts were told of.

    Nobody to tell: everything waits. Repeat: tells what came since. Locks: the alerts, by skipping
    those that somebody else holds.
    """
    alerts_quiet()
    pending.parents_adopt()
    chats = admins()
    alerts = pending.alerts_due() if chats else []
    if not alerts:
        return 0
    if len(alerts) <= settings.ALERT_FEW:
        for alert in alerts:
            telling_make(_news_of(alert), [alert], chats)
    else:
        telling_make(Telling.Kind.SUMMARY, alerts, chats)
    _mark_told(alerts)
    fault("alerts.told")
    return len(alerts)


@transaction.atomic
def alerts_press() -> dict[str, int]:
    """Escalate what nobody takes, and remind of what is critical and open. Repeat: safe.

    Locks: the alerts, by skipping those that somebody else holds.
    """
    late = pending.alerts_unacknowledged() if escalation_chats() else []
    if late:
        escalated_mark(late)
    forgotten = pending.alerts_forgotten(but=late) if admins() else []
    if forgotten:
        _tell_together(Telling.Kind.REMINDER, forgotten, admins())
        _mark_told(forgotten)
    return {"escalated": len(late), "reminded": len(forgotten)}


def escalated_mark(alerts: Sequence[Alert], by: str = "") -> None:
    """Tell the chats of escalation and note it. The caller has locked the alerts."""
    _tell_together(Telling.Kind.ESCALATION, alerts, escalation_chats(), by=by)
    now = clock.now()
    for alert in alerts:
        alert.escalated_at = alert.last_told_at = now
    Alert.objects.bulk_update(alerts, ["escalated_at", "last_told_at"])


def _tell_together(
    kind: Telling.Kind, alerts: Sequence[Alert], chats: Sequence[int], by: str = ""
) -> None:
    if len(alerts) <= settings.ALERT_FEW:
        for alert in alerts:
            telling_make(kind, [alert], chats, by=by)
    else:
        telling_make(kind, alerts, chats, by=by)


def telling_make(
    kind: Telling.Kind, alerts: Sequence[Alert], chats: Sequence[int], by: str = ""
) -> Telling:
    """Queue one message to each chat, and write it into the story of its alerts. Four statements."""
    now = clock.now()
    text = one_write(alerts[0], kind, now) if len(alerts) == 1 else many_write(alerts, kind)
    telling = Telling.objects.create(
        kind=kind, alert_ids=[alert.pk for alert in alerts], chats=list(chats), text=text, at=now
    )
    markup = buttons_of(telling, alerts)
    rows = QueuedMessage.objects.bulk_create(
        QueuedMessage(
            telegram_id=chat,
            message=text,
            notification_type=ALERT,
            parse_mode="HTML",
            priority=0,
            scheduled_at=now,
            reply_markup=markup,
        )
        for chat in chats
    )
    telling.messages = [row.pk for row in rows]
    telling.save(update_fields=["messages"])
    lines_write(
        alerts, _STORY.get(kind, EventKind.TOLD), by=by, at=now, telling=telling.pk,
        what=str(kind), chats=list(chats), together=len(alerts),
    )  # fmt: skip
    return telling


def _news_of(alert: Alert) -> Telling.Kind:
    if not alert.is_open:
        return Telling.Kind.RESOLVED
    return Telling.Kind.OPENED if alert.told_at is None else Telling.Kind.AGAIN


def _mark_told(alerts: Sequence[Alert]) -> None:
    now: datetime = clock.now()
    for alert in alerts:
        alert.told_at = alert.told_at or (now if alert.is_open else None)
        alert.last_told_at, alert.tell_at = now, None
    Alert.objects.bulk_update(alerts, ["told_at", "last_told_at", "tell_at"], batch_size=500)
