"""Who may touch a broadcast at once. One order for all, so that nobody waits in a ring:

1. the broadcast: shared by whoever delivers a batch, alone by whoever changes where it is
2. rows of its ledger, by id (taken ones are skipped)
3. inboxes (notifications.inbox.accept)
4. its row with the counters, the last thing before the commit

A lock of its own rather than that of the row: batches go on side by side and meet only while they count,
yet a pause or a cancel waits for the batches that have begun, and later ones wait for it.
"""

from uuid import UUID

from jobs import sql
from notifications.broadcasts.errors import BroadcastUnknown
from notifications.broadcasts.models import Broadcast

_MASK = (1 << 63) - 1  # the random half of a uuid7


def hold_shared(broadcast_id: UUID) -> None:
    """Nobody changes where the broadcast is until the transaction of the caller ends."""
    sql.run("SELECT pg_advisory_xact_lock_shared(%s)", [broadcast_id.int & _MASK])


def hold_alone(broadcast_id: UUID) -> None:
    """Nobody else touches the broadcast until the transaction of the caller ends."""
    sql.run("SELECT pg_advisory_xact_lock(%s)", [broadcast_id.int & _MASK])


def broadcast_hold(broadcast_id: UUID) -> Broadcast:
    """The broadcast, for us alone until the transaction ends. Raises BroadcastUnknown."""
    hold_alone(broadcast_id)
    row = Broadcast.objects.select_for_update(no_key=True).filter(pk=broadcast_id).first()
    if row is None:
        raise BroadcastUnknown(f"there is no broadcast {broadcast_id}")
    return row
