"""Batches of jobs as operations: the kind that the platform itself brings."""

from uuid import UUID

from django.urls import reverse

from jobs.models import Batch
from jobs.progress.registry import progress_register
from jobs.progress.snapshot import Progress, Reason, Stage

PERMISSION = "jobs.view_batch"


def batch_progress(batch_id: UUID) -> Progress | None:
    """A batch, a dead member being a failed one and a cancelled one a skipped one. One query."""
    batch = Batch.objects.filter(pk=batch_id).first()
    if batch is None:
        return None
    stage, state = Stage.WAITING, "being filled"
    if batch.finished_at:
        stage, state = Stage.OVER, "finished"
    elif batch.sealed_at:
        stage, state = Stage.RUNNING, "running"
    reasons = [
        Reason("dead: gave up after all their tries", batch.dead),
        Reason("cancelled", batch.cancelled, "skipped"),
    ]
    return Progress(
        id=batch.pk,
        kind="batch",
        title=str(batch),
        state=state,
        stage=stage,
        total=batch.total,
        done=batch.completed,
        failed=batch.dead,
        skipped=batch.cancelled,
        started_at=batch.created_at,
        finished_at=batch.finished_at,
        reasons=sorted(filter(lambda each: each.count, reasons), key=lambda each: -each.count),
        unit="jobs",
        note="" if batch.sealed_at else "Jobs are still being added, so it cannot finish yet.",
        link=reverse("admin:jobs_batch_change", args=[batch.pk]),
    )


def register() -> None:
    """Called when the apps are ready."""
    progress_register("batch", batch_progress, permission=PERMISSION)
