"""Batches, their files, and the story of one file, page by page and never counted."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from monitoring.files.models import FileBatch, FileEvent, WatchedFile

PAGE = 50
OPEN, FAILED, FINISHED = "open", "failed", "finished"


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with shares in percent. condition: waiting, running, failed in part, finished."""

    batch: FileBatch
    condition: str
    pending: int
    done_pct: float
    failed_pct: float
    skipped_pct: float


def batch_view(batch: FileBatch) -> BatchView:
    """A batch with what can be reckoned from its row. No query."""
    total = max(1, batch.total)
    condition = str(batch.state)
    if batch.state == FileBatch.State.FINISHED and batch.failed:
        condition = "failed" if batch.failed == batch.total else "failed in part"
    return BatchView(
        batch=batch,
        condition=condition,
        pending=max(0, batch.total - batch.done - batch.failed - batch.skipped),
        done_pct=100 * batch.done / total,
        failed_pct=100 * batch.failed / total,
        skipped_pct=100 * batch.skipped / total,
    )


def batches_page(
    *, rule_id: int | None = None, state: str = "", after: UUID | None = None, size: int = PAGE
) -> tuple[list[BatchView], UUID | None]:
    """Batches, newest first. state: "", open, failed or finished. One query on an index."""
    found = FileBatch.objects.select_related("rule").order_by("-id")
    if rule_id is not None:
        found = found.filter(rule_id=rule_id)
    if state == OPEN:
        found = found.filter(~Q(state=FileBatch.State.FINISHED))
    elif state == FAILED:
        found = found.filter(failed__gt=0)
    elif state == FINISHED:
        found = found.filter(state=FileBatch.State.FINISHED)
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = list(found[: size + 1])
    more = len(rows) > size
    return [batch_view(row) for row in rows[:size]], rows[size - 1].pk if more else None


def events_page(
    *, batch: FileBatch, outcome: str = "", after: int = 0, size: int = PAGE
) -> tuple[list[FileEvent], int | None]:
    """Files of a batch in the order in which they were recorded. One query on an index."""
    found = FileEvent.objects.filter(batch=batch, pk__gt=after).order_by("id")
    if outcome:
        found = found.filter(outcome=outcome)
    return _paged(found, size)


def story_page(
    *, file: WatchedFile, before: int | None = None, size: int = PAGE
) -> tuple[list[FileEvent], int | None]:
    """What happened to one file, newest first. One query on an index."""
    found = FileEvent.objects.filter(file=file).select_related("batch").order_by("-id")
    if before is not None:
        found = found.filter(pk__lt=before)
    return _paged(found, size)


def files_page(
    *,
    rule_id: int | None = None,
    state: str = "",
    wanted: str = "",
    after: int | None = None,
    size: int = PAGE,
) -> tuple[list[WatchedFile], int | None]:
    """Files of the index, those seen first last. wanted: how a path begins. One query."""
    found = WatchedFile.objects.select_related("rule").order_by("-id")
    if rule_id is not None:
        found = found.filter(rule_id=rule_id)
    if state:
        found = found.filter(state=state)
    if wanted:  # a range, so that the index of paths finds it
        found = found.filter(path__gte=wanted, path__lt=wanted + "\U0010ffff")
    if after is not None:
        found = found.filter(pk__lt=after)
    return _paged(found, size)


def _paged(found: "QuerySet[Any]", size: int) -> "tuple[list[Any], int | None]":
    rows = list(found[: size + 1])
    return rows[:size], rows[size - 1].pk if len(rows) > size else None
