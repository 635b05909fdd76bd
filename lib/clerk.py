"""A thread per process that does together what others hand over one by one.

While it is busy the next pieces gather, so what it does at once is as large as the load asks for.
"""

import threading
from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class Clerk(ABC, Generic[Piece]):
    """The thread and what waits for it. It starts with the first piece, and again after a stop.

    For a fork, whoever makes a clerk registers its `reset`. Locks: `_changed`, which may be taken
    again by who holds it; `_turn` and `_close` are called without.
    """

    name: str  # of the thread

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start from nothing, as a child does whose parent keeps the thread."""
        self._changed = threading.Condition()
        self._waiting: deque[Piece] = deque()
        self._thread: threading.Thread | None = None
        self._is_busy = False
        self._is_stopping = False

    def add(self, piece: Piece) -> None:
        """Hand over. Never waits for the work."""
        with self._changed:
            self._waiting.append(piece)
            if self._thread is None:
                self._start()
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything so far is done. False: it takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._is_busy), timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Do what waits and end the thread. What is added later starts it again."""
        with self._changed:
            thread, self._is_stopping = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)

    @abstractmethod
    def _turn(self) -> bool:
        """Take and do. Returns whether all is done that was ever taken."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of what the thread holds: it ends."""

    def _take(self, wait_s: float | None) -> list[Piece]:
        """What is done together; nothing when the time is over (None: never) or it is to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping, wait_s)
            pieces = self._pick()
            self._is_busy = self._is_busy or bool(pieces)
            return pieces

    def _pick(self) -> list[Piece]:
        """Out of `_waiting`, under the lock: all of it."""
        pieces = list(self._waiting)
        self._waiting.clear()
        return pieces

    def _start(self) -> None:
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            with self._changed:
                self._thread, self._is_busy = None, False
                if self._waiting:
                    self._start()  # for what was added while this thread was on its way out
                self._changed.notify_all()

    def _work(self) -> None:
        try:
            is_over = False
            while not is_over:
                is_done = self._turn()
                with self._changed:
                    self._is_busy = not is_done
                    self._changed.notify_all()
                    is_over = self._is_stopping and is_done and not self._waiting
        finally:
            self._close()
