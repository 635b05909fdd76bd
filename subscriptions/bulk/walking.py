"""A walker: takes packs of an operation, one after the other, until none is left or its turn is over."""

import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from jobs.context import current_job
from jobs.faults import fault
from jobs.outcomes import Done, Outcome, Snooze
from lib import clock
from subscriptions.bulk.acts import Pack
from subscriptions.bulk.closing import operation_close, operation_halt
from subscriptions.bulk.extending import extend_pack
from subscriptions.bulk.flight import Flight
from subscriptions.bulk.importing import import_pack
from subscriptions.bulk.packs import items_held, pack_take
from subscriptions.bulk.starting import holders_call
from subscriptions.bulk.writing import pack_write
from subscriptions.models import BulkItem, BulkKind, BulkOperation, BulkState
from subscriptions.panel.client import PanelClient
from subscriptions.panel.door import PanelOff, panel_background
from subscriptions.panel.errors import PanelDenied, PanelError, PanelWaits
from subscriptions.turns import TurnTaken

TURN_S = 10.0  # then other jobs may have the thread
LANDING_S = 60.0  # for what is on its way then, if the panel has swallowed it and is slow
BUSY = timedelta(seconds=1)  # while somebody else changes those whom we hold
AGAIN = timedelta(seconds=15)  # while the panel is away


def walk(operation_id: UUID, walker: int) -> Outcome:
    """Walk for a turn. Repeat-safe: what a killed walker held is looked at again before it is asked for.

    The panel being away costs nothing but time: the items wait, and somebody calls the walkers again.
    """
    operation = BulkOperation.objects.filter(pk=operation_id).first()
    if operation is None or operation.state in {BulkState.WAITING, BulkState.PAUSED}:
        return Done("the operation does not run")
    try:
        return _go(operation, walker, panel_background())
    except PanelOff as exc:
        return Snooze(AGAIN, str(exc))
    except (PanelWaits, TurnTaken) as exc:
        return Snooze(exc.retry_after, str(exc))
    except PanelDenied as exc:
        operation_halt(operation_id, f"the panel refuses our token: {exc}")
        return Done("paused: the panel refuses our token")
    except PanelError as exc:
        return Snooze(AGAIN, f"{type(exc).__name__}: {exc}")


def _go(operation: BulkOperation, walker: int, client: PanelClient) -> Outcome:
    """What was held first, then pack after pack. Raises PanelError, TurnTaken: what is open is held still."""
    ends_at, size = time.monotonic() + TURN_S, settings.BULK_BATCH_SIZE
    packs = busy = 0
    held = items_held(operation.pk, walker)
    with Flight(operation, walker, client) as flight:
        while time.monotonic() < ends_at:
            _check()
            flight.make_room()
            items, held = held[:size], held[size:]
            items = items or pack_take(operation.pk, walker, size)
            if not items:
                break
            fault("bulk.taken")
            if operation.kind == BulkKind.IMPORT:
                _import(operation, walker, items, client)
            elif operation.kind == BulkKind.EXTEND:
                busy += extend_pack(operation, walker, items, client)
            else:
                flight.add(items)
            packs += 1
        has_landed = flight.land(ends_at + LANDING_S)
    if not has_landed or time.monotonic() >= ends_at:
        return Snooze(clock.ZERO, "others may have the thread")
    if busy:
        return Snooze(BUSY, f"{busy} are being changed by somebody else")
    if not operation_close(operation.pk):
        holders_call(operation.pk)  # one may have died of its crashes
    return Done({"packs": packs})


def _import(
    operation: BulkOperation, walker: int, items: list[BulkItem], client: PanelClient
) -> None:
    pack = Pack(BulkKind.IMPORT, operation.params, operation.is_undo, items)
    try:
        import_pack(pack, client)
    finally:
        pack_write(operation, walker, pack)


def _check() -> None:
    context = current_job()
    if context is not None:
        context.check()
