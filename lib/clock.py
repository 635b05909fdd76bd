"""The one clock of the project.

`now()` is what business rules and `run_at` are compared with. Tests and the demo move it: for one process
with `shift`, from its start on with CLOCK_OFFSET_SECONDS, and for all running processes at once with
`move`, where they share a CLOCK_FILE (8 bytes: the offset in seconds, a little-endian double).
Leases are decided by Postgres' own clock and are never moved.
"""

import math
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ZERO = timedelta(0)

_SECONDS = struct.Struct("<d")
_MOST_S = 100 * 365 * 86_400


class ClockFixed(RuntimeError):
    """There is no CLOCK_FILE: the clock of other processes cannot be moved."""


def _open_shared() -> mmap.mmap | None:
    """The shared offset, mapped, so that looking at the clock costs no call of the system."""
    path = os.environ.get("CLOCK_FILE")
    if not path:
        return None
    with Path(path).open("a+b") as file:
        if file.seek(0, os.SEEK_END) < _SECONDS.size:
            file.write(bytes(_SECONDS.size))
            file.flush()
        return mmap.mmap(file.fileno(), _SECONDS.size)


_offset = timedelta(seconds=float(os.environ.get("CLOCK_OFFSET_SECONDS") or 0))
_shared = _open_shared()


def now() -> datetime:
    """The present moment, aware, UTC, moved by the offset."""
    return datetime.now(UTC) + offset()


def offset() -> timedelta:
    """How far the clock is moved; zero in production."""
    if _shared is None:
        return _offset
    return _offset + timedelta(seconds=_SECONDS.unpack_from(_shared)[0])


def move(by: timedelta) -> timedelta:
    """Move the clock of all processes that share the CLOCK_FILE; returns the new offset.

    Raises ClockFixed without a file, ValueError for more than a hundred years. One mover at a time.
    """
    if _shared is None:
        raise ClockFixed("CLOCK_FILE is not set, so there is no clock that could be moved.")
    seconds = _SECONDS.unpack_from(_shared)[0] + by.total_seconds()
    if not math.isfinite(seconds) or abs(seconds) > _MOST_S:
        raise ValueError("the clock can be moved by a hundred years at most")
    _SECONDS.pack_into(_shared, 0, seconds)
    return offset()


@contextmanager
def shift(by: timedelta) -> Iterator[None]:
    """Move the clock of this process by a span, for tests; nests."""
    global _offset  # noqa: PLW0603 - the clock is the one thing that is global on purpose
    before = _offset
    _offset = before + by
    try:
        yield
    finally:
        _offset = before
