"""Asking the database for jobs, but not again while nothing can have changed."""

import time
from collections.abc import Callable
from threading import Event

from jobs.pool import memory

GLANCE_S = 0.01  # how often a worker that waits for its threads looks whether the pool was woken
ANYWAY_S = 1.0  # and when it asks the database all the same


class Question:
    """Remembers the last answer of one asker."""

    def __init__(self) -> None:
        self.again = True
        self._wakes = 0
        self._asked_at = 0.0

    def ask(self, turn: Callable[[Event], int], stopping: Event) -> int:
        """How many jobs a turn found; 0 without a turn if the last one found nothing and all is as it was."""
        now, wakes = time.monotonic(), memory.current.wakes if memory.current else 0
        if not (self.again or wakes != self._wakes or now - self._asked_at > ANYWAY_S):
            return 0
        self._wakes, self._asked_at = wakes, now
        found = turn(stopping)
        self.again = found > 0
        return found
