"""The jobs of the inbox. All are sweeps: each looks for what is due and is safe to run at any time."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from jobs.ladders import CLEANUP, Delays
from jobs.models import Priority
from jobs.outcomes import Outcome, Snooze
from jobs.registry import job
from lib import clock
from notifications.inbox import expiry, fallback, pods, quiet, rebuild, relay, retention, stats
from notifications.inbox.window import WindowAway

AGAIN = Delays("1s 5s 15s 30s")
SOON = timedelta(minutes=1)  # what is due by then is not left to the next sweep
PACE = timedelta(seconds=5)  # between two runs, however much expires
MORE = Snooze(timedelta(seconds=1), "more is due than one run takes, or somebody holds it")


@job("inbox.clear_expired", queue="maintenance", every="1m", single=True, retry=CLEANUP)
def clear_expired() -> dict[str, int]:
    """Clear notifications whose time is over unread: each minute, and when the next one is due."""
    count = expiry.expired_clear()
    next_at, now = expiry.next_expiry_at(), clock.now()
    if next_at is not None and next_at < now + SOON:
        clear_expired.enqueue(run_at=max(next_at, now + PACE))
    return {"cleared": count}


@job(
    "inbox.trim_retention",
    queue="maintenance",
    every="10m",
    single=True,
    retry=CLEANUP,
    timeout="10m",
)
def trim_retention() -> dict[str, int]:
    """Forget notifications that are older than their person wishes (1 to 15 days)."""
    return asdict(retention.retention_trim())


@job(
    "inbox.relay_unpushed",
    queue="notifications",
    priority=Priority.HIGH,
    look=relay.LOOK,
    every="30s",
    single=True,
    on_notify=True,
    retry=AGAIN,
)
def relay_unpushed() -> dict[str, Any]:
    """Publish what was committed while Redis was away, or by a process that died.

    Runs where there is such a row. The sweep besides finds out whether Redis has lost its memory.
    """
    done = relay.unpushed_relay()
    if done.is_lost:
        rebuild_window.enqueue()
    return asdict(done)


@job("inbox.rebuild_window", queue="notifications", single=True, on_notify=True, timeout="10m")
def rebuild_window() -> dict[str, Any]:
    """Fill the streams in Redis again after it lost its memory; the relay asks for it."""
    try:
        return {"people": rebuild.window_rebuild(), "is_away": False}
    except WindowAway:
        return {"people": 0, "is_away": True}  # the relay finds out when it is back


@job("inbox.release_deferred", queue="notifications", every="5m", retry=AGAIN, timeout="5m")
def release_deferred() -> Outcome | dict[str, int]:
    """Show what waited for quiet hours to end; enqueued for that moment with what is deferred."""
    count = quiet.deferred_release()
    due_at = quiet.next_release_at()
    return MORE if due_at is not None and due_at <= clock.now() else {"shown": count}


@job("inbox.telegram_fallback", queue="notifications", every="1m", retry=AGAIN, timeout="5m")
def telegram_fallback() -> Outcome | dict[str, int]:
    """Send to Telegram what is unread for too long; enqueued for that moment with the notification."""
    count = fallback.unread_tell()
    due_at = fallback.next_fallback_at()
    return MORE if due_at is not None and due_at <= clock.now() else {"told": count}


@job("inbox.reap_pods", queue="maintenance", every="30s", single=True, retry=CLEANUP)
def reap_pods() -> dict[str, int]:
    """Forget web processes that are silent, with their sockets, and tickets of the past."""
    return pods.pods_reap()


@job("inbox.fold_stats", queue="maintenance", every="1m", single=True, retry=CLEANUP)
def fold_stats() -> dict[str, int]:
    """Add up the counts of earlier minutes, so that the table stays small."""
    return {"folded": stats.fold()}
