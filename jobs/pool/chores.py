"""What the pusher does about once a second besides handing out tickets.

Every cluster does all of it; rows are claimed with SKIP LOCKED or moved by conditional updates, so no
leader is needed. Cost: three or four small queries a second.
"""

import logging
import time
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from jobs.lease import Reaped, leases_reap
from jobs.lines import lines_wake
from jobs.pool.looks import work_look
from jobs.pool.memory import PoolMemory
from jobs.scale import workers_wanted
from jobs.schedules import schedules_fire
from jobs.workers import worker_gone

logger = logging.getLogger("jobs.pool")

EVERY_S = 1.0
REAP_S = 2.0  # an expired lease is given again within five seconds
SCALE_S = 10.0
LOOK_S = 5.0  # between two looks whether there is work for kinds that declare where it lies


class Chores:
    """Remembers when each was last done."""

    def __init__(self, pool: PoolMemory) -> None:
        self._pool = pool
        self._next_at = self._scale_at = self._reap_at = self._look_at = 0.0

    def run(self) -> None:
        """Do what is due. Raises database errors; the pusher waits and comes again."""
        self._bury_workers()
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + EVERY_S
        for chore in (self._reap, lines_wake, schedules_fire, self._look, self._scale):
            try:
                chore()
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                # The others must be done, and tickets handed out, whatever is wrong with one.
                logger.exception("a chore failed: %s", chore.__name__)

    def _reap(self) -> None:
        """Leases that ran out. What our own workers are at we know, also before they are buried."""
        if time.monotonic() < self._reap_at:
            return
        self._reap_at = time.monotonic() + REAP_S
        known: list[str] = []
        culprits: list[UUID] = []
        alive_since = time.monotonic() - settings.JOBS["lease"].total_seconds() / 2
        for _, slot in self._pool.slots():
            if worker_id := slot.worker_id():
                known.append(worker_id)
                # One that beats has not died: Postgres was away for longer than its leases.
                if slot.blamed or slot.is_dead or slot.beat < alive_since:
                    culprits += slot.culprits()
        _tell(leases_reap(known=known, culprits=culprits))

    def _look(self) -> None:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_S
            work_look()

    def _scale(self) -> None:
        now = time.monotonic()
        if settings.JOBS["scale_max"] and now >= self._scale_at:
            self._scale_at = now + SCALE_S
            self._pool.wanted = workers_wanted()

    def _bury_workers(self) -> None:
        """Take back at once what dead workers of this cluster held, instead of at the end of a lease."""
        for index, slot in self._pool.slots():
            if not slot.is_dead:
                continue
            worker_id = slot.worker_id()
            if worker_id:
                _tell(leases_reap(worker=worker_id, known=[worker_id], culprits=slot.culprits()))
                worker_gone(worker_id, "died")
            self._pool.clear(index)


def _tell(reaped: list[Reaped]) -> None:
    for job in reaped:
        level = logging.ERROR if job.outcome == "dead" else logging.WARNING
        logger.log(
            level,
            "job %s: its worker is gone",
            job.outcome,
            extra={
                "job_id": str(job.id), "kind": job.kind, "queue": job.queue, "worker": job.worker,
                "outcome": job.outcome,
            },
        )  # fmt: skip
