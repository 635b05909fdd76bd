"""When what was written to sockets really goes out: at the end of the turn of the event loop, and a
little later while messages come in faster than they go out.

A system call costs more than all else of a delivery. So when we lag behind, several frames of a socket
share one: a few milliseconds are nothing to a message that already waits in line.
"""

import asyncio
from typing import Protocol

BEHIND_BYTES = 16 * 1024  # one read of Redis' connection brought this much: more may be waiting
LOOK_S = 0.002  # then we look again after this; if nothing came, it goes out
HOLD_S = 0.02  # and in any case after this


class Vessel(Protocol):
    """Something with frames to send."""

    def flush(self) -> None: ...


class Tide:
    """One per event loop, and there is one event loop."""

    def __init__(self) -> None:
        self._vessels: list[Vessel] = []
        self._is_high = False  # more is coming in: do not send each by itself
        self._rose_at = 0.0

    def rise(self, vessel: Vessel) -> None:
        """It has something to send; said once per flush."""
        if not self._vessels:
            loop = asyncio.get_running_loop()
            self._rose_at = loop.time()
            loop.call_soon(self._ebb)
        self._vessels.append(vessel)

    def read(self, size: int) -> None:
        """So many bytes came from Redis by one read."""
        self._is_high = size >= BEHIND_BYTES

    def _ebb(self) -> None:
        loop = asyncio.get_running_loop()
        if self._is_high and loop.time() - self._rose_at < HOLD_S:
            self._is_high = False  # unless the next read says so again
            loop.call_later(LOOK_S, self._ebb)
            return
        vessels, self._vessels = self._vessels, []
        vessels.reverse()
        try:
            while vessels:
                vessels.pop().flush()
        finally:
            if vessels:  # one of them failed; the others are not to wait for ever
                self._vessels += vessels
                loop.call_soon(self._ebb)


TIDE = Tide()
