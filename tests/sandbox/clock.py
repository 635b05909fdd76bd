"""The clock of all services of the sandbox: real time plus an offset that a test moves.

Whatever a service does by date (expiry, retries, monthly resets) goes by this clock, so that a
month passes in one control call. Faults and rate limits go by the real one.
"""

import asyncio
import os
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

# 32-bit years of a careless order end here and not in an OverflowError somewhere inside.
OFFSET_LIMIT_S = 100 * 366 * 86_400.0


class SandboxClock:
    """One event loop uses it, so it needs no lock.

    It starts where the clock of the product stands, by CLOCK_OFFSET_SECONDS and CLOCK_FILE, and goes
    back there with a reset. Who moves the file later on says so here, too.
    """

    def __init__(self) -> None:
        self._start_s = _offset_of_start()
        self.offset_s = self._start_s
        self._listeners: list[Callable[[], None]] = []
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """The moment that the services live in: aware, UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """The same in unix seconds."""
        return time.time() + self.offset_s

    def shift(self, seconds: float) -> None:
        """Move on by some seconds, or back; sleepers whose time has come wake up at once."""
        self.move_to(self.offset_s + seconds)

    def move_to(self, offset_s: float) -> None:
        """Stand offset_s ahead of real time from now on."""
        self.offset_s = offset_s
        self._moved.set()
        self._moved = asyncio.Event()
        for listener in self._listeners:
            listener()

    def reset(self) -> None:
        """Back to the offset of the start."""
        self.move_to(self._start_s)

    def on_move(self, listener: Callable[[], None]) -> None:
        """Call a function after every move, with the new time in force."""
        self._listeners.append(listener)

    async def sleep_until(self, timestamp: float) -> None:
        """Return as soon as this clock shows these unix seconds, by waiting or by a move."""
        while (left_s := timestamp - self.timestamp()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(left_s):
                    await moved.wait()
            except TimeoutError:
                continue

    async def sleep(self, seconds: float) -> None:
        """Sleep for a span of this clock."""
        await self.sleep_until(self.timestamp() + seconds)


def _offset_of_start() -> float:
    """CLOCK_FILE holds seconds as a little-endian double, and is written by whoever moves the clock."""
    own = float(os.environ.get("CLOCK_OFFSET_SECONDS") or 0)
    shared = os.environ.get("CLOCK_FILE")
    if not shared:
        return own
    try:
        return own + float(struct.unpack_from("<d", Path(shared).read_bytes())[0])
    except (FileNotFoundError, struct.error):  # nobody has moved it yet
        return own
