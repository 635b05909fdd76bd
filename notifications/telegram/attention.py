"""What of the Telegram queue needs a person now, for the first page of the console."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from jobs import sql
from lib import clock
from lib.now import Attention, Severity, attention
from notifications.telegram import governor
from notifications.telegram.alerts import QUIET_REASONS
from notifications.telegram.lane_state import (
    COUNTED,
    backlog,
    lane_obstacles,
    token_is_refused,
)

LATELY = timedelta(hours=24)
PATIENCE = timedelta(seconds=60)
MOST = 10_000  # failures are counted no further


@attention(order=12, permission="telegram.view_queuedmessage")
def failed_messages() -> Attention:
    """Messages given up lately, unless the person on the other side cannot be reached anyway."""
    found = sql.row(
        """SELECT count(*) FROM (SELECT FROM notification_queue
            WHERE failed_at >= %s AND status = 'failed' AND reason <> ALL (%s) LIMIT %s) q""",
        [clock.now() - LATELY, sorted(QUIET_REASONS), MOST],
    )
    count = int(found[0]) if found else 0
    return Attention(
        "failed Telegram message" if count == 1 else "failed Telegram messages",
        count,
        Severity.WARNING,
        f"{_queue()}?state=failed",
        "Given up in the last 24 hours. See why, then retry or leave them.",
        runbook="telegram_failing",
    )


@attention(order=11, permission="telegram.view_queuedmessage")
def silent_bot() -> Attention | None:
    """The bot may not speak: its token is refused, or Telegram asked it to wait."""
    if (pause := governor.paused_for()) is None:
        return None
    until = clock.now() + pause
    if token_is_refused():
        return Attention(
            "bot whose token is refused",
            1,
            Severity.CRITICAL,
            f"{_queue()}?reason=unauthorized",
            "No message goes out. Put TELEGRAM_BOT_TOKEN right and start the workers again.",
            runbook="telegram_late",
        )
    return Attention(
        "Telegram bot that was asked to wait",
        1,
        Severity.NOTICE,
        f"{_queue()}?state=due",
        f"Too many messages at once. It goes on by itself at {until:%T} UTC.",
    )


@attention(order=13, permission="telegram.view_queuedmessage")
def late_messages() -> Iterator[Attention]:
    """Due messages that nobody sends; or so many that it takes a while."""
    found = backlog()
    if found is None or found[0] < PATIENCE:
        return
    waited, count = found
    minutes = max(1, round(waited.total_seconds() / 60))
    reasons = [obstacle.text for obstacle in lane_obstacles()]
    many = "or more " if count > COUNTED else ""
    title = f"{many}Telegram message{'' if count == 1 else 's'} late"
    if not reasons and _moves():
        hint = f"The oldest is due for {minutes} min; the lane works through them."
        yield Attention(title, min(count, COUNTED), Severity.NOTICE, f"{_queue()}?state=due", hint)
        return
    hint = reasons[0] if reasons else "Nothing says why: look whether a worker runs."
    yield Attention(
        title, min(count, COUNTED), Severity.CRITICAL, f"{_queue()}?state=due",
        f"The oldest is due for {minutes} min. {hint}", "telegram_late",
    )  # fmt: skip


def _moves() -> bool:
    """Has the bot sent something in the last minute?"""
    return (
        sql.row(
            "SELECT 1 FROM jobs_ratebucket WHERE name = %s AND tat > clock_timestamp() - %s",
            [governor.BUCKET, PATIENCE],
        )
        is not None
    )


def _queue() -> str:
    return reverse("admin:telegram_queuedmessage_changelist")
