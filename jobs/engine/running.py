"""The job that a lane is at, as its beat thread sees it."""

import threading
import time
from typing import Any

from jobs.context import JobContext
from jobs.lease import Lease
from jobs.registry import JobKind


class Running:
    """The job that a lane is at, as the beat thread sees it.

    As a context manager: the time in which its function runs and may be interrupted. Not a moment
    longer: an interrupt amid a commit would leave the connection in nobody knows what state.
    """

    __slots__ = (
        "_lock",
        "context",
        "hard_at",
        "interruptible",
        "kind",
        "lease",
        "since",
        "soft_at",
    )

    def __init__(
        self,
        lease: Lease,
        kind: JobKind[Any] | None,
        context: JobContext,
        timeout_s: float,
        lock: threading.Lock,
    ) -> None:
        self.lease = lease
        self.kind = kind  # None: no such job is declared any more
        self.context = context
        self._lock = lock
        self.since = time.monotonic()
        self.soft_at = self.since + timeout_s
        # Enough for `finally` blocks; then the process is killed.
        self.hard_at = self.soft_at + max(5.0, timeout_s * 0.25)
        self.interruptible = False

    def __enter__(self) -> None:
        self.interruptible = True

    def __exit__(self, *_: object) -> None:
        with self._lock:  # the beat interrupts under this lock, so never later than here
            self.interruptible = False
