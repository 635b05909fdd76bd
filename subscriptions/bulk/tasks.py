"""The jobs of bulk operations."""

from uuid import UUID

from jobs.context import current_job
from jobs.ladders import Delays
from jobs.models import Priority
from jobs.outcomes import Outcome
from jobs.registry import job
from subscriptions.bulk import walking
from subscriptions.bulk.agreeing import may_move_by
from subscriptions.bulk.closing import operation_halt
from subscriptions.bulk.selection import selection_read
from subscriptions.bulk.starting import begin, items_write, walkers_call
from subscriptions.bulk.watching import operations_without_walkers
from subscriptions.models import BulkOperation, BulkState


@job(
    "subscriptions.bulk_expand",
    priority=Priority.NORMAL,
    retry=Delays("5s 30s 2m"),
    timeout="10m",
    atomic=True,
)
def expand(operation_id: UUID) -> dict[str, int]:
    """Find the people of a filter and write one item each, once. More than were meant wait for a person."""
    operation = BulkOperation.objects.select_for_update().get(pk=operation_id)
    if operation.state != BulkState.WAITING:
        return {}
    open_items = items_write(
        operation, selection_read({"filter": operation.selection.get("filter", {})})
    )
    begin(operation, open_items)
    meant = operation.selection.get("meant")
    if meant is not None and open_items > meant + may_move_by(meant):
        operation_halt(
            operation.pk,
            f"{meant:,} were meant when it was ordered, {open_items:,} are found now. Nobody was changed",
            "Cancel it, or resume it to change them all.",
        )
    return {"open": open_items}


@job(
    "subscriptions.bulk_walk",
    queue="notifications",
    priority=Priority.LOW,
    retry=Delays("5s 30s 2m"),
    timeout="5m",
    breaker="remnawave",
)
def walk(operation_id: UUID, walker: int) -> Outcome:
    """Do packs of an operation, one after the other; several walkers share one operation."""
    operation, context = UUID(str(operation_id)), current_job()
    try:
        return walking.walk(operation, walker)
    except Exception as exc:
        if context is not None and context.attempt >= context.max_attempts:
            operation_halt(operation, f"{type(exc).__name__}: {exc}")
        raise


@job("subscriptions.watch_bulk", queue="maintenance", every="1m", timeout="1m", single=True)
def watch_bulk() -> dict[str, int]:
    """Call walkers again for operations that run and have none, whatever became of theirs."""
    called = 0
    for operation_id, open_items in operations_without_walkers():
        walkers_call(operation_id, open_items)
        called += 1
    return {"called": called}
