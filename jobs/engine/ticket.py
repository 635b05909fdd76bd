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
from multiprocessing.util import Finalize
from threading import Event
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from jobs import stats
from jobs.engine.beat import Beat
from jobs.engine.connections import connection_reset
from jobs.engine.lane import Lane
from jobs.engine.threads import ThreadLanes
from jobs.errors import JobTimeout
from jobs.lease import leases_of, leases_release
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
        self.alone = Lane("alone", self.id, [], slot)
        self.main = Lane("main", self.id, inline, slot, alone=self.alone) if inline else None
        self.threads = ThreadLanes(size, self.id, threaded, slot, self.alone) if threaded else None
        self.own_lanes = [lane for lane in (self.main, self.alone) if lane]
        self.lanes = self.own_lanes + (self.threads.lanes if self.threads else [])
        self.beat = Beat(self.id, self.lanes, slot)
        self.is_unsure = False  # a ticket failed: there may be leases that we do not know
        self._main_first = True  # which lanes are asked first
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
        # However it ends, short of a kill: stopped, recycled by django-q2.
        Finalize(None, self._say_goodbye, exitpriority=10)

    def _say_goodbye(self) -> None:
        close_old_connections()
        try:
            worker_gone(self.id, "stopped" if self.beat.stopping.is_set() else "recycled")
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("a worker ended without a word: %s", _first_line(exc))

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        """The beat thread rang: raise its reason inside the job, if that is still running."""
        for lane in self.own_lanes:
            running = lane.running
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
            if self.is_unsure:
                self._recover()
            self._work(until=time.monotonic() + TICKET_S)
        finally:
            if self.threads:
                self.threads.drain()
            self.beat.active -= 1

    def _recover(self) -> None:
        """Give back what was leased to us in an answer that never arrived."""
        if any(lane.writers for lane in self.lanes):
            return  # somebody is just giving back; the next ticket asks again
        held = {lease.id for lane in self.lanes for lease in lane.held()}
        unknown = [lease for lease in leases_of(self.id) if lease.id not in held]
        if unknown:
            leases_release(unknown)
        self.is_unsure = False

    def _work(self, until: float) -> None:
        main, threads = _Question(), _Question()
        while True:
            late, stopping = time.monotonic() >= until, self.beat.stopping.is_set()
            found = 0
            if stopping and self.main:
                self.main.settle()
            elif not stopping:
                # A suspect waits until no thread has a job; nobody else waits for that.
                found = self._ask(main, None if late or self.alone.is_loaded else threads)
            if self.alone.is_loaded and (stopping or not (self.threads and self.threads.is_busy)):
                self.alone.run([], self.beat.stopping)
                threads.again = True
            if self.threads and self.threads.is_busy:
                if self.threads.collect(0 if found else GLANCE_S):
                    threads.again = True
            elif not found or late or stopping:
                if self.main:
                    self.main.settle()
                return

    def _ask(self, main: "_Question", threads: "_Question | None") -> int:
        """Let the lanes look for jobs. First those that found some last: likely they do again."""
        now, wakes = time.monotonic(), memory.current.wakes if memory.current else 0
        of_main = of_threads = 0
        if self.main and self._main_first:
            of_main = main.ask(self.main.turn, self.beat.stopping, wakes, now)
        if threads and self.threads and self.threads.has_room:
            of_threads = threads.ask(self.threads.turn, self.beat.stopping, wakes, now)
        if self.main and not self._main_first:
            of_main = main.ask(self.main.turn, self.beat.stopping, wakes, now)
        if bool(of_main) != bool(of_threads):
            self._main_first = bool(of_main)
        return of_main + of_threads


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
    slot = memory.own
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
        # The next ticket finds the database again, and gives back what we do not know we have.
        logger.warning("the database failed during a ticket: %s", _first_line(exc))
        _after_failure()
    except Exception:
        logger.exception("a ticket failed; the jobs it held come back by their leases")
        _after_failure()
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


def _after_failure() -> None:
    connection_reset()
    if _process is not None:
        _process.is_unsure = True
    time.sleep(PAUSE_S)


def _first_line(exc: BaseException) -> str:
    return f"{type(exc).__name__}: {exc}".split("\n", 1)[0][:200]
