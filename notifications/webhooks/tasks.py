"""The jobs of the webhooks."""

from datetime import timedelta

from django.conf import settings

from jobs.context import current_job
from jobs.ladders import Delays
from jobs.models import Priority
from jobs.registry import job
from notifications.webhooks.addresses import permits
from notifications.webhooks.run import Run
from notifications.webhooks.wire import shared_wire

AGAIN_AT_MOST = timedelta(seconds=30)  # what is due later is found by the schedule


@job(
    "webhooks.send_due",
    queue="notifications",
    priority=Priority.HIGH,
    every="30s",
    immediate=True,
    timeout="2m",
    retry=Delays("1s 5s 15s 30s"),
    on_notify=True,
    single=True,
)
def send_due() -> dict[str, int]:
    """Send webhook deliveries that are due; woken by each event, and each half minute anyway."""
    run = _run()
    again = run.run()
    if again is not None and again <= AGAIN_AT_MOST:
        send_due.enqueue(delay=again)
    return run.counts


@job(
    "webhooks.send_more",
    queue="notifications",
    priority=Priority.HIGH,
    timeout="2m",
)
def send_more(number: int) -> dict[str, int]:
    """Send beside webhooks.send_due, in lanes that no other run holds; called by a run that is full."""
    del number  # tells helpers apart, so that there are no more than WEBHOOK_HELPERS
    run = _run()
    run.run()
    return run.counts


def _run() -> Run:
    context = current_job()
    if context is None:
        raise RuntimeError("deliveries run as a job only: manage.py run_job webhooks.send_due")
    return Run(context, shared_wire(permits), helpers_call)


def helpers_call() -> None:
    """Let as many helpers as there may be look for lanes. One that finds none ends at once."""
    for number in range(1, settings.WEBHOOK_HELPERS + 1):
        send_more.enqueue(number=number, unique=number)
