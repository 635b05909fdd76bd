"""Telegram messages in every state, to chats of the sandbox that behave as people do."""

import random
from datetime import timedelta
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth.models import User

from jobs import sql
from lib import clock
from notifications.telegram.models import QueuedMessage
from notifications.telegram.services import message_cancel, message_queue

Status = QueuedMessage.Status
FIRST_CHAT = 500_100_300
BLOCKED, DEACTIVATED, NOT_STARTED, UNKNOWN, FLAKY = (FIRST_CHAT + n for n in range(5))
BEHAVIOURS = {
    BLOCKED: "blocked",
    DEACTIVATED: "deactivated",
    NOT_STARTED: "not_started",
    UNKNOWN: "not_found",
}
TIMEOUT_S = 5.0
SENT_BEFORE = 60


def chats_set_up() -> None:
    """Tell the sandbox how the chats behave: it forgets at each start. Raises requests' errors."""
    for chat, behaviour in BEHAVIOURS.items():
        _order("PUT", f"telegram/chats/{chat}", {"behaviour": behaviour})


def messages_make(olga: User) -> None:
    """Queue and write messages. Not repeat-safe: it makes them again."""
    _order(
        "POST",
        "faults",
        {"service": "telegram", "kind": "status", "status": 502, "chat_id": FLAKY, "times": 1},
    )
    _sent_before()
    for chat in (*BEHAVIOURS, FLAKY):
        message_queue(
            telegram_id=chat,
            message="Your plan ends in <b>3 days</b>.",
            notification_type="subscription_expiring_3d",
        )
    message_queue(
        telegram_id=FIRST_CHAT + 10,
        message="Your payment of <b>9.00 USDT</b> has arrived.",
        notification_type="payment_received",
        priority=0,
    )
    for n in range(6):
        message_queue(
            telegram_id=FIRST_CHAT + 20 + n,
            message="Your plan ends <b>tomorrow</b>.",
            notification_type="subscription_expiring_24h",
            scheduled_at=clock.now() + timedelta(hours=2, minutes=n),
            priority=3,
        )
    recalled, _ = message_queue(
        telegram_id=FIRST_CHAT + 30,
        message="All prices fall by 90 % today!",
        notification_type="broadcast",
        scheduled_at=clock.now() + timedelta(hours=5),
    )
    message_cancel(message_id=recalled.pk, by=olga)
    # As another backend writes them: nobody has checked these texts.
    for text in (
        "Traffic reset: <b>50 GB & counting",
        "Your devices:\n" + "phone, laptop, TV\n" * 300,
    ):
        sql.run(
            "INSERT INTO notification_queue (telegram_id, message, notification_type)"
            " VALUES (%s, %s, 'traffic_reset')",
            [FIRST_CHAT + 40, text],
        )


def _sent_before() -> None:
    """Messages that were delivered in the last day."""
    dice, now = random.Random(7), clock.now()  # noqa: S311 - data to look at
    rows = []
    for n in range(SENT_BEFORE):
        at = now - timedelta(minutes=1440 * (SENT_BEFORE - n) / SENT_BEFORE)
        kind, text = dice.choice(_TEXTS)
        rows.append(
            QueuedMessage(
                telegram_id=FIRST_CHAT + 100 + dice.randrange(40),
                message=text,
                notification_type=kind,
                status=Status.SENT,
                scheduled_at=at,
                created_at=at,
                sent_at=at + timedelta(milliseconds=dice.randrange(40, 900)),
                message_id=n + 1,
                tries=[{"at": at.isoformat(), "outcome": "sent", "error": None}],
            )
        )
    QueuedMessage.objects.bulk_create(rows)


_TEXTS = [
    ("payment_received", "Your payment of <b>5.00 USDT</b> has arrived."),
    ("subscription_expiring_7d", "Your plan ends in <b>7 days</b>."),
    ("subscription_expired", "Your plan <b>basic</b> has ended."),
    ("traffic_reset", "Your traffic was reset: <b>50 GB</b> for this month."),
]


def _order(method: str, path: str, body: dict[str, Any]) -> None:
    answer = requests.request(
        method, f"{settings.TELEGRAM_API_URL}/_sandbox/{path}", json=body, timeout=TIMEOUT_S
    )
    answer.raise_for_status()
