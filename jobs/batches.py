"""Batches: many jobs, one callback when all have ended.

    batch_id = batch_open(title="import", callback=finish, args={"import_id": 7})
    enqueue_many([(work, {"row": n, "batch": batch_id}) for n in rows])     # as often as needed
    batch_seal(batch_id)

A dead member counts as ended: the callback runs and reads the counts.
"""

from typing import Any
from uuid import UUID

from django.db import connection, transaction

from jobs.models import Batch
from jobs.registry import JobKind
from lib import clock
from lib.context import correlation_id
from lib.errors import DomainError
from lib.ids import uuid7


class BatchNotOpen(DomainError):
    """The batch is sealed already."""

    code = "batch_sealed"


def batch_open(
    *, title: str = "", callback: JobKind[Any] | None = None, args: dict[str, Any] | None = None
) -> UUID:
    """Start a batch. The callback gets `batch_id` besides its args; both are checked here."""
    batch = Batch(title=title[:200], correlation_id=correlation_id.get() or None)
    if callback is not None:
        callback.check({**(args or {}), "batch_id": str(batch.pk)})
        batch.callback_kind = callback.name
        batch.callback_job_id = uuid7()
        batch.callback_args = {
            "queue": callback.queue,
            "priority": int(callback.priority),
            "max_attempts": callback.retry.attempts,
            "args": args or {},
        }
    batch.save(force_insert=True)
    return batch.pk


def batch_seal(batch_id: UUID) -> None:
    """Say that all members are in. An empty or finished batch calls back at once. Repeat: refused.

    Locks: the batch row. Raises BatchNotOpen.
    """
    with transaction.atomic():
        sealed = Batch.objects.filter(pk=batch_id, sealed_at=None).update(sealed_at=clock.now())
        if not sealed:
            raise BatchNotOpen
        with connection.cursor() as cursor:
            cursor.execute("SELECT jobs_batch_count(%s, 0, 0, 0)", [batch_id])
