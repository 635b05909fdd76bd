"""Batches as operators see them."""

from dataclasses import dataclass
from uuid import UUID

from jobs.models import Batch, Job
from jobs.selectors.listing import COLUMNS

PAGE = 50
MEMBERS = 50


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with shares in percent. `condition`: filling, running, finished."""

    batch: Batch
    condition: str
    open: int
    completed_pct: float
    dead_pct: float
    cancelled_pct: float


def batch_view(batch: Batch) -> BatchView:
    """A batch with what can be reckoned from its row. No query."""
    total = max(1, batch.total)
    return BatchView(
        batch=batch,
        condition=_condition(batch),
        open=max(0, batch.total - batch.completed - batch.dead - batch.cancelled),
        completed_pct=100 * batch.completed / total,
        dead_pct=100 * batch.dead / total,
        cancelled_pct=100 * batch.cancelled / total,
    )


def _condition(batch: Batch) -> str:
    if batch.finished_at:
        return "finished"
    return "running" if batch.sealed_at else "filling"


def batches_page(
    *, state: str = "", after: UUID | None = None
) -> tuple[list[BatchView], UUID | None]:
    """Batches, newest first, and where the next page starts. state: "", open or finished. One query."""
    found = Batch.objects.order_by("-id")
    if state in {"open", "finished"}:
        found = found.filter(finished_at__isnull=state == "open")
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = list(found[: PAGE + 1])
    more = len(rows) > PAGE
    return [batch_view(row) for row in rows[:PAGE]], rows[PAGE - 1].pk if more else None


def batch_members(batch: Batch) -> list[Job]:
    """Members that are open or dead, those in trouble first. One query on an index."""
    shown = [name for name in COLUMNS if name not in {"finished_at", "resolution"}]
    return list(
        Job.objects.filter(batch_id=batch.pk).only(*shown).order_by("state", "id")[:MEMBERS]
    )
