"""Packs that the panel was asked for and has not shown yet.

It answers at once and works later, for tenths of a second. Whoever waited for that would let its places
stand empty, so a walker asks for further packs meanwhile, and reads the oldest back when it has enough.
"""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from django.conf import settings

from jobs.faults import fault
from subscriptions.bulk.acts import Pack, ask, confirm, look, one_by_one
from subscriptions.bulk.packs import intents_write
from subscriptions.bulk.writing import is_cancelled, pack_write
from subscriptions.models import BulkItem, BulkKind, BulkOperation, ItemState
from subscriptions.panel.client import PanelClient
from subscriptions.panel.errors import PanelError, PanelWaits

# How much of one walker may be on its way at once: packs, and people, so that big packs stay few.
PACKS_AHEAD, PEOPLE_AHEAD = 8, 400
CONFIRM_S = 6.0  # how long the panel may take for what it has queued
# Seconds between two looks at one pack: a look too many costs the panel more than a wait costs us.
CONFIRM_EVERY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
_EARLIER = 0.9


@dataclass(slots=True, eq=False)
class Asked:
    """A pack on its way, when it was asked for and when it is to be looked at (time.monotonic).

    is_stopped: the operation was cancelled; nobody is asked for any more.
    """

    pack: Pack
    is_stopped: bool = False
    at: float = 0.0
    look_at: float = 0.0
    looks: int = 0


class Flight:
    """The packs of one walker that are on their way. At the end of its block it writes what is known."""

    def __init__(self, operation: BulkOperation, walker: int, client: PanelClient) -> None:
        self._operation, self._walker, self._client = operation, walker, client
        self._asked: list[Asked] = []
        self._room = max(1, min(PACKS_AHEAD, PEOPLE_AHEAD // settings.BULK_BATCH_SIZE))
        self._needs_s = 0.0  # what the panel has needed for the last one

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for each in self._asked:
            pack_write(self._operation, self._walker, each.pack)

    def make_room(self) -> None:
        """Bring packs to their end until there is room for another. Raises PanelError, as `add` does."""
        while len(self._asked) >= self._room:
            self._go_on()

    def add(self, items: list[BulkItem]) -> None:
        """Look at a pack and ask for it. Raises PanelError: whoever has no fate then is held still, to be
        looked at again.
        """
        operation = self._operation
        pack = Pack(BulkKind(operation.kind), operation.params, operation.is_undo, items)
        intended = {item.pk for item in items if item.before is not None}  # before a kill
        look(pack, self._client)
        fresh = [item for item in pack.items if item.pk not in pack.fates]
        asked = Asked(pack)
        self._asked.append(asked)
        if fresh:
            intents_write(self._walker, [(item.pk, item.before, item.data) for item in fresh])
        fault("bulk.intended")
        if not fresh:
            self._end(asked)
            return
        if is_cancelled(operation):
            asked.is_stopped = True
            # Whoever was asked for may still be in the panel's queue: he is watched for a while.
            _stop(pack, [item for item in fresh if item.pk not in intended])
            if not any(pack.open()):
                self._end(asked)
                return
        else:
            self._ask(pack)
        asked.at = time.monotonic()
        asked.look_at = asked.at + self._needs_s

    def land(self, until: float) -> bool:
        """Bring packs to their end until a moment (time.monotonic); True if that was all of them.

        The others are held still. Raises PanelError, as `add` does.
        """
        while self._asked and time.monotonic() < until:
            self._go_on()
        return not self._asked

    def _ask(self, pack: Pack) -> None:
        try:
            ask(pack, self._client)
        except PanelWaits:
            raise
        except PanelError:
            pass  # which of them are changed is read back, and the rest asked for one by one
        fault("bulk.asked")

    def _go_on(self) -> None:
        """Look at the pack whose turn it is, and end it if nobody of it is open."""
        asked = min(self._asked, key=lambda each: each.look_at)
        time.sleep(max(0.0, asked.look_at - time.monotonic()))
        is_shown = confirm(asked.pack, self._client)
        took_s = time.monotonic() - asked.at
        if is_shown:
            # A little earlier next time, or it would never be found that the panel has become faster.
            self._needs_s = min(_EARLIER * took_s, CONFIRM_EVERY_S[-1])
        elif took_s <= CONFIRM_S:
            pause_s = CONFIRM_EVERY_S[min(asked.looks, len(CONFIRM_EVERY_S) - 1)]
            asked.look_at, asked.looks = time.monotonic() + pause_s, asked.looks + 1
            return
        elif asked.is_stopped:
            _stop(asked.pack, [item for item, _ in asked.pack.open()])
        else:
            one_by_one(asked.pack, self._client)
        self._end(asked)

    def _end(self, asked: Asked) -> None:
        pack_write(self._operation, self._walker, asked.pack)
        self._asked.remove(asked)


def _stop(pack: Pack, items: list[BulkItem]) -> None:
    for item in items:
        pack.settle(item, ItemState.SKIPPED, "cancelled")
