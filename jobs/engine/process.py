"""What every process of the pool that runs jobs has: an id, a slot, lanes, and a beat thread."""

import logging
import os
import signal
import socket
import time
import uuid
from abc import ABC, abstractmethod
from multiprocessing.util import Finalize
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from jobs.ending import leases_release
from jobs.engine.beat import Beat
from jobs.engine.lane import Lane
from jobs.errors import JobTimeout
from jobs.lease import leases_of
from jobs.pool import memory
from jobs.workers import worker_gone, worker_start

logger = logging.getLogger("jobs.engine")


class JobProcess(ABC):
    """Made once per process, in its main thread, and kept until it ends."""

    farewell = "recycled"  # why it ends, unless the pool stops

    def __init__(self, slot: memory.Slot | None) -> None:
        self.id = f"{settings.POD_ID}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.slot = slot
        self.lanes = self.make_lanes()
        self.beat = Beat(self.id, self.lanes, slot)
        self.is_unsure = False  # the database failed: there may be leases that we do not know
        if slot is not None:
            slot.name = self.id.encode()
            slot.beat = time.monotonic()
        worker_start(
            self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=settings.JOBS["queues"],
            cluster=f"{settings.POD_ID}:{os.getppid()}",
        )
        self.beat.start()
        # However it ends, short of a kill: stopped, recycled by django-q2.
        Finalize(None, self._say_goodbye, exitpriority=10)

    @abstractmethod
    def make_lanes(self) -> list[Lane]:
        """All lanes. The first is served by the main thread, the others by threads."""

    def _say_goodbye(self) -> None:
        close_old_connections()
        try:
            worker_gone(self.id, "stopped" if self.beat.stopping.is_set() else self.farewell)
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("a worker ended without a word: %s", first_line(exc))

    def listen(self) -> None:
        """Let the beat interrupt the job of the main thread."""
        # Each time: django-q2 puts its own handler there for the time of a ticket.
        signal.signal(signal.SIGALRM, self._alarm)

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        """The beat thread rang: raise its reason inside the job, if that is still running."""
        running = self.lanes[0].running
        if running is not None and running.interruptible:
            running.interruptible = False
            raise running.context.interrupt or JobTimeout()

    def recover(self) -> None:
        """Give back what was leased to us in an answer that never arrived."""
        if any(lane.writers for lane in self.lanes):
            return  # somebody is just giving back; next time
        held = {lease.id for lane in self.lanes for lease in lane.held()}
        unknown = [lease for lease in leases_of(self.id) if lease.id not in held]
        if unknown:
            leases_release(unknown)
        self.is_unsure = False


def first_line(exc: BaseException) -> str:
    """What to log of a database error."""
    return f"{type(exc).__name__}: {exc}".split("\n", 1)[0][:200]
