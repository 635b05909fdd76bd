"""A few counters in shared memory, by which the feeder sees how far the crowd has come.

Standard library only: a peer's feeder imports it in an environment of its own. Each counter has one
writer, so there is no lock; a reader sees a value at most some microseconds old.
"""

import mmap
from pathlib import Path

RECEIVED, ACKED, SENT, STOP = range(4)  # deliveries, acknowledged reads, messages, 1 = enough
_BYTES = 8 * 4


def board_made(path: Path) -> "memoryview[int]":
    """Make the file with all counters at 0, and open it."""
    path.write_bytes(bytes(_BYTES))
    return board(path)


def board(path: Path) -> "memoryview[int]":
    """The counters, each an unsigned 64 bit integer."""
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), _BYTES)).cast("Q")
