"""Extensions, one job for each subscriber, in the line of jobs that change until when somebody is served.

A date is read, added to and written. Between the two no payment may be activated, or the older date would
be written over the one that was paid for. So an extension stands in the same line as the activations of its
subscriber (partition key), takes the subscriber's turn as people at buttons do, and counts what is paid and
not applied yet.
"""

from uuid import UUID

from django.db import transaction

from jobs.enqueue import enqueue_many
from jobs.faults import fault
from jobs.outcomes import Done, Outcome, Snooze
from jobs.registry import kind_get
from subscriptions.bulk.acts import Pack, look, one_by_one
from subscriptions.bulk.closing import operation_close, operation_halt
from subscriptions.bulk.packs import (
    HANDED_OUT,
    intents_write,
    items_put_back,
    pack_hand_out,
)
from subscriptions.bulk.writing import pack_write
from subscriptions.models import BulkItem, BulkKind, BulkState, ItemState
from subscriptions.panel.door import PanelOff, panel_background
from subscriptions.panel.errors import PanelDenied, PanelError, PanelWaits
from subscriptions.turns import TurnTaken, turn

EXTEND = "subscriptions.bulk_extend"


def hand_out(operation_id: UUID, count: int = 1) -> int:
    """Give the next items to jobs, one each, in the transaction that takes them. Returns how many.

    There are as many such jobs at a time as walkers may be, for each one hands out the next at its end:
    more would only wait for a place at the panel, in threads that others need.
    """
    kind = kind_get(EXTEND)
    with transaction.atomic():
        taken = pack_hand_out(operation_id, count)
        if taken:
            enqueue_many(
                [
                    (kind, {"item_id": item_id, "partition": f"subscriber:{subscriber_id}"})
                    for item_id, subscriber_id in taken
                ]
            )
    return len(taken)


def extend(item_id: int, *, again_after: Snooze) -> Outcome:
    """Extend one subscriber. Repeat-safe: the date is kept before it is written, and is absolute."""
    item = BulkItem.objects.select_related("subscriber", "operation").filter(pk=item_id).first()
    if item is None or item.state != ItemState.RUNNING or item.walker != HANDED_OUT:
        return Done("it has its fate")
    operation = item.operation
    if operation.state == BulkState.PAUSED:
        items_put_back([item_id])
        return Done("paused")
    pack = Pack(BulkKind.EXTEND, operation.params, operation.is_undo, [item])
    if operation.state == BulkState.CANCELLED and item.before is None:
        pack.settle(item, ItemState.SKIPPED, "cancelled")
    else:
        try:
            with turn(item.subscriber_id or 0, in_line=True):
                _ask(pack, item)
        except (PanelWaits, TurnTaken) as exc:
            return Snooze(exc.retry_after, str(exc))
        except PanelOff as exc:
            return Snooze(again_after.after, str(exc))
        except PanelDenied as exc:
            items_put_back([item_id])
            operation_halt(operation.pk, f"the panel refuses our token: {exc}")
            return Done("paused: the panel refuses our token")
        except PanelError as exc:
            return Snooze(again_after.after, f"{type(exc).__name__}: {exc}")
    pack_write(operation, HANDED_OUT, pack)
    _go_on(operation.pk)
    return Done()


def _ask(pack: Pack, item: BulkItem) -> None:
    client = panel_background()
    look(pack, client)
    if item.pk in pack.fates:
        return
    intents_write(HANDED_OUT, [(item.pk, item.before, item.data)])
    fault("bulk.intended")
    one_by_one(pack, client)
    fault("bulk.asked")


def give_up(item_id: int, why: str) -> None:
    """Our own code failed on an item as often as it may: it has failed, and the others go on."""
    item = BulkItem.objects.select_related("operation").filter(pk=item_id).first()
    if item is None:
        return
    pack = Pack(BulkKind.EXTEND, item.operation.params, item.operation.is_undo, [item])
    pack.settle(item, ItemState.FAILED, "gave_up", why)
    pack_write(item.operation, HANDED_OUT, pack)
    _go_on(item.operation_id)


def _go_on(operation_id: UUID) -> None:
    """Hand out the next item; the last one ends the operation. Looks without a lock first."""
    if hand_out(operation_id):
        return
    still = BulkItem.objects.filter(
        operation_id=operation_id, state__in=[ItemState.PENDING, ItemState.RUNNING]
    )
    if not still.exists():
        operation_close(operation_id)
