"""What the lane is doing, and what keeps it from sending."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from jobs import sql
from jobs.models import Breaker, JobRecord, State
from jobs.selectors.story import job_obstacles
from lib import clock
from notifications.telegram import governor
from notifications.telegram.lane import next_due_at
from notifications.telegram.models import QueuedMessage

COUNTED = 1_000  # due messages are counted no further

_DUE = """status = 'pending' AND claimed_at IS NULL
    AND coalesce(next_attempt_at, scheduled_at) <= %(now)s"""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps a message from being sent. `about`: lane, breaker, queue, worker, message."""

    about: str
    text: str
    message_id: int | None = None


def lane_obstacles() -> Iterator[Obstacle]:
    """What keeps the whole lane from sending."""
    if not settings.NOTIFICATION_ENABLED:
        yield Obstacle("lane", "The lane is switched off (NOTIFICATION_ENABLED=0).")
    if not settings.TELEGRAM_BOT_TOKEN:
        yield Obstacle("lane", "There is no bot: TELEGRAM_BOT_TOKEN is empty.")
    if (pause := governor.paused_for()) is not None:
        until = clock.now() + pause
        why = "its token is refused" if token_is_refused() else "Telegram asked it to wait"
        yield Obstacle("lane", f"The bot is silent until {until:%T} UTC: {why}.")
    breaker = Breaker.objects.filter(pk="telegram").exclude(state=Breaker.State.CLOSED).first()
    if breaker is not None:
        last = breaker.last_error.strip().rsplit("\n", 1)[-1][:200]
        text = f"Telegram is held to be down: {last or 'set by hand'}"
        yield Obstacle("breaker", text)
    # The lane is a job like any other; what holds up that one holds up all messages.
    job = JobRecord(
        kind="telegram.drain_queue", queue="notifications", state=State.AVAILABLE,
        run_at=clock.now(), blocked=False,
    )  # fmt: skip
    for found in job_obstacles(job):
        yield Obstacle(found.about, found.text)


def token_is_refused() -> bool:
    """Do messages wait because Telegram refuses the token? One step on an index."""
    return QueuedMessage.objects.filter(status="pending", reason="unauthorized").exists()


def due_before(row: QueuedMessage) -> int:
    """How many due messages are in front of a due one, counted up to COUNTED + 1."""
    found = sql.row(
        f"""SELECT count(*) FROM (SELECT FROM notification_queue WHERE {_DUE}
            AND (priority, coalesce(next_attempt_at, scheduled_at), id)
                < (%(priority)s, %(due)s, %(id)s) LIMIT %(most)s) q""",
        {
            "now": clock.now(), "priority": row.priority, "id": row.pk, "most": COUNTED + 1,
            "due": row.next_attempt_at or row.scheduled_at,
        },
    )  # fmt: skip
    return int(found[0]) if found else 0


def backlog() -> tuple[timedelta, int] | None:
    """How long the oldest due message has been waiting, and how many are due (to COUNTED + 1)."""
    due_at, now = next_due_at(), clock.now()
    if due_at is None or due_at > now:
        return None
    found = sql.row(
        f"SELECT count(*) FROM (SELECT FROM notification_queue WHERE {_DUE} LIMIT %(most)s) q",
        {"now": now, "most": COUNTED + 1},
    )
    return now - due_at, int(found[0]) if found else 0


@dataclass(frozen=True, slots=True)
class LaneState:
    """What the lane is doing. due is counted to COUNTED + 1; sent is that of the last minute."""

    obstacles: list[Obstacle]
    due: int
    waited: timedelta | None
    sent: int
    rate: int
    counted: int = COUNTED


def lane_state() -> LaneState:
    """The lane at a glance. Some eight small queries."""
    waiting = backlog()
    # Of the newest messages only: one that was made long ago for now is not counted.
    latest = 60 * settings.TELEGRAM_RATE + COUNTED
    found = sql.row(
        """SELECT count(*) FILTER (WHERE sent_at > %s) FROM (
            SELECT sent_at FROM notification_queue WHERE status = 'sent' ORDER BY id DESC LIMIT %s
        ) q""",
        [clock.now() - timedelta(minutes=1), latest],
    )
    return LaneState(
        obstacles=list(lane_obstacles()),
        due=waiting[1] if waiting else 0,
        waited=waiting[0] if waiting else None,
        sent=int(found[0]) if found else 0,
        rate=settings.TELEGRAM_RATE,
    )
