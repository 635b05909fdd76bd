"""A walker: takes packs of an operation, one after the other, until none is left or its turn is over."""

import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.faults import fault
from jobs.outcomes import Done, Outcome, Snooze
from lib import clock
from subscriptions.bulk.acts import Pack, ask, confirm, look, one_by_one
from subscriptions.bulk.closing import operation_close, operation_halt
from subscriptions.bulk.extending import hand_out
from subscriptions.bulk.importing import import_pack
from subscriptions.bulk.packs import intents_write, pack_take
from subscriptions.bulk.writing import pack_write
from subscriptions.models import BulkItem, BulkKind, BulkOperation, BulkState, ItemState
from subscriptions.panel.client import PanelClient
from subscriptions.panel.door import PanelOff, panel_background
from subscriptions.panel.errors import PanelDenied, PanelError, PanelWaits
from subscriptions.turns import TurnTaken

TURN_S = 10.0  # then other jobs may have the thread
CONFIRM_S = 6.0  # how long the panel may take for what it has queued
CONFIRM_EVERY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
AGAIN = timedelta(seconds=15)  # while the panel is away


def walk(operation_id: UUID, walker: int) -> Outcome:
    """Walk for a turn. Repeat-safe: what a killed walker held is looked at again before it is asked for.

    The panel being away costs nothing but time: the items wait, and somebody calls the walkers again.
    """
    operation = BulkOperation.objects.filter(pk=operation_id).first()
    if operation is None or operation.state in {BulkState.WAITING, BulkState.PAUSED}:
        return Done("the operation does not run")
    began, packs = time.monotonic(), 0
    try:
        if operation.kind == BulkKind.EXTEND:
            return _hand_out(operation)
        client = panel_background()
        while time.monotonic() - began < TURN_S:
            _check()
            items = pack_take(operation_id, walker, settings.BULK_BATCH_SIZE)
            if not items:
                operation_close(operation_id)
                return Done({"packs": packs})
            fault("bulk.taken")
            pack_do(operation, walker, items, client)
            packs += 1
    except PanelOff as exc:
        return Snooze(AGAIN, str(exc))
    except (PanelWaits, TurnTaken) as exc:
        return Snooze(exc.retry_after, str(exc))
    except PanelDenied as exc:
        operation_halt(operation_id, f"the panel refuses our token: {exc}")
        return Done("paused: the panel refuses our token")
    except PanelError as exc:
        return Snooze(AGAIN, f"{type(exc).__name__}: {exc}")
    return Snooze(clock.ZERO, "others may have the thread")


def _hand_out(operation: BulkOperation) -> Outcome:
    """Give as many items a job of their own as there may be walkers; each of them hands out the next."""
    open_items = BulkItem.objects.filter(operation=operation, state=ItemState.RUNNING)
    count = hand_out(operation.pk, max(0, settings.BULK_WALKERS - open_items.count()))
    operation_close(operation.pk)
    return Done({"handed_out": count})


def _check() -> None:
    context = current_job()
    if context is not None:
        context.check()


def pack_do(
    operation: BulkOperation, walker: int, items: list[BulkItem], client: PanelClient
) -> None:
    """Do one pack to its end: each item has a fate then, or PanelError is raised and it is held still."""
    pack = Pack(BulkKind(operation.kind), operation.params, operation.is_undo, items)
    if pack.kind is BulkKind.IMPORT:
        try:
            import_pack(pack, client)
        finally:
            pack_write(operation, walker, pack)
        return
    look(pack, client)
    fresh = [item for item in pack.items if item.pk not in pack.fates]
    intents_write(walker, [(item.pk, item.before, item.data) for item in fresh])
    fault("bulk.intended")
    try:
        if BulkOperation.objects.filter(pk=operation.pk, state=BulkState.CANCELLED).exists():
            for item in fresh:
                pack.settle(item, ItemState.SKIPPED, "cancelled")
        elif fresh:
            _change(pack, client)
    finally:
        pack_write(operation, walker, pack)


def _change(pack: Pack, client: PanelClient) -> None:
    try:
        ask(pack, client)
    except PanelWaits:
        raise
    except PanelError:
        pass  # which of them are changed is read back, and the rest asked for one by one
    fault("bulk.asked")
    waited = time.monotonic()
    for pause in (*CONFIRM_EVERY_S, *([CONFIRM_EVERY_S[-1]] * int(CONFIRM_S))):
        if confirm(pack, client) or time.monotonic() - waited > CONFIRM_S:
            break
        time.sleep(pause)
    one_by_one(pack, client)
