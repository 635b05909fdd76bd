"""Operations whose walkers are gone: dead, or discarded by somebody."""

from uuid import UUID

from jobs import sql
from subscriptions.bulk.packs import HANDED_OUT
from subscriptions.models import BulkItem, ItemState

# Few operations run at a time, so this looks at few rows.
_ORPHANED = """
SELECT o.id, c.open FROM bulk_operation o
CROSS JOIN LATERAL (
    SELECT count(*) AS open FROM (
        SELECT FROM bulk_item i
        WHERE i.operation_id = o.id AND i.state IN ('pending', 'running') LIMIT 10000
    ) i
) c
WHERE o.state IN ('running', 'cancelled') AND o.finished_at IS NULL AND NOT EXISTS (
    SELECT FROM jobs_job j
    WHERE j.kind = 'subscriptions.bulk_walk' AND j.args ->> 'operation_id' = o.id::text
) AND (o.kind <> 'extend' OR NOT EXISTS (
    SELECT FROM jobs_job j
    WHERE j.kind = 'subscriptions.bulk_extend' AND j.state IN ('available', 'scheduled', 'running')
))
"""


def operations_without_walkers() -> list[tuple[UUID, int]]:
    """(operation, open items up to 10,000) for those that run, though no open job is for them."""
    return [(operation_id, count) for operation_id, count in sql.rows(_ORPHANED)]


def handed_out_put_back(operation_id: UUID) -> int:
    """Let the items wait again that were given to jobs which are gone. Repeat: nothing."""
    return BulkItem.objects.filter(
        operation_id=operation_id, state=ItemState.RUNNING, walker=HANDED_OUT
    ).update(state=ItemState.PENDING, walker=None)
