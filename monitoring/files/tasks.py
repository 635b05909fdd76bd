"""The jobs of the file watch. `files.file_event` is the `file_event` of the source."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from jobs.alerts import attention
from jobs.context import current_job
from jobs.ladders import CLEANUP, QUEUE
from jobs.models import Priority
from jobs.outcomes import Cancel, Done, Outcome, Retry, Snooze
from jobs.registry import job
from lib import clock
from monitoring.files.act import batch_act, batch_get
from monitoring.files.forget import history_forget
from monitoring.files.orphans import orphans_end
from monitoring.files.selectors.watchers import silence

SOON = timedelta(milliseconds=10)


@job("files.file_event", priority=Priority.NORMAL, retry=QUEUE, timeout="5m")
def file_event(batch_id: str) -> Outcome:
    """Run the action of a rule for the files that changed in one window; in order within a rule.

    Result: {"total", "done", "failed", "skipped", "accepted", "rejected"}. Files that fail are tried
    again by the ladder, then they have failed and the batch ends; the job itself is done then.
    """
    context = current_job()
    if context is None:
        raise RuntimeError("this kind runs as a job only: manage.py run_job files.file_event")
    batch = batch_get(UUID(batch_id))
    if batch is None:
        return Cancel("the rule was deleted, and the batch with it")
    turn = batch_act(
        batch,
        attempt=context.attempt,
        is_last=context.attempt >= context.max_attempts,
        check=context.check,
    )
    if turn.is_cut:
        return Snooze(SOON, "others of the queue have their turn")
    if turn.pending:
        return Retry(turn.error)
    batch.refresh_from_db()
    names = ("total", "done", "failed", "skipped", "accepted", "rejected")
    return Done({name: getattr(batch, name) for name in names})


@job("files.check_watchers", queue="maintenance", every="1m")
def check_watchers() -> dict[str, bool | int]:
    """Tell the admins if nobody watches what is to be watched; end batches that no job acts on any more."""
    silent = silence()
    if silent is not None:
        attention(
            group="files:watchers",
            title="Nobody watches the directories",
            text=silent,
            severity="critical",
            link="/admin/files/rule/",
        )
    return {"silent": silent is not None, "ended": orphans_end()}


@job("files.forget_old", queue="maintenance", cron="20 3 * * *", retry=CLEANUP, timeout="10m")
def forget_old() -> dict[str, int]:
    """Delete finished batches, gone files and ended watchers older than FILE_HISTORY_DAYS."""
    return history_forget(clock.now() - timedelta(days=settings.FILE_HISTORY_DAYS))
