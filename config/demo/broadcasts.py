"""People who can be reached, a broadcast that went out to them but for three, a draft, one for tomorrow."""

import random
from datetime import timedelta

from django.contrib.auth.models import User

from config.demo.telegram import BLOCKED, DEACTIVATED, FIRST_CHAT, NOT_STARTED
from lib import clock
from notifications.broadcasts.models import Channel
from notifications.broadcasts.services import broadcast_create, broadcast_send_now
from notifications.inbox.models import Recipient

FIRST_USER = 7000
PEOPLE = 90
NAMES = ("anna", "boris", "carlos", "daria", "elena", "felix", "grigori", "hana", "ivan", "julia")
UNREACHABLE = (BLOCKED, DEACTIVATED, NOT_STARTED)
BOTH = (Channel.INBOX, Channel.TELEGRAM)
HAS_TELEGRAM = {"field": "has_telegram", "op": "is", "value": True}


def broadcasts_make(olga: User) -> None:
    """Make the rows. Not repeat-safe: it makes them again."""
    _people()
    moved = broadcast_create(
        title="We have moved", title_ru="Мы переехали", channels=BOTH, by=olga, created_by="ops",
        body="Our servers in Frankfurt are twice as fast from today.",
        body_ru="Наши серверы во Франкфурте с сегодняшнего дня вдвое быстрее.",
        audience={"type": "segment", "conditions": [HAS_TELEGRAM]},
    )  # fmt: skip
    broadcast_send_now(broadcast_id=moved.pk, by=olga)
    broadcast_create(
        title="Autumn prices", title_ru="Осенние цены", channels=BOTH, by=olga, created_by="marketing",
        body="A year for the price of nine months, until Sunday.",
        body_ru="Год по цене девяти месяцев, до воскресенья.",
        audience={
            "type": "segment",
            "conditions": [HAS_TELEGRAM, {"field": "language", "op": "is", "value": ["ru"]}],
        },
        canary_percent=10,
    )  # fmt: skip
    broadcast_create(
        title="Maintenance", channels=(Channel.INBOX,), by=olga, created_by="ops",
        body="Amsterdam rests on Sunday from 03:00 to 03:20 UTC.",
        audience={"type": "all_users"},
        scheduled_at=clock.now() + timedelta(days=1), time_zone="Europe/Amsterdam",
    )  # fmt: skip


def _people() -> None:
    dice = random.Random(11)  # noqa: S311 - data to look at
    chats = [FIRST_CHAT + 200 + n for n in range(PEOPLE - len(UNREACHABLE))]
    Recipient.objects.bulk_create(
        Recipient(
            user_id=FIRST_USER + n,
            login=f"{NAMES[n % len(NAMES)]}{n}",
            # One in six uses no Telegram.
            telegram_id=chat if n < len(UNREACHABLE) or n % 6 else None,
            language=dice.choice(("en", "ru", "ru", "")),
        )
        for n, chat in enumerate((*UNREACHABLE, *chats))
    )
