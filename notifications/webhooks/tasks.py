"""The jobs of the webhooks."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.ladders import CLEANUP, Delays
from jobs.models import Priority
from jobs.outcomes import Done, Outcome, Snooze
from jobs.registry import job
from lib import clock
from notifications.webhooks import batches
from notifications.webhooks.addresses import permits
from notifications.webhooks.models import Endpoint
from notifications.webhooks.run import Run
from notifications.webhooks.wire import shared_wire

AGAIN_AT_MOST = timedelta(seconds=30)  # what is due later is found by the schedule
SOON = timedelta(seconds=1)


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
def send_more(number: int) -> Outcome | dict[str, int]:
    """Send beside webhooks.send_due, in lanes that no other run holds; called by a run that is full."""
    del number  # tells helpers apart, so that there are no more than WEBHOOK_HELPERS
    run = _run()
    again = run.run()
    if again is not None and again <= SOON:
        # Whoever called may still be waiting for a hanging request, so nobody else would come.
        return Snooze(again, "there is more to send")
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


@job(
    "webhooks.replay",
    queue="maintenance",
    retry=CLEANUP,
    timeout="30m",
)
def replay(endpoint_id: UUID, since: str, until: str, which: str) -> dict[str, int]:
    """Send an endpoint's deliveries of a span of time again; goes on where a killed try stopped."""
    begin, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    context = current_job()
    saved = context.checkpoint if context is not None else None
    count = saved["count"] if saved else 0
    after = (datetime.fromisoformat(saved["at"]), saved["id"]) if saved else None
    states = ["failed"] if which == "failed" else ["failed", "delivered", "cancelled"]
    endpoint = UUID(str(endpoint_id))
    while True:
        done, after = (
            batches.missing_batch(endpoint, begin, end, after)
            if which == "missing"
            else batches.replay_batch(endpoint, begin, end, states, after)
        )
        count += done
        if done:
            send_due.enqueue()
        if after is None:
            return {"replayed": count}
        if context is not None:
            context.save_checkpoint({"count": count, "at": after[0].isoformat(), "id": after[1]})
            context.report(count, msg=f"{count} deliveries are on their way again")
            context.check()


@job("webhooks.purge_endpoint", queue="maintenance", retry=CLEANUP, timeout="30m")
def purge_endpoint(endpoint_id: UUID) -> Outcome | dict[str, int]:
    """Remove a deleted endpoint with its deliveries and attempts."""
    endpoint, removed = UUID(str(endpoint_id)), 0
    while found := batches.endpoint_purge(endpoint):
        removed += found
    if not batches.endpoint_remove(endpoint):
        if not Endpoint.objects.filter(pk=endpoint).exists():
            return Done({"deliveries": removed})  # an earlier try got so far
        return Snooze(timedelta(seconds=10), "a run still holds its lane")
    return Done({"deliveries": removed})


@job("webhooks.reseal_secrets", queue="maintenance", cron="40 3 * * *", retry=CLEANUP)
def reseal_secrets() -> dict[str, int]:
    """Encrypt secrets under the present SECRET_KEY, so that a former one can be forgotten."""
    return batches.secrets_reseal()


@job("webhooks.clean", queue="maintenance", cron="20 3 * * *", retry=CLEANUP, timeout="1h")
def clean() -> dict[str, int]:
    """Delete what is older than WEBHOOK_RETENTION_DAYS, old secrets, and counts that are sums by now."""
    before, forgotten = clock.now() - timedelta(days=settings.WEBHOOK_RETENTION_DAYS), 0
    context = current_job()
    days = batches.attempts_forget(before)
    while found := batches.events_forget(before):
        forgotten += found
        if context is not None:
            context.report(forgotten)
            context.check()
    return {
        "days": len(days),
        "events": forgotten,
        "secrets": batches.old_secrets_forget(),
        "tallies": batches.tallies_fold(),
    }
