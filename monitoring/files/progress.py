"""Batches of files on the page that all long operations have (/progress/<id>)."""

from uuid import UUID

from django.db.models import Count
from django.urls import reverse

from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from monitoring.files.models import FileBatch, FileEvent
from monitoring.files.services import batch_retry

REASONS = 10
_STAGES = {
    FileBatch.State.WAITING: Stage.WAITING,
    FileBatch.State.RUNNING: Stage.RUNNING,
    FileBatch.State.FINISHED: Stage.OVER,
}


def batch_progress(batch_id: UUID) -> Progress | None:
    """A look at a batch. Two queries, one if nothing has failed or was skipped."""
    batch = FileBatch.objects.select_related("rule").filter(pk=batch_id).first()
    if batch is None:
        return None
    return Progress(
        id=batch.pk,
        kind="file batch",
        title=f"{batch.rule.name}: {batch}",
        state=str(batch.state),
        stage=_STAGES[FileBatch.State(batch.state)],
        total=batch.total,
        done=batch.done,
        failed=batch.failed,
        skipped=batch.skipped,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        reasons=_reasons(batch),
        actions=["retry"] if batch.failed else [],
        unit="files",
        note=f"{batch.rejected:,} lines were not taken." if batch.rejected else "",
        link=reverse("admin:files_filebatch_change", args=[batch.pk]),
    )


def _reasons(batch: FileBatch) -> list[Reason]:
    if not batch.failed and not batch.skipped:
        return []
    found = (
        FileEvent.objects.filter(batch=batch, outcome__in=["failed", "skipped"])
        .values_list("outcome", "reason")
        .annotate(count=Count("id"))
        .order_by("-count")[:REASONS]
    )
    return [Reason(reason, count, outcome) for outcome, reason, count in found]


def register() -> None:
    """Called when the apps are ready."""
    progress_register(
        "file batch",
        batch_progress,
        permission="files.view_filebatch",
        acts={
            "retry": Act(
                "Retry what failed",
                "files.operate_rule",
                lambda batch_id, by: batch_retry(batch_id=batch_id, by=by),
                "Its failed files are tried again, with all their tries.",
                "primary",
            )
        },
    )
