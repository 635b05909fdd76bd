"""Telling Redis what was committed: a thread per process, beside whoever committed it.

Redis may vanish and the process may die: what was not told stays in the outbox, from which the job
inbox.relay_unpushed takes it. So nothing is tried twice here, and nobody who publishes ever waits.
"""

import atexit
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, connection

from jobs import sql
from lib.clerk import Clerk
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


class Publisher(Clerk[Batch]):
    """Tells what was added, and forgets the rows of the outbox that have served a little later."""

    name = "inbox-publish"

    def reset(self) -> None:
        """Start from nothing, as a child does whose parent keeps the thread."""
        super().reset()
        self._size = 0
        self._told: list[int] = []  # rows of the outbox
        self._told_since = 0.0  # time.monotonic()
        self._window: Window | None = None
        self._away_until: float | None = None  # time.monotonic(); None: not away

    def add(self, piece: Batch) -> None:
        """Hand over. Never blocks and never raises."""
        with self._changed:
            if self._size + piece.size > MAX_WAITING and self._waiting:
                return
            self._size += piece.size
            super().add(piece)

    def _pick(self) -> list[Batch]:
        self._size = 0
        return super()._pick()

    def _turn(self) -> bool:
        batches = self._take(
            FORGET_AFTER_S if self._told else IDLE_S if connection.connection else None
        )
        fresh = self._tell(batches)
        if fresh and not self._told:
            self._told_since = time.monotonic()
        self._told += fresh
        if self._told:
            if not batches or time.monotonic() - self._told_since > FORGET_AFTER_S:
                _ask(_FORGET, self._told)
                self._told = []
        elif not batches:
            connection.close()
        return not self._told

    def _close(self) -> None:
        connection.close()
        self._told = []
        self._away_until = None
        if self._window is not None:
            self._window.close()
            self._window = None

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
