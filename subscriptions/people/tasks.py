"""Keeping the recipients of notifications in line with the subscribers."""

from jobs.context import current_job
from jobs.ladders import SYNC
from jobs.models import Priority
from jobs.registry import job
from subscriptions.people.recipients import recipients_sync


@job(
    "subscriptions.sync_recipients",
    queue="maintenance",
    priority=Priority.LOW,
    every="30m",
    immediate=True,
    single=True,
    retry=SYNC,
    timeout="10m",
)
def sync_recipients() -> dict[str, int]:
    """Make recipients of new subscribers and follow their Telegram ids; goes on after a kill."""
    context = current_job()
    after = int((context.checkpoint if context is not None else None) or 0)
    made = changed = 0
    while (synced := recipients_sync(after)) is not None:
        made, changed, after = made + synced.made, changed + synced.changed, synced.after
        if context is not None:
            context.save_checkpoint(after)
            context.check()
    return {"made": made, "changed": changed}
