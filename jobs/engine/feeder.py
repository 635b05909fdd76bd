"""Jobs for the threads while the main thread is at a long one of its own and cannot lease for them.

Without it a report of ten minutes would keep this process from sending messages for ten minutes.
"""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection

from jobs.engine.connections import connection_reset
from jobs.engine.question import GLANCE_S, Question
from jobs.engine.threads import ThreadLanes

logger = logging.getLogger("jobs.engine")

PAUSE_S = 0.5  # after the database failed


class Feeder(threading.Thread):
    """Sleeps until the beat sets `wanted`; leases between `begin` and `end` only.

    on_failure: called when the database failed, so that there may be leases that nobody knows.
    """

    def __init__(
        self,
        threads: ThreadLanes,
        wanted: threading.Event,
        stopping: threading.Event,
        on_failure: Callable[[], None],
    ) -> None:
        super().__init__(name="feeder", daemon=True)
        self._threads = threads
        self._wanted = wanted
        self._stopping = stopping
        self._on_failure = on_failure
        self._lock = threading.Lock()  # held by it while it leases
        self._in_ticket = False
        self._pause = threading.Event()  # never set

    def begin(self) -> None:
        """A ticket begins."""
        self._in_ticket = True

    def rest(self) -> None:
        """The main thread leases again. Returns when the feeder is not in the middle of it."""
        if self._wanted.is_set():
            with self._lock:
                self._wanted.clear()

    def end(self) -> None:
        """The ticket is over: nothing is leased from here on."""
        with self._lock:
            self._in_ticket = False
            self._wanted.clear()

    def run(self) -> None:
        while True:
            self._wanted.wait()
            question, pause_s = Question(), GLANCE_S
            while self._wanted.is_set():
                try:
                    self._feed(question)
                except (DatabaseError, InterfaceError) as exc:
                    logger.warning("threads get no jobs: %s", type(exc).__name__)
                    self._on_failure()
                    connection_reset()
                    pause_s = PAUSE_S
                except Exception:
                    logger.exception("threads get no jobs")
                    pause_s = PAUSE_S
                self._pause.wait(pause_s)
                pause_s = GLANCE_S
            connection.close_if_unusable_or_obsolete()

    def _feed(self, question: Question) -> None:
        with self._lock:
            if not (self._in_ticket and self._wanted.is_set()):
                return
            if self._threads.is_busy and self._threads.collect(0):
                question.again = True
            if self._threads.has_room and not self._stopping.is_set():
                question.ask(self._threads.turn, self._stopping)
