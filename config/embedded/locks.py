"""File locks that can be waited for with a deadline. The kernel drops them when a process dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.errors import ServersUnavailable

POLL_S = 0.02


def open_lock(path: Path) -> int:
    """Open path for locking. A fork shares the lock, a started program does not inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def try_lock(fd: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(fd: int, *, shared: bool, deadline: float) -> bool:
    """Take the lock before deadline (time.monotonic), or return False."""
    while not try_lock(fd, shared=shared):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)  # flock has no timeout, and an alarm would need the main thread
    return True


@contextmanager
def exclusive(path: Path, *, deadline: float) -> Iterator[None]:
    """Hold path alone. Raises ServersUnavailable when others hold it until deadline."""
    fd = open_lock(path)
    try:
        if not wait_lock(fd, shared=False, deadline=deadline):
            raise ServersUnavailable(f"Another process holds {path} for too long.")
        yield
    finally:
        # Unlock by name: a thread may have forked meanwhile, and the copy would keep the lock.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def same_file(fd: int, path: Path) -> bool:
    """Say whether fd is open and is still what lies at path."""
    try:
        mine, there = os.fstat(fd), path.stat()
    except OSError:
        return False
    return (mine.st_dev, mine.st_ino) == (there.st_dev, there.st_ino)
