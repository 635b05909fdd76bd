"""Extensions, a few subscribers at a time, each of whom nobody else changes meanwhile.

A date is read, added to and written. Between the two no payment may be activated, or the older date would
be written over the one that was paid for. So a walker takes the turns of those whom it extends, as people
at buttons do, counts what is paid and not applied yet, and keeps nobody's turn for long.
"""

import time
from collections.abc import Iterable

from jobs.faults import fault
from subscriptions.bulk.acts import Pack, change_one, look, read_alone
from subscriptions.bulk.packs import intents_write
from subscriptions.bulk.turning import turns_held
from subscriptions.bulk.writing import is_cancelled, pack_write
from subscriptions.models import BulkItem, BulkKind, BulkOperation, ItemState
from subscriptions.panel.client import PanelClient

TOGETHER = 10  # people whose turns are held at once
HOLD_S = 2.0  # then no further date is begun: a payment that comes amid has a patience of 5 s


def extend_pack(
    operation: BulkOperation, walker: int, items: Iterable[BulkItem], client: PanelClient
) -> int:
    """Extend some; returns how many stay held because somebody else has their turn, for another time.

    Repeat-safe: a date is kept before it is written, and is absolute. Raises PanelError: whoever has no
    fate then is held still.
    """
    waiting, busy = list(items), 0
    while waiting:
        some, waiting = waiting[:TOGETHER], waiting[TOGETHER:]
        pack = Pack(BulkKind.EXTEND, operation.params, operation.is_undo, [])
        people = [item.subscriber_id for item in some if item.subscriber_id is not None]
        try:
            with turns_held(operation.pk, walker, people) as ours:
                pack.items = [
                    item
                    for item in some
                    if item.subscriber_id is None or item.subscriber_id in ours
                ]
                busy += len(some) - len(pack.items)
                _extend(operation, walker, pack, client)
        finally:
            pack_write(operation, walker, pack)
        waiting = [item for item in pack.items if item.pk not in pack.fates] + waiting
    return busy


def _extend(operation: BulkOperation, walker: int, pack: Pack, client: PanelClient) -> None:
    """Write the dates of whom there is time for; at least of one. Raises PanelError."""
    give_back_at = time.monotonic() + HOLD_S
    look(pack, client)
    fresh = list(pack.open())
    if not fresh:
        return
    intents_write(walker, [(item.pk, item.before, item.data) for item, _ in fresh])
    fault("bulk.intended")
    if is_cancelled(operation):
        for item, _ in fresh:
            pack.settle(item, ItemState.SKIPPED, "cancelled")
        return
    unsure = None
    with client.visit(len(fresh)):
        for item, user in fresh:
            why = change_one(pack, item, user, client)
            if why is not None:
                unsure = item, user, why
            if why is not None or time.monotonic() > give_back_at:
                break  # the others are looked at again, in another turn
    if unsure is not None:
        read_alone(pack, *unsure, client)
    fault("bulk.asked")
