"""Telling Redis what was committed: a thread per process, beside whoever committed it.

Redis may vanish and the process may die: what was not told stays in the outbox, from which the job
inbox.relay_unpushed takes it. So nothing is tried twice here, and nobody who publishes ever waits.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connection

from jobs import sql
from notifications.inbox.shapes import Change
from notifications.inbox.window import Window, WindowAway

logger = logging.getLogger(__name__)

MAX_WAITING = 100_000  # changes; what comes beyond is left to the relay
PAUSE_S = 0.5  # after Redis has failed; what comes meanwhile is left to the relay
FORGET_AFTER_S = 0.1  # rows of the outbox are deleted together
IDLE_S = 1.0  # then the connection to the database is given back

# One message of two statements is one transaction. A row that survives a crash is published again.
_FORGET = """
SET LOCAL synchronous_commit = off;
DELETE FROM inbox_outbox WHERE id = ANY (%s)
"""
_CALL_RELAY = "SELECT pg_notify('jobs_wake', 'inbox.relay_unpushed')"


@dataclass(slots=True)
class Batch:
    """The changes of one transaction; made where they are needed, away from who waits for an answer."""

    make: Callable[[], Sequence[Change]]
    size: int
    outbox_id: int | None


class Publisher:
    """The thread and what waits for it. It starts with the first batch, and again in a fork."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start from nothing, as a child does whose parent keeps the thread."""
        self._changed = threading.Condition()
        self._waiting: deque[Batch] = deque()
        self._size = 0
        self._thread: threading.Thread | None = None
        self._is_busy = False
        self._is_stopping = False
        self._window: Window | None = None
        self._away_until: float | None = None  # time.monotonic(); None: not away

    def add(self, batch: Batch) -> None:
        """Hand over. Never blocks and never raises."""
        with self._changed:
            if self._size + batch.size > MAX_WAITING and self._waiting:
                return
            self._waiting.append(batch)
            self._size += batch.size
            if self._thread is None or not self._thread.is_alive():
                self._start()
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything so far was told or left to the relay. False: it takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._waiting or self._is_busy), timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Tell what waits, close the connections, end the thread. The next batch starts it again."""
        with self._changed:
            thread, self._is_stopping = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join(timeout_s)
        with self._changed:
            if self._waiting and thread is not None and not thread.is_alive():
                self._start()  # for what was added while the thread was on its way out

    def _start(self) -> None:
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="inbox-publish", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        told: list[int] = []
        since = 0.0
        try:
            while True:
                wait_s = FORGET_AFTER_S if told else IDLE_S if connection.connection else None
                batches = self._take(wait_s)
                fresh = self._tell(batches)
                if fresh and not told:
                    since = time.monotonic()
                told += fresh
                if told and (not batches or time.monotonic() - since > FORGET_AFTER_S):
                    _ask(_FORGET, told)
                    told = []
                elif not batches:
                    connection.close()
                with self._changed:
                    self._is_busy = bool(told)
                    self._changed.notify_all()
                    if self._is_stopping and not self._waiting and not told:
                        return
        finally:
            connection.close()
            with self._changed:
                self._is_busy = False
                self._away_until = None
                if self._window is not None:
                    self._window.close()
                    self._window = None

    def _take(self, wait_s: float | None) -> list[Batch]:
        """What waits, or nothing when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping, wait_s)
            batches = list(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._is_busy = self._is_busy or bool(batches)
            return batches

    def _tell(self, batches: Sequence[Batch]) -> list[int]:
        """Publish. Returns the rows of the outbox that have served."""
        if not batches or (self._away_until is not None and time.monotonic() < self._away_until):
            return []
        if self._window is None:
            self._window = Window()
        changes = [change for batch in batches for change in batch.make()]
        try:
            self._window.write(changes)
        except WindowAway as exc:
            if self._away_until is None:
                logger.warning("redis is away (%s): what is accepted is published later", exc)
            self._away_until = time.monotonic() + PAUSE_S
            return []
        if self._away_until is not None:
            logger.info("redis is back")
            self._away_until = None
            _ask(_CALL_RELAY)
        return [batch.outbox_id for batch in batches if batch.outbox_id is not None]


def _ask(query: str, *params: object) -> None:
    """What the relay makes good by itself, a little later, if Postgres is away."""
    try:
        sql.run(query, params)
    except (DatabaseError, InterfaceError) as exc:
        logger.warning("the outbox is left to the relay: %s", exc)
        connection.close()


_publisher = Publisher()
os.register_at_fork(after_in_child=_publisher.reset)


def publish(changes: Sequence[Change], outbox_id: int | None = None) -> None:
    """Tell Redis soon, from another thread. Only what is committed: see transaction.on_commit.

    Repeat: whoever knows a position drops it. outbox_id: the row that is deleted afterwards.
    """
    _publisher.add(Batch(lambda: changes, len(changes), outbox_id))


def publish_later(make: Callable[[], Sequence[Change]], size: int, outbox_id: int | None) -> None:
    """As publish, of changes that the other thread makes itself."""
    _publisher.add(Batch(make, size, outbox_id))


def flush(timeout_s: float = 5.0) -> bool:
    """Wait until everything so far was told or left to the relay. False: it takes longer."""
    return _publisher.flush(timeout_s)


@atexit.register
def stop(timeout_s: float = 2.0) -> None:
    """Tell what waits and let go of everything. Published again, it starts again."""
    _publisher.stop(timeout_s)
