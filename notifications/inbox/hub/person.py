"""One person's inbox as it passes through this pod: in order, without gaps, each change once.

A change knows the position before it. One that continues where we are is forwarded; one that leaves a
hole is held until the hole is filled from Postgres; one at or below where we are is a duplicate.

Postgres tells several changes of one notification as one, which fits only exactly where it was asked
from. So nothing is forwarded while it is asked.
"""

import asyncio
from typing import TYPE_CHECKING

from notifications.inbox.hub.screen import Change, Screen
from notifications.inbox.hub.wire import encode
from notifications.inbox.shapes import NEW, READ, Changes

if TYPE_CHECKING:
    from notifications.inbox.hub.hub import Hub

HELD_AT_MOST = 1_000  # more come from Postgres anyway


class Person:
    """Somebody with a socket here, or who had one a moment ago."""

    __slots__ = (
        "_held", "_hub", "_movement", "channel", "id", "is_asking", "last", "live", "login",
        "screens", "user_id",
    )  # fmt: skip

    def __init__(
        self, hub: "Hub", recipient_id: int, user_id: int, login: str, channel: bytes
    ) -> None:
        self._hub = hub
        self.id = recipient_id
        self.user_id = user_id
        self.login = login
        self.channel = channel
        self.last: int | None = None  # None until a picture of the inbox was read
        self.is_asking = False  # Postgres, what comes after `last`
        self.screens: list[Screen] = []
        self.live: list[Screen] = []  # those of them that are in step
        self._held: dict[int, Change] = {}
        self._movement: asyncio.Future[None] | None = None

    def take(self, position: int, prev: int, kind: str, notification_id: str, frame: bytes) -> None:
        """A change from Redis."""
        last = self.last
        if last is None or prev > last or self.is_asking:
            self._hold(Change(position, prev, kind, notification_id, frame))
        elif position > last:
            if not self._held and len(self.live) == len(self.screens):  # as nearly always
                self.last = position
                self._write(position, kind, notification_id, encode(frame))
                return
            self._forward(Change(position, prev, kind, notification_id, frame))
            self._go_on()
            self._moved()

    @property
    def is_waiting(self) -> bool:
        """Does something wait for a change that did not come?"""
        return bool(self._held) or len(self.live) < len(self.screens)

    def begin(self, position: int) -> None:
        """A first picture was read: changes continue from there."""
        self.last = position
        self._go_on()
        if self._held:
            self._hub.has_hole(self)

    def catch_up(self, found: Changes) -> None:
        """Take what Postgres told of everything after `last`."""
        self.is_asking = False
        for screen in self.screens:
            if screen.early is not None:
                screen.early.clear()  # it has to ask from where it stands itself
        for missed in found.missed:
            encoded = encode(missed.frame.encode())
            self._write(missed.position, missed.kind, missed.notification_id, encoded)
        self.last = max(found.last_position, self.last or 0)
        self._go_on()
        if self._held:
            self._hub.has_hole(self)
        self._moved()

    def forget(self) -> None:
        """Where we are leads nowhere: start anew with the next picture."""
        self.is_asking = False
        self.last = None
        self._held.clear()
        self._moved()

    async def movement(self, within_s: float) -> bool:
        """Return when the chain has moved (True), or after a while."""
        if self._movement is None:
            self._movement = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._movement], timeout=within_s)
        return bool(done)

    def _moved(self) -> None:
        if self._movement is not None:
            self._movement.set_result(None)
            self._movement = None

    def _go_on(self) -> None:
        """Forward what was held and continues now."""
        for position in sorted(self._held):
            change = self._held[position]
            if self.last is not None and position > self.last:
                if change.prev > self.last:
                    return
                self._forward(change)
            del self._held[position]

    def _hold(self, change: Change) -> None:
        last = self.last
        if (last is None or change.position > last) and len(self._held) < HELD_AT_MOST:
            self._held[change.position] = change
        if last is not None and not self.is_asking:
            self._hub.has_hole(self)

    def _forward(self, change: Change) -> None:
        self.last = change.position
        encoded = encode(change.frame)
        self._write(change.position, change.kind, change.notification_id, encoded)
        for screen in self.screens:
            if screen.early is not None:
                screen.early.append((change, encoded))

    def _write(self, position: int, kind: str, notification_id: str, encoded: bytes) -> None:
        if kind == READ:
            for screen in self.live:
                screen.show_read(notification_id, encoded)
            return
        for screen in self.live:
            screen.wire.write(encoded)
        if kind == NEW and self.live:
            self._hub.delivered(notification_id, position, self.live)
