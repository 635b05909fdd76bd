"""Where something happened, until the window closes. Filled by a thread of watchfiles."""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lib import clock

MOST = 5_000  # paths; beyond them one look at everything is cheaper, and memory stays as it is
LONGEST_WINDOWS = 10  # of its debounces a window may stay open while more and more happens
LONGEST_LEAST_S = 5.0


@dataclass(frozen=True, slots=True)
class Window:
    """What a look is to look at. paths None: everything."""

    paths: frozenset[str] | None
    opened_at: datetime


class Hints:
    """A trailing debounce: the window closes when nothing has happened for so long, and in any case
    after LONGEST_WINDOWS times that (at least LONGEST_LEAST_S). Safe between threads."""

    def __init__(self, debounce_ms: int, wake: threading.Event) -> None:
        self._debounce_s = debounce_ms / 1000
        self._most_s = max(LONGEST_LEAST_S, LONGEST_WINDOWS * self._debounce_s)
        self._wake = wake
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._is_whole = False
        self._first = self._last = 0.0  # monotonic; 0: nothing happened
        self._opened_at = clock.now()

    def add(self, paths: Iterable[str]) -> None:
        """Something happened at these relative paths ("" is the directory itself)."""
        with self._lock:
            if not self._is_whole:
                self._paths.update(paths)
                if len(self._paths) > MOST:
                    self._is_whole, self._paths = True, set()
            self._touch()
        self._wake.set()

    def add_whole(self, *, at_once: bool = False) -> None:
        """Nobody knows where something happened. at_once: without waiting for the window."""
        with self._lock:
            self._is_whole, self._paths = True, set()
            self._touch()
            if at_once:
                self._last = self._first = time.monotonic() - self._most_s
        self._wake.set()

    def _touch(self) -> None:
        now = time.monotonic()
        if not self._first:
            self._first, self._opened_at = now, clock.now()
        self._last = now

    @property
    def due_at(self) -> float | None:
        """When the window closes (time.monotonic()); None: nothing happened."""
        with self._lock:
            if not self._first:
                return None
            return min(self._last + self._debounce_s, self._first + self._most_s)

    def take(self) -> Window:
        """Close the window and begin anew."""
        with self._lock:
            window = Window(None if self._is_whole else frozenset(self._paths), self._opened_at)
            self._paths, self._is_whole, self._first = set(), False, 0.0
            return window
