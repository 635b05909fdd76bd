"""What django-q2 runs: a work ticket. It leases from the table until there is nothing left to do.

A ticket returns after about two seconds, so that django-q2 can recycle and stop its workers between
two of them; jobs in threads prolong it. Tickets carry nothing; losing or doubling one is harmless.
"""

import logging
import os
import resource
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django_q.conf import Conf

from jobs import stats
from jobs.engine.connections import connection_reset
from jobs.engine.feeder import Feeder
from jobs.engine.lane import Lane
from jobs.engine.process import JobProcess, first_line
from jobs.engine.question import GLANCE_S, Question
from jobs.engine.threads import ThreadLanes
from jobs.pool import memory
from jobs.workers import worker_gone

logger = logging.getLogger("jobs.engine")

TICKET_S = 2.0
PAUSE_S = 0.5  # after a failed ticket, so that a broken database is not stormed


class WorkerProcess(JobProcess):
    """A worker of django-q2: a main lane, and lanes in threads for queues that wait for the network."""

    main: Lane | None = None
    threads: ThreadLanes | None = None

    def __init__(self, slot: memory.Slot | None) -> None:
        super().__init__(slot)
        self._main_first = True  # which lanes are asked first
        self._feeder: Feeder | None = None
        if self.main and self.threads:
            self._feeder = Feeder(self.threads, self.main.long, self.beat.stopping, self._doubt)
            self._feeder.start()

    def make_lanes(self) -> list[Lane]:
        queues, size = settings.JOBS["queues"], settings.JOBS["threads"]
        threaded = [name for name in queues if size and name in settings.JOBS["threaded_queues"]]
        inline = [name for name in queues if name not in threaded]
        lanes: list[Lane] = []
        if inline:
            self.main = Lane("main", self.id, inline, self.slot, spare=True)
            lanes.append(self.main)
        if threaded:
            self.threads = ThreadLanes(size, self.id, threaded, self.slot)
            lanes += self.threads.lanes
        return lanes

    def _doubt(self) -> None:
        self.is_unsure = True

    def work(self) -> None:
        """One ticket. While threads have jobs, the main lane goes on serving, and the threads too."""
        self.listen()
        self.beat.active += 1
        self.beat.wake.set()
        try:
            if self.is_unsure:
                self.recover()
            if self._feeder:
                self._feeder.begin()
            self._work(until=time.monotonic() + TICKET_S)
        finally:
            if self._feeder:
                self._feeder.end()
            if self.threads:
                self.threads.drain()
            self.beat.active -= 1

    def _work(self, until: float) -> None:
        main, threads = Question(), Question()
        while True:
            late, stopping = time.monotonic() >= until, self.beat.stopping.is_set()
            found = 0
            if stopping and self.main:
                self.main.settle()
            elif not stopping:
                # New jobs for threads prolong the ticket, as long as nobody waits for its end.
                found = self._ask(main, None if late and self._is_to_end() else threads)
            if self.threads and self.threads.is_busy:
                if self.threads.collect(0 if found else GLANCE_S):
                    threads.again = True
            elif not found or late or stopping:
                if self.main:
                    self.main.settle()
                return

    def _is_to_end(self) -> bool:
        """Does somebody wait for a ticket to end, to retire this worker or to put a slim one here?"""
        if self.slot is not None and self.slot.is_retiring:
            return True
        return bool(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > Conf.MAX_RSS)

    def _ask(self, main: Question, threads: Question | None) -> int:
        """Let the lanes look for jobs. First those that found some last: likely they do again."""
        of_main = of_threads = 0
        if self.main and self._main_first:
            of_main = self._ask_main(main)
        if threads and self.threads and self.threads.has_room:
            of_threads = threads.ask(self.threads.turn, self.beat.stopping)
        if self.main and not self._main_first:
            of_main = self._ask_main(main)
        if bool(of_main) != bool(of_threads):
            self._main_first = bool(of_main)
        return of_main + of_threads

    def _ask_main(self, main: Question) -> int:
        assert self.main
        found = main.ask(self.main.turn, self.beat.stopping)
        if self._feeder:
            self._feeder.rest()
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
        logger.warning("the database failed during a ticket: %s", first_line(exc))
        _after_failure()
    except Exception:
        logger.exception("a ticket failed; the jobs it held come back by their leases")
        _after_failure()
    finally:
        if slot is not None:
            # Jobs in threads prolong a ticket: its end is as good a sign of life as its beginning.
            slot.ticket_at, slot.busy = time.monotonic(), 0
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
