"""Extensions, a few subscribers at a time, each of whom nobody else changes meanwhile.

A date is read, added to and written. Between the two no payment may be activated, or the older date would
be written over the one that was paid for. So a walker takes the turns of those whom it extends, as people
at buttons do, counts what is paid and not applied yet, and keeps nobody's turn for long.
"""

import time
from collections.abc import Iterable

from jobs.context import current_job
from jobs.faults import fault
from subscriptions.bulk.acts import Pack, change_one, look, read_alone
from subscriptions.bulk.packs import intents_write
from subscriptions.bulk.turning import turns_held
from subscriptions.bulk.writing import is_cancelled, pack_write
from subscriptions.models import BulkItem, BulkKind, BulkOperation, ItemState
from subscriptions.panel.client import PanelClient
from subscriptions.turns import SPAN

TOGETHER = 10  # people whose turns are held at once
LATEST_S = SPAN.total_seconds() / 2  # no date is written that was read longer ago than that
HOLD_S = 2.0  # then no further date is begun: a payment that comes amid has a patience of 5 s


def extend_pack(
    operation: BulkOperation, walker: int, items: Iterable[BulkItem], client: PanelClient
) -> int:
    """Extend some; returns how many stay held because somebody else has their turn, for another time.

    Repeat-safe: a date is kept before it is written, and is absolute. Raises PanelError: whoever has no
    fate then is held still.
    """
    waiting, busy, together, context = list(items), 0, TOGETHER, current_job()
    while waiting:
        if context is not None:
            context.check()
        some, waiting = waiting[:together], waiting[together:]
        pack = Pack(BulkKind.EXTEND, operation.params, operation.is_undo, [])
        people = [item.subscriber_id for item in some if item.subscriber_id is not None]
        taken_at = time.monotonic()
        try:
            with turns_held(operation.pk, walker, people) as ours:
                pack.items = [
                    item
                    for item in some
                    if item.subscriber_id is None or item.subscriber_id in ours
                ]
                busy += len(some) - len(pack.items)
                _extend(operation, walker, pack, client, taken_at)
        finally:
            pack_write(operation, walker, pack)
        left = [item for item in pack.items if item.pk not in pack.fates]
        if pack.items and len(left) == len(pack.items):
            together = 1  # the panel is so slow that the turns of many would lapse amid their reads
        waiting = left + waiting
    return busy


def _extend(
    operation: BulkOperation, walker: int, pack: Pack, client: PanelClient, taken_at: float
) -> None:
    """Write the dates of whom there is time for; of none whose turn may lapse amid it.

    taken_at: before the turns were taken, on the monotonic clock. Raises PanelError.
    """
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
            if time.monotonic() - taken_at > LATEST_S:
                break
            why = change_one(pack, item, user, client)
            if why is not None:
                unsure = item, user, why
            if why is not None or time.monotonic() > give_back_at:
                break  # the others are looked at again, in another turn
    if unsure is not None:
        read_alone(pack, *unsure, client)
    fault("bulk.asked")
