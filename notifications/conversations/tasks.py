"""The jobs of the conversations."""

from typing import Any
from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.ladders import CLEANUP, Delays
from jobs.models import Priority
from jobs.registry import job
from notifications.conversations import archive, ring, stats

AGAIN = Delays("1s 5s 30s")


@job(
    "conversations.notify_unread",
    queue="notifications",
    # Below the jobs that send what others have decided: a flood of timers must not hold up their events.
    priority=Priority.NORMAL,
    retry=AGAIN,
    timeout="30s",
)
def notify_unread(dialog_id: UUID, recipient_id: str, message_id: UUID) -> dict[str, Any]:
    """Tell of a message that is still unread; debounced per dialog and person. Once, if run twice.

    Result: {"fate": "sent" | "skipped", "reason", "event_id"}.
    """
    context = current_job()
    return ring.timer_ring(
        dialog_id=UUID(str(dialog_id)),
        recipient_id=recipient_id,
        message_id=UUID(str(message_id)),
        job_id=context.id if context else None,
    ).result()


@job(
    "conversations.archive_inactive",
    queue="maintenance",
    cron=settings.ARCHIVE_CRON,
    single=True,
    retry=CLEANUP,
    timeout="10m",
)
def archive_inactive() -> dict[str, int]:
    """Put away dialogs in which nobody has written for ARCHIVE_AFTER_DAYS."""
    return {"archived": archive.inactive_archive()}


@job("conversations.forget_notices", queue="maintenance", cron="25 3 * * *", retry=CLEANUP)
def forget_notices() -> dict[str, int]:
    """Forget what became of notifications NOTICE_RETENTION_DAYS ago."""
    return {"deleted": archive.notices_forget()}


@job("conversations.fold_stats", queue="maintenance", every="1m", single=True, retry=CLEANUP)
def fold_stats() -> dict[str, int]:
    """Add up the counts of earlier minutes, so that the table stays small."""
    return {"folded": stats.fold()}
