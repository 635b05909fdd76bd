"""The jobs of the mirror. Each is safe to run at any time and goes on where the last one ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model

from jobs.context import current_job
from jobs.ladders import SYNC, Delays
from jobs.models import Priority
from jobs.outcomes import Outcome, Snooze
from jobs.registry import job
from lib import clock
from payments.intake.processing import intake_process
from subscriptions.mirror import checking, counting, hints, settling, syncing
from subscriptions.panel import door
from subscriptions.panel.errors import BREAKER

TURN_S = 20  # then a job makes way for a fresh one, so that a stop finds it short
MORE = Snooze(timedelta(0), "more is left than one turn takes")
OFF = {"panel": "off"}  # REMNAWAVE_URL is not set
HINTS = Delays("5s 15s 30s 1m 2m 2m")


def turn_is_over() -> Callable[[], bool]:
    """A question for loops: has this job had its turn, or is it to stop?"""
    context, until = current_job(), clock.now() + timedelta(seconds=TURN_S)
    return lambda: clock.now() >= until or (context is not None and context.interrupt is not None)


@job(
    "subscriptions.sync_users",
    queue="default",
    priority=Priority.LOW,
    every="5m",
    immediate=True,
    single=True,
    retry=SYNC,
    timeout="5m",
    breaker=BREAKER,
)
def sync_users() -> Outcome | dict[str, Any]:
    """Mirror the users of the panel: newcomers each time, everybody each PANEL_FULL_SYNC."""
    if not door.is_on():
        return OFF
    client, context = door.panel_background(), current_job()
    found = syncing.sync(client, turn_is_over())
    if context is not None:
        context.report(found.get("seen"), found.get("total"), "users read")
    return MORE if found.get(syncing.MORE) else found


@job(
    "subscriptions.read_back",
    queue="default",
    priority=Priority.HIGH,
    every="1m",
    single=True,
    retry=HINTS,
    timeout="2m",
    breaker=BREAKER,
)
def read_back() -> Outcome | dict[str, Any]:
    """Ask the panel about users of whom it told us something."""
    if not door.is_on():
        return OFF
    if syncing.must_compare():
        return {"read": 0, "waits": "the users of the panel are compared first"}
    client, is_over, read = door.panel_background(), turn_is_over(), 0
    while (count := hints.hints_follow(client)) > 0:
        read += count
        if is_over():
            return MORE
    return {"read": read}


@job("subscriptions.process_panel_webhook", queue="default", retry=SYNC, timeout="30s")
def process_panel_webhook(webhook_id: int) -> Outcome:
    """Do what one webhook of the panel is for."""
    return intake_process(webhook_id)


@job(
    "subscriptions.refresh_user_stats",
    queue="default",
    priority=Priority.LOW,
    every="10m",
    immediate=True,
    single=True,
    retry=SYNC,
    timeout="2m",
)
def refresh_user_stats() -> dict[str, Any]:
    """Count subscribers by status; where the panel has others than we, read them all soon."""
    row = counting.counts_take(door.panel_background() if door.is_on() else None)
    is_behind = counting.is_behind(row)
    if is_behind:
        sync_users.enqueue()
    return {
        "total": row.total,
        "active": row.active,
        "disabled": row.disabled,
        "expired": row.expired,
        "limited": row.limited,
        "online": row.online,
        "source": row.source,
        "is_behind": is_behind,
    }


@job(
    "subscriptions.settle_drift",
    queue="default",
    priority=Priority.HIGH,
    retry=SYNC,
    timeout="1m",
    breaker=BREAKER,
)
def settle_drift(drift_id: int, how: str, by_id: int | None = None) -> dict[str, Any]:
    """Do at the panel what a person decided about a difference."""
    by = None if by_id is None else get_user_model().objects.filter(pk=by_id).first()
    return {"settled": settling.drift_push(door.panel(), drift_id=drift_id, how=how, by=by)}


@job(
    "subscriptions.check_panel",
    queue="default",
    every="5m",
    immediate=True,
    single=True,
    retry=SYNC,
    timeout="2m",
)
def check_panel() -> dict[str, Any]:
    """See whether the panel is the one that we know; let held writes go on when it is again."""
    if not door.is_on():
        return OFF
    return checking.panel_check(door.panel())
