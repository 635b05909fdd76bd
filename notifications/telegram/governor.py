"""How fast the bot may send, over all workers: 30 a second overall, and a pause when Telegram says so.

Limits per chat are kept by the claim itself (sql/queue.sql). Source: Bot API FAQ, contract section 6.
"""

import random
from datetime import timedelta

from django.conf import settings

from jobs import rates
from jobs.registry import Rate
from lib import clock

BUCKET = "telegram"
PACK = 3  # claimed and sent at once, at the pace that Telegram gives a bot
PACKS_PER_S = (
    10  # where the pace is higher: so that somebody urgent still waits for no more than that
)
CATCH_UP = (
    2  # a pack that comes late catches up; the rest is spread, for Telegram counts any second
)
SHARE = 0.985  # of the limit: its clock is not ours


def pack() -> int:
    """How many messages are claimed and sent at once."""
    return max(PACK, settings.TELEGRAM_RATE // PACKS_PER_S)


def take(count: int) -> timedelta | None:
    """Leave for so many messages. None: send them now; else how long to wait before asking again."""
    rate = Rate(max(1, round(settings.TELEGRAM_RATE * SHARE * 100)), "100s", CATCH_UP * pack())
    return rates.take(BUCKET, rate, count)


def pause(span: timedelta, *, is_asked: bool = True) -> None:
    """Telegram asked to wait: every sender of this bot does, a little longer than asked.

    is_asked: by a 429, which is counted; False: for another reason of ours.
    """
    jitter = timedelta(seconds=random.uniform(0.05, 0.5))  # noqa: S311
    rates.pause(BUCKET, span + jitter, is_asked=is_asked)


def paused_for() -> timedelta | None:
    """How long the pause still takes, if there is one."""
    until = rates.paused_until(BUCKET)
    if until is None:
        return None
    return max(until + clock.offset() - clock.now(), timedelta(0))  # the pause runs in real time
