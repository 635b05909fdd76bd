"""The jobs of the life cycle. Each goes on where the last one ended and is safe to run at any time."""

from typing import Any
from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.ladders import CLEANUP, SUBSCRIPTIONS
from jobs.models import Priority
from jobs.outcomes import Outcome, Retry
from jobs.registry import job
from lib import clock
from subscriptions.lifecycle import cutting, dues, retention, sending, sweeps
from subscriptions.lifecycle.errors import SweepAlreadyRan
from subscriptions.lifecycle.expired import EXPIRED
from subscriptions.lifecycle.kinds import sweep_kind
from subscriptions.lifecycle.resetting import RESET, month_key
from subscriptions.panel.door import is_on, panel_background

OFF = {"panel": "REMNAWAVE_URL is not set"}


@job(
    "subscriptions.remind_expiring",
    every="1h",
    single=True,
    immediate=True,
    retry=SUBSCRIPTIONS,
    timeout="10m",
    critical=True,
)
def remind_expiring() -> dict[str, Any]:
    """Write who is to be reminded of the end, and hand them to jobs that ask the panel and tell them."""
    if not is_on():
        return OFF
    written = dues.reminders_write()
    packs = dues.packs_enqueue()
    return {
        "due": sum(each.due for each in written.values()),
        "skipped": sum(each.skipped for each in written.values()),
        "stages": {stage.value: each.due + each.skipped for stage, each in written.items()},
        "packs": packs,
    }


@job(
    "subscriptions.send_notices",
    queue="notifications",
    priority=Priority.LOW,
    retry=SUBSCRIPTIONS,
    timeout="10m",
    concurrency=settings.NOTICES_CONCURRENCY,
)
def send_notices(notice_ids: list[int]) -> Outcome | dict[str, int]:
    """Read the panel for each of a pack, and tell whoever it is still true for.

    Who is not decided after all tries stays due and goes out with the next hourly run.
    """
    if not is_on():
        return {"later": len(notice_ids)}
    context = current_job()
    after = (context.checkpoint or {}).get("after", 0) if context else 0

    def passed(notice_id: int) -> None:
        if context is not None:
            context.save_checkpoint({"after": notice_id})
            context.check()

    sent = sending.notices_send(panel_background(), notice_ids, after=after, passed=passed)
    left = sending.notices_due(notice_ids) if after else sent.later
    if left and context is not None and context.attempt < context.max_attempts:
        context.save_checkpoint({"after": 0})
        return Retry(f"{left} of {len(notice_ids)} cannot be decided yet")
    return {"queued": sent.queued, "skipped": sent.skipped, "stale": sent.stale, "later": left}


@job(
    "subscriptions.disable_expired",
    every="15m",
    single=True,
    immediate=True,
    retry=SUBSCRIPTIONS,
    timeout="10m",
    critical=True,
)
def disable_expired() -> dict[str, Any]:
    """Tell those whom the panel has expired, and begin a sweep over those whom it still serves."""
    if not is_on():
        return OFF
    told = dues.expiries_write()
    dues.packs_enqueue()
    sweeps.sweeps_resume()
    sweep = sweeps.sweep_begin(EXPIRED)
    return {
        "expired": told.due,
        "sweep": None if sweep is None else str(sweep.pk),
        "found": 0 if sweep is None else sweep.found,
        "state": "" if sweep is None else sweep.state,
    }


@job(
    "subscriptions.run_sweep",
    queue="notifications",
    retry=SUBSCRIPTIONS,
    timeout="5m",
    critical=True,
)
def run_sweep(sweep_id: UUID) -> Outcome | dict[str, int]:
    """Do what is open of a sweep that may run."""
    sweep = sweeps.sweep_get(UUID(str(sweep_id)))
    return sweep_kind(sweep.name).run(sweep, current_job())


@job(
    "subscriptions.cut_subscriber",
    queue="notifications",
    priority=Priority.LOW,
    retry=SUBSCRIPTIONS,
    timeout="3m",
    skip_ahead=True,  # an activation of the same person does not wait for our next try
)
def cut_subscriber(item_id: int) -> Outcome:
    """Look at one person of a sweep again, and disable whom the panel still serves."""
    context = current_job()
    is_last = context is None or context.attempt >= context.max_attempts
    return cutting.subscriber_cut(panel_background(), item_id, is_last=is_last)


@job(
    "subscriptions.reset_traffic",
    cron="0 0 1 * *",
    single=True,
    retry=SUBSCRIPTIONS,
    timeout="10m",
    critical=True,
)
def reset_traffic() -> dict[str, Any]:
    """Set the traffic of a new month to zero, for those whose panel never does it by itself."""
    if not is_on():
        return OFF
    month = month_key(clock.now())
    try:
        sweep = sweeps.sweep_begin(RESET, key=month)
    except SweepAlreadyRan:
        return {"month": month, "already": True}
    return {"month": month, "found": sweep.found if sweep else 0}


@job(
    "subscriptions.forget_notices",
    queue="maintenance",
    cron="35 3 * * *",
    retry=CLEANUP,
    timeout="30m",
)
def forget_notices() -> dict[str, int]:
    """Delete notices and the people of sweeps that nobody needs any more."""
    return {"notices": retention.notices_forget(), "items": retention.items_forget()}
