"""What django-q2 runs: a work ticket. It leases from the table until there is nothing left to do.

A ticket returns after about two seconds, so that django-q2 can recycle and stop its workers between
two of them. Tickets carry nothing; losing or doubling one is harmless.
"""

import logging
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable
from threading import Event
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from jobs import stats
from jobs.engine.beat import Beat
from jobs.engine.lane import Lane
from jobs.engine.threads import ThreadLanes
from jobs.errors import JobTimeout
from jobs.pool import memory
from jobs.workers import worker_gone, worker_start

logger = logging.getLogger("jobs.engine")

TICKET_S = 2.0
PAUSE_S = 0.5  # after a failed ticket, so that a broken database is not stormed
GLANCE_S = 0.01  # how often a worker that waits for its threads looks whether the pool was woken
ANYWAY_S = 1.0  # and when it asks the database all the same


class WorkerProcess:
    """The lanes and the beat of this process, made at its first ticket and kept."""

    def __init__(self, slot: memory.Slot | None) -> None:
        self.id = f"{settings.POD_ID}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.slot = slot
        queues, size = settings.JOBS["queues"], settings.JOBS["threads"]
        threaded = [name for name in queues if size and name in settings.JOBS["threaded_queues"]]
        inline = [name for name in queues if name not in threaded]
        self.main = Lane("main", self.id, inline, slot) if inline else None
        self.threads = ThreadLanes(size, self.id, threaded) if threaded else None
        lanes = [self.main] if self.main else []
        self.beat = Beat(self.id, lanes + (self.threads.lanes if self.threads else []), slot)
        if slot is not None:
            slot.name = self.id.encode()
            slot.beat = time.monotonic()
        worker_start(
            self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=queues,
            cluster=f"{settings.POD_ID}:{os.getppid()}",
        )
        self.beat.start()

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        """The beat thread rang: raise its reason inside the job, if that is still running."""
        running = self.main.running if self.main else None
        if running is not None and running.interruptible:
            running.interruptible = False
            raise running.context.interrupt or JobTimeout()

    def work(self) -> None:
        """One ticket. Jobs in threads prolong it; the main lane goes on serving meanwhile."""
        # Each time: django-q2 puts its own handler there for the time of a ticket.
        signal.signal(signal.SIGALRM, self._alarm)
        self.beat.active += 1
        self.beat.wake.set()
        try:
            self._work(until=time.monotonic() + TICKET_S)
        finally:
            if self.threads:
                self.threads.drain()
            self.beat.active -= 1

    def _work(self, until: float) -> None:
        main, threads = _Question(), _Question()
        while True:
            now = time.monotonic()
            late, stopping = now >= until, self.beat.stopping.is_set()
            wakes = memory.current.wakes if memory.current else 0
            found = 0
            if self.threads and self.threads.has_room and not (late or stopping):
                found += threads.ask(self.threads.turn, self.beat.stopping, wakes, now)
            if self.main and not stopping:
                found += main.ask(self.main.turn, self.beat.stopping, wakes, now)
            if self.threads and self.threads.is_busy:
                if self.threads.collect(0 if found else GLANCE_S):
                    threads.again = True
            elif not found or late or stopping:
                return


class _Question:
    """Asks the database for jobs of a lane, but not again while nothing can have changed."""

    def __init__(self) -> None:
        self.again = True
        self._wakes = 0
        self._asked_at = 0.0

    def ask(self, turn: Callable[[Event], int], stopping: Event, wakes: int, now: float) -> int:
        """How many jobs a turn found; 0 without a turn if the last one found nothing and all is as it was."""
        if not (self.again or wakes != self._wakes or now - self._asked_at > ANYWAY_S):
            return 0
        self._wakes, self._asked_at = wakes, now
        found = turn(stopping)
        self.again = found > 0
        return found


_process: WorkerProcess | None = None


def work() -> None:
    """Run one ticket in this process. Never raises: the pool must not care how jobs end."""
    global _process  # noqa: PLW0603 - one per process
    slot = _own_slot()
    if slot is not None:
        slot.tickets += 1
        slot.ticket_at = slot.beat = time.monotonic()
        slot.busy = 1
    try:
        if _process is None:
            stats.forget_after_fork()
            _process = WorkerProcess(slot)
        _process.work()
    except (DatabaseError, InterfaceError) as exc:
        # What was leased comes back by its lease; the next ticket finds the database again.
        logger.warning("the database failed during a ticket: %s", _first_line(exc))
        connection.close()
        time.sleep(PAUSE_S)
    except Exception:
        logger.exception("a ticket failed; the jobs it held come back by their leases")
        connection.close()
        time.sleep(PAUSE_S)
    finally:
        if slot is not None:
            slot.busy = 0
            if slot.is_retiring:
                _retire()


def _retire() -> None:
    """The pool shrinks: end between two tickets, when nothing is held."""
    if _process is not None:
        worker_gone(_process.id, "retired")
    logging.shutdown()
    os._exit(0)


def _first_line(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}".split("\n", 1)[0][:200]


def _own_slot() -> memory.Slot | None:
    pool = memory.current
    if pool is None:
        return None
    pid = os.getpid()
    for _, slot in pool.slots():
        if slot.pid == pid:
            return slot
    return None
