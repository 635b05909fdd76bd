"""Reading a file whole, in pieces, and knowing that it stood still meanwhile."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from monitoring.files.errors import FileMoving
from monitoring.files.places import Place, Stat

PIECE_BYTES = 1024 * 1024
SKEW_NS = 1_000_000_000

Tick = Callable[[], None]


def sha256_of(place: Place, path: str, tick: Tick) -> tuple[Stat, str]:
    """The stat of a file and the SHA-256 of its content, in constant memory.

    tick is called after each piece, so that a large file holds nobody up. Raises FileMoving,
    FileRefused, OSError.
    """
    with place.open(path) as file:
        return digest(file, path, tick)


def digest(file: BinaryIO, path: str, tick: Tick, sink: BinaryIO | None = None) -> tuple[Stat, str]:
    """The same of an open file; sink gets a copy of what was read. Raises FileMoving, OSError."""
    before = Stat.of(os.fstat(file.fileno()))
    found = hashlib.sha256()
    buffer = bytearray(min(PIECE_BYTES, before.size + 1))
    view = memoryview(buffer)
    read = 0
    while count := file.readinto(view):  # type: ignore[attr-defined]
        read += count
        if read > before.size:  # it grows as fast as we read, so there might be no end
            raise FileMoving(path)
        found.update(view[:count])
        if sink is not None:
            sink.write(view[:count])
        tick()
    if Stat.of(os.fstat(file.fileno())) != before:
        raise FileMoving(path)
    return before, found.hexdigest()


def settled_for_ns(found: Stat) -> int | None:
    """How long a file has been as it is, by its own times; None: its clock is ahead of ours.

    ctime is the kernel's own: each write moves it, and nobody can set it back. mtime may lie ahead
    on purpose, and counts for nothing then.
    """
    now = time.time_ns()
    age = now - found.ctime_ns
    if age < -SKEW_NS:
        return None
    since_write = now - found.mtime_ns
    return max(0, age if since_write < 0 else min(age, since_write))


def file_name(path: str) -> str:
    """The last part of a path."""
    return Path(path).name
