"""Bulk operations on the generic progress page."""

from typing import Any
from uuid import UUID

from django.db.models import Count
from django.urls import NoReverseMatch, reverse

from jobs.progress.registry import Act, progress_register
from jobs.progress.snapshot import Progress, Reason, Stage
from subscriptions.bulk import control
from subscriptions.bulk.closing import title_of
from subscriptions.bulk.rules import REASONS, UNDOABLE
from subscriptions.models import BulkItem, BulkKind, BulkOperation, BulkState, ItemState

VIEW, OPERATE = "subscriptions.view_bulkoperation", "subscriptions.operate_bulkoperation"

_STAGES = {
    BulkState.WAITING: Stage.WAITING,
    BulkState.RUNNING: Stage.RUNNING,
    BulkState.PAUSED: Stage.PAUSED,
    BulkState.DONE: Stage.OVER,
    BulkState.CANCELLED: Stage.OVER,
}


def bulk_progress(operation_id: UUID) -> Progress | None:
    """A look at an operation: its row, and why some have no good end. Two queries."""
    row = BulkOperation.objects.filter(pk=operation_id).first()
    if row is None:
        return None
    counted = (
        BulkItem.objects.filter(operation=row, state__in=[ItemState.FAILED, ItemState.SKIPPED])
        .values_list("state", "reason")
        .annotate(count=Count("id"))
        .order_by("-count")
    )
    reasons = [
        Reason(REASONS.get(reason, reason or "unknown"), count, state)
        for state, reason, count in (counted if row.failed or row.skipped else [])
    ]
    return Progress(
        id=row.pk,
        kind="bulk",
        title=title_of(row),
        state=row.get_state_display(),
        stage=_STAGES[BulkState(row.state)],
        total=None if row.state == BulkState.WAITING else row.total,
        done=row.done,
        failed=row.failed,
        skipped=row.skipped,
        started_at=row.started_at,
        finished_at=row.finished_at,
        reasons=reasons,
        actions=_actions(row),
        unit="subscribers",
        note=_note(row),
        link=_link(row),
    )


def _actions(row: BulkOperation) -> list[str]:
    if row.state == BulkState.RUNNING:
        return ["pause", "cancel"]
    if row.state == BulkState.PAUSED:
        return ["resume", "cancel"]
    if row.state == BulkState.WAITING:
        return ["cancel"]
    if row.finished_at is None:
        return []
    retry = ["retry-failed"] if row.failed and row.kind != BulkKind.IMPORT else []
    undo = ["undo"] if row.done and not row.is_undo and row.kind in UNDOABLE else []
    return retry + undo


def _note(row: BulkOperation) -> str:
    if row.state == BulkState.CANCELLED and row.finished_at is None:
        return "Cancelled. What was on its way to the panel in that moment is being finished."
    if row.state == BulkState.PAUSED and row.pause_reason:
        return f"Paused: {row.pause_reason}"
    if row.state == BulkState.PAUSED:
        return "Paused: nothing is asked of the panel until somebody resumes it."
    return ""


def _link(row: BulkOperation) -> str:
    try:
        return reverse("admin:subscriptions_bulkoperation_change", args=[row.pk])
    except NoReverseMatch:
        return ""


def _act(name: str) -> Any:
    def run(operation_id: UUID, by: Any) -> object:
        return getattr(control, f"bulk_{name}")(operation_id=operation_id, by=by)

    return run


def register() -> None:
    """Called when the apps are ready."""
    progress_register(
        "bulk",
        bulk_progress,
        permission=VIEW,
        acts={
            "pause": Act("Pause", OPERATE, _act("pause"), "No further pack is begun until you resume."),
            "resume": Act("Resume", OPERATE, _act("resume"), tone="primary"),
            "cancel": Act(
                "Cancel", OPERATE, _act("cancel"),
                "Whoever was not begun stays as they are. What is done stays done.", "danger",
            ),
            "retry-failed": Act(
                "Try the failed again", OPERATE, _act("retry_failed"),
                "A new operation for those that failed.", "primary",
            ),
            "undo": Act(
                "Take it back", OPERATE, _act("undo"),
                "A new operation that takes this back, for whoever was not changed since.", "danger",
            ),
        },
    )  # fmt: skip
