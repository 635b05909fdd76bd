"""The jobs of alerts."""

from datetime import timedelta

from django.conf import settings

from jobs.ladders import CLEANUP, PROCESS_QUEUE, Delays
from jobs.models import Priority
from jobs.outcomes import Outcome
from jobs.registry import job
from lib import clock
from monitoring.alerts.pending import MOST, is_anything_open, next_due_at
from monitoring.alerts.quieting import alerts_fade, token_ask
from monitoring.alerts.retention import alerts_clean
from monitoring.alerts.showing import REFRESH, telling_refresh
from monitoring.alerts.telling import admins, alerts_press, alerts_tell
from monitoring.alerts.webhook import webhook_set
from payments.intake.processing import intake_process

MOMENT = timedelta(seconds=1)


@job(
    "alerts.tell",
    queue="notifications",
    priority=Priority.CRITICAL,
    every="30s",
    immediate=True,
    retry=Delays("1s 5s 15s 30s"),
    on_notify=True,
    single=True,
)
def tell() -> dict[str, int]:
    """Tell people what opened or is resolved: as one group, when its window is over."""
    if not is_anything_open():
        return {"told": 0}
    token_ask()
    told, found = 0, MOST
    while found == MOST:
        found = alerts_tell()
        told += found
    due = next_due_at() if admins() else None
    if due is not None and due - clock.now() <= settings.ALERT_GROUP:
        # What is due already is locked by somebody who is just changing it.
        tell.enqueue(delay=max(due - clock.now(), MOMENT))
    return {"told": told}


@job(
    "alerts.escalate",
    queue="notifications",
    priority=Priority.HIGH,
    every="1m",
    retry=Delays("5s 15s"),
    single=True,
)
def escalate() -> dict[str, int]:
    """Escalate what nobody acknowledges, remind of what is critical and open, end what has gone quiet."""
    return {**alerts_press(), "faded": alerts_fade()}


@job(
    "alerts.process_telegram",
    queue="notifications",
    priority=Priority.CRITICAL,
    retry=Delays("2s 10s 30s 2m"),
)
def process_telegram(webhook_id: int) -> Outcome:
    """Do what a pressed button says, and answer who pressed it: the act waits for no breaker."""
    return intake_process(webhook_id)


@job(
    REFRESH,
    queue="notifications",
    priority=Priority.HIGH,
    retry=Delays("5s 30s 2m"),
    breaker="telegram",
)
def refresh_telling(telling_id: int) -> Outcome | dict[str, int]:
    """Write the messages of a telling again, so that they show who has acted."""
    return telling_refresh(telling_id)


@job(
    "alerts.set_webhook",
    queue="notifications",
    every="6h",
    immediate=True,
    retry=PROCESS_QUEUE,
    single=True,
)
def set_webhook() -> Outcome | dict[str, str]:
    """Let Telegram bring us presses of buttons, if SITE_URL is https and there is a secret."""
    return webhook_set()


@job("alerts.clean", queue="maintenance", cron="20 4 * * *", retry=CLEANUP)
def clean(dry_run: bool = False) -> dict[str, int]:
    """Delete alerts that were resolved ALERT_RETENTION_DAYS ago, their stories, and silences as old."""
    return alerts_clean(dry_run=dry_run)
