"""What is left of a cancelled broadcast gets its fate, so that its numbers add up."""

from uuid import UUID

from django.db import transaction

from jobs import sql
from lib import clock
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Status

BATCH = 5_000


def batch_close(broadcast_id: UUID, *, batch: int = BATCH) -> int:
    """Skip the next people of a cancelled broadcast. Returns how many. Repeat-safe."""
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status != Status.CANCELLED:
            return 0
        ids = [
            found[0]
            for found in sql.rows(
                """SELECT id FROM broadcast_ledger WHERE broadcast_id = %s AND channel >= ''
                AND fate = 'pending' ORDER BY channel, id LIMIT %s""",
                [broadcast_id, batch],
            )
        ]
        if ids:
            sql.run(
                "SELECT broadcast_turn(%s, %s, 'skipped', 'cancelled', %s)",
                [broadcast_id, ids, clock.now()],
            )
    return len(ids)


def is_flying(broadcast_id: UUID) -> bool:
    """Whether the fate of some is not known yet: their request may be on its way."""
    return (
        sql.row(
            "SELECT 1 FROM broadcast_ledger WHERE fate = 'sending' AND broadcast_id = %s LIMIT 1",
            [broadcast_id],
        )
        is not None
    )
