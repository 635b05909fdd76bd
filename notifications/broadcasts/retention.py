"""Forgetting old ledgers: the broadcast and its numbers stay, who got it does not."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql
from lib import clock
from notifications.broadcasts.holding import broadcast_hold
from notifications.broadcasts.models import Broadcast, Status, Upload

BATCH = 10_000
UPLOADS_KEPT = timedelta(days=7)
_OLD = """
SELECT b.id FROM notification_broadcasts b
WHERE b.finished_at < %s AND b.status IN ('sent', 'failed', 'cancelled')
    AND EXISTS (SELECT FROM broadcast_ledger l WHERE l.broadcast_id = b.id)
ORDER BY b.finished_at LIMIT 100
"""


def ledgers_forget(*, batch: int = BATCH) -> int:
    """Delete the ledgers of broadcasts that ended BROADCASTS_LEDGER_DAYS ago. Returns how many rows went.

    In batches, each a transaction of its own. Repeat-safe: a killed run is taken up by the next one.
    """
    count, before = 0, clock.now() - timedelta(days=settings.BROADCASTS_LEDGER_DAYS)
    while found := sql.rows(_OLD, [before]):
        count += sum(_forget(broadcast_id, batch) for (broadcast_id,) in found)
    return count


def uploads_forget() -> int:
    """Delete uploads of a week ago, and what is left of their content. Returns how many. Repeat-safe."""
    old = Upload.objects.filter(created_at__lt=clock.now() - UPLOADS_KEPT)
    return old.delete()[1].get("broadcasts.Upload", 0)


def _forget(broadcast_id: UUID, batch: int) -> int:
    with transaction.atomic():
        row = broadcast_hold(broadcast_id)
        if row.status not in {Status.SENT, Status.FAILED, Status.CANCELLED}:
            return 0  # somebody has just sent it again
        Broadcast.objects.filter(pk=row.pk, ledger_forgotten_at=None).update(
            ledger_forgotten_at=clock.now()
        )
    count = 0
    while gone := sql.run(
        """DELETE FROM broadcast_ledger WHERE id IN (
            SELECT id FROM broadcast_ledger WHERE broadcast_id = %s LIMIT %s)""",
        [broadcast_id, batch],
    ):
        count += gone
    return count
