"""The jobs of the broadcasts. Each goes on where the last one ended and is safe to run at any time."""

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from jobs.context import JobContext, current_job
from jobs.ladders import CLEANUP, Delays
from jobs.models import Priority
from jobs.outcomes import Cancel, Outcome, Snooze
from jobs.registry import job
from lib import clock
from notifications.broadcasts import (
    auditing,
    closing,
    delivery,
    driving,
    expansion,
    recalling,
    retention,
    starting,
)
from notifications.broadcasts.audiences import uploads
from notifications.broadcasts.stepping import broadcast_step
from notifications.broadcasts.telegram_lane import BroadcastLane, lane_is_off
from notifications.telegram import governor
from notifications.telegram.availability import Availability
from notifications.telegram.errors import TelegramError

AGAIN = Delays("1s 2s 5s 15s 30s")
AGAIN_AT_MOST = timedelta(seconds=30)
AWAY = timedelta(seconds=15)  # until a recall asks again whether Telegram is there
PACE = timedelta(milliseconds=200)  # between two runs, while somebody holds what is due
TURN_S = 20  # then a job makes way for a fresh one, so that a stop finds it short
MORE = Snooze(timedelta(0), "more is left than one turn takes")


def _turn_is_over(context: JobContext | None, until: datetime) -> bool:
    return clock.now() >= until or (context is not None and context.interrupt is not None)


@job(
    "broadcasts.start_due",
    queue="notifications",
    priority=Priority.HIGH,
    look=starting.LOOK,
    every="1m",
    single=True,
    immediate=True,
    retry=AGAIN,
    on_notify=True,
)
def start_due() -> dict[str, int]:
    """Start broadcasts that are due: to the second, since whoever schedules one asks for that moment, and
    each run for the next one.

    It also gives whatever is sending its jobs again, should one have died. It runs every few seconds
    while one is due or sending, and hardly ever while none is.
    """
    started = starting.due_start()
    next_at = starting.next_start_at()
    if next_at is not None:
        start_due.enqueue(run_at=max(next_at, clock.now() + PACE))
    return {"started": len(started), "sending": starting.running_supply()}


@job("broadcasts.expand", queue="notifications", priority=Priority.HIGH, retry=AGAIN, timeout="2m")
def expand(broadcast_id: UUID) -> Outcome | dict[str, int]:
    """Write the audience of a broadcast into its ledger."""
    context, people = current_job(), 0
    until = clock.now() + timedelta(seconds=TURN_S)
    while True:
        batch = expansion.batch_expand(UUID(str(broadcast_id)))
        people += batch.people
        if batch.is_last:
            return {"people": people}
        if _turn_is_over(context, until):
            return MORE


@job(
    "broadcasts.deliver_inbox",
    queue="notifications",
    priority=Priority.LOW,
    retry=AGAIN,
    timeout="2m",
)
def deliver_inbox(broadcast_id: UUID) -> Outcome | dict[str, int]:
    """Deliver a broadcast to inboxes."""
    given = UUID(str(broadcast_id))
    context, people = current_job(), 0
    until = clock.now() + timedelta(seconds=TURN_S)
    while True:
        count = delivery.batch_deliver(given)
        people += count
        if not count and not broadcast_step(given):
            return {"people": people}
        if _turn_is_over(context, until):
            return MORE


@job("broadcasts.deliver_telegram", queue="notifications", priority=Priority.LOW, retry=AGAIN,
     timeout="2m", single=True)  # fmt: skip
def deliver_telegram() -> dict[str, int | str]:
    """Send the Telegram messages of all broadcasts that are being sent; those to single people go first."""
    if off := lane_is_off():
        return {"sent": 0, "off": off}  # the sweep asks again, as long as something waits
    run = BroadcastLane(current_job())
    again = run.run()
    if again is not None:
        deliver_telegram.enqueue(delay=min(again, AGAIN_AT_MOST))
    return {"sent": run.sent}


@job("broadcasts.close_cancelled", queue="notifications", retry=AGAIN, timeout="2m")
def close_cancelled(broadcast_id: UUID) -> Outcome | dict[str, int]:
    """Give whoever did not get a cancelled broadcast a fate: skipped."""
    given = UUID(str(broadcast_id))
    context, people = current_job(), 0
    until = clock.now() + timedelta(seconds=TURN_S)
    while count := closing.batch_close(given):
        people += count
        if _turn_is_over(context, until):
            return MORE
    if closing.is_flying(given):
        deliver_telegram.enqueue()  # if their sender was killed, a new run finds that out
        return Snooze(timedelta(seconds=1), "some are still on their way")
    return {"people": people}


@job("broadcasts.recall", queue="notifications", priority=Priority.HIGH, retry=AGAIN, timeout="2m")
def recall(broadcast_id: UUID) -> Outcome | None:
    """Take a broadcast back from those who got it, or give them the text that is right."""
    given = UUID(str(broadcast_id))
    context = current_job()
    until = clock.now() + timedelta(seconds=TURN_S)
    while recalling.inbox_recall(given):
        if _turn_is_over(context, until):
            return MORE
    telegram = Availability()
    while recalling.telegram_is_left(given):
        if off := lane_is_off():
            return Snooze(AWAY, off)
        pause = telegram.away() or governor.take(recalling.TELEGRAM_PACK)
        if pause is not None:
            return Snooze(pause, "Telegram is away, or asked to wait")
        try:
            recalling.telegram_recall(given, telegram)
        except TelegramError as exc:
            # It may take as long as it likes: after 48 hours nothing can be taken back any more.
            return Snooze(telegram.away() or AWAY, str(exc))
        if _turn_is_over(context, until):
            return MORE
    recalling.recall_end(given)
    return None


@job(
    "broadcasts.import_audience",
    queue="maintenance",
    priority=Priority.HIGH,
    retry=AGAIN,
    timeout="1h",
)
def import_audience(upload_id: UUID) -> Outcome | dict[str, object]:
    """Make a list of the people of a large file that was uploaded."""
    try:
        result = uploads.upload_import(UUID(str(upload_id)))
    except uploads.UploadEnded:
        return Cancel("it has ended already, or somebody cancelled it")
    if result is None:
        return {"failed": "the file is no list of people; its page says why"}
    return {
        "audience_id": str(result.audience_id),
        "members": result.members,
        "rejected": result.rejected,
    }


@job(
    "broadcasts.audit_ledgers",
    queue="maintenance",
    every="2m",
    single=True,
    retry=CLEANUP,
    timeout="10m",
)
def audit_ledgers() -> dict[str, int]:
    """Prove that the numbers of broadcasts are those of their ledgers, and take up what was left."""
    return asdict(auditing.ledgers_audit())


@job(
    "broadcasts.forget_ledgers",
    queue="maintenance",
    cron="20 4 * * *",
    retry=CLEANUP,
    timeout="30m",
)
def forget_ledgers() -> dict[str, int]:
    """Delete the ledgers of broadcasts that ended long ago (their numbers stay), and old uploads."""
    return {"deleted": retention.ledgers_forget(), "uploads": retention.uploads_forget()}


@job("notifications.broadcast", queue="notifications", timeout="2h")
def broadcast_worker(limit: int = 50) -> dict[str, int]:
    """Start due broadcasts, at most so many, and bring them to inboxes: the named worker of run_worker."""
    context = current_job()
    done = driving.broadcasts_drive(
        limit=limit, check=context.check if context is not None else lambda: None
    )
    return asdict(done)
