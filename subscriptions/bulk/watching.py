"""Operations whose walkers are gone: dead, or discarded by somebody."""

from uuid import UUID

from jobs import sql

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
)
"""


def operations_without_walkers() -> list[tuple[UUID, int]]:
    """(operation, open items up to 10,000) for those that run, though no open job is for them."""
    return [(operation_id, count) for operation_id, count in sql.rows(_ORPHANED)]
