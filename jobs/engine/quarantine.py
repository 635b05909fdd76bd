"""A process of its own for jobs whose worker once died: one of them at a time, and nothing beside it.

If it dies again, it is plain who did it; nobody else pays, and nobody else waits. The sentinel starts
such a process where suspects are due (jobs/pool/cluster.py); it ends by itself when there are no more.
"""

import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from setproctitle import setproctitle

from jobs import stats
from jobs.engine.connections import connection_reset
from jobs.engine.lane import Lane
from jobs.engine.process import JobProcess, first_line
from jobs.lease import Lease, suspects_lease
from jobs.pool import memory

logger = logging.getLogger("jobs.engine")

LINGER_S = 5.0  # without a suspect
GLANCE_S = 0.1
PAUSE_S = 0.5  # after the database failed


class SuspectLane(Lane):
    """Takes jobs whose worker once died, of all queues of the pool."""

    def _lease(self) -> list[Lease]:
        self.settle()
        return suspects_lease(queues=self.queues, limit=1, worker=self.worker_id)


class QuarantineProcess(JobProcess):
    """Serves suspects until none has come for a while, or the pool stops."""

    farewell = "the quarantine is empty"

    def make_lanes(self) -> list[Lane]:
        return [SuspectLane("suspects", self.id, list(settings.JOBS["queues"]), self.slot)]

    def serve(self) -> None:
        """Returns when there is nothing left to do."""
        lane, stopping, nobody = self.lanes[0], self.beat.stopping, threading.Event()
        self.listen()
        self.beat.active = 1
        self.beat.wake.set()
        idle_since = time.monotonic()
        while not stopping.is_set() and time.monotonic() - idle_since < LINGER_S:
            try:
                if self.is_unsure:
                    self.recover()
                found = lane.turn(stopping) if self._is_wanted() else 0
                lane.settle()
            except (DatabaseError, InterfaceError) as exc:
                logger.warning("the database failed under a suspect: %s", first_line(exc))
                connection_reset()
                self.is_unsure = True
                nobody.wait(PAUSE_S)
                continue
            if found:
                idle_since = time.monotonic()
            else:
                nobody.wait(GLANCE_S)

    def _is_wanted(self) -> bool:
        return self.lanes[0].is_loaded or memory.current is None or memory.current.suspects > 0


def quarantine() -> None:
    """The main function of such a process. Raises nothing that the sentinel would have to handle."""
    setproctitle("qcluster Process-quarantine")
    stats.forget_after_fork()
    try:
        QuarantineProcess(memory.own).serve()
    except (DatabaseError, InterfaceError) as exc:
        logger.warning("the database failed at the start of a quarantine: %s", first_line(exc))
