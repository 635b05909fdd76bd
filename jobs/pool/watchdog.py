"""The parent of the pool: starts it, watches it, heals it, stops it.

It holds no database connection and takes no part in the work, so there is little that can stop it.
Signals only set a flag (a handler that waits can deadlock: django-q2 #346).
"""

import gc
import logging
import os
import signal
import time
from types import FrameType

from django.conf import settings

from jobs.pool import memory
from jobs.pool.cluster import HealingCluster
from jobs.pool.exposition import serve_metrics
from jobs.pool.health import pool_ails

logger = logging.getLogger("jobs.pool")

ROUND_S = 0.25
START_S = 60.0  # forking and connecting may take long on a loaded machine
LONGEST_PAUSE_S = 5.0  # between two starts of a pool that dies at once, as without its database


class Watchdog:
    """Runs a pool until it is told to stop."""

    def __init__(self, workers: int) -> None:
        self.memory = memory.PoolMemory(workers, settings.JOBS["scale_max"])
        memory.set_current(self.memory)
        self.cluster = HealingCluster(self.memory)
        # An Event's lock may be held by the very thread that handles the signal.
        self._stop = memory.Flag()
        self._born_at = time.monotonic()
        self._started_at = self._patient_until = self._round_at = self._born_at
        self._pause_s = 0.0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def run(self) -> int:
        """Until SIGTERM or SIGINT. Returns the exit status."""
        # What the children inherit stays shared memory only while nobody writes to it, and a collector
        # that walks over it does: a worker had 76 MB of its own, without that 36 (2026-11).
        gc.collect()
        gc.freeze()
        self._start()
        if settings.METRICS_PORT:
            serve_metrics(settings.METRICS_PORT, self.memory, self.ails)
        while not self._stop.wait(ROUND_S):
            if (reason := self._trouble()) is not None:
                self.memory.count_restart()
                logger.error(
                    "the pool is started anew: %s", reason, extra={"restarts": self.memory.restarts}
                )
                self._bury_all()
                self._stop.wait(self._pause())
                self._start()
        return self._end()

    def ails(self) -> str | None:
        """What is wrong with the pool that the watchdog cannot heal; for its health check."""
        return pool_ails(
            self.memory,
            now=time.monotonic(),
            started_at=self._born_at,
            round_at=self._round_at,
            patience_s=settings.JOBS["watchdog"].total_seconds(),
        )

    def _pause(self) -> float:
        """Seconds to wait before a start: none after a long life, more after each short one."""
        lived_s = time.monotonic() - self._started_at
        self._pause_s = 0.0 if lived_s > START_S else min(self._pause_s * 2 + 0.25, LONGEST_PAUSE_S)
        return self._pause_s

    def _start(self) -> None:
        self._started_at = self._round_at = time.monotonic()
        self._patient_until = self._started_at + settings.JOBS["watchdog"].total_seconds()
        self.memory.beat_guard()
        self.memory.beat_pusher(0)
        self.cluster.start()

    def _trouble(self) -> str | None:
        """What is wrong with the pool as a whole; mends single workers on the way."""
        now = time.monotonic()
        limit = settings.JOBS["watchdog"].total_seconds()
        frozen_s, self._round_at = now - self._round_at, now
        if not self.cluster.sentinel.is_alive():
            return "its sentinel is gone"
        if frozen_s > limit / 3:
            # We did not run ourselves (a paused container): their silence means nothing yet.
            self._patient_until = now + limit
        if now < self._patient_until:
            return None
        if now - self.memory.guard_beat > limit:
            return "its sentinel is silent"
        if (reason := self._trouble_of_pusher(now, limit)) is not None:
            return reason
        newest = self._patient_until - limit
        for _, slot in self.memory.slots():
            pid = slot.pid
            if not pid:
                continue
            newest = max(newest, slot.ticket_at)
            if slot.name and now - slot.beat > limit:
                logger.error(
                    "a worker is silent and is killed",
                    extra={"worker": slot.worker_id(), "pid": pid},
                )
                _kill(pid)
        # The pusher hands out a ticket every five seconds, if only as a probe.
        if self.memory.idle() and now - newest > limit + 10:
            return "idle workers take no tickets"
        return None

    def _trouble_of_pusher(self, now: float, limit: float) -> str | None:
        """Replace a silent pusher, which harms no job; if no other comes up, that is trouble."""
        silent_s, pid = now - self.memory.pusher_beat, self.memory.pusher_pid
        if pid and silent_s > limit:
            logger.error("the pusher is silent and is killed", extra={"pid": pid})
            _kill(pid)
            self.memory.beat_pusher(0)  # the sentinel starts another
        return "its pusher is silent" if silent_s > START_S else None

    def _bury_all(self) -> None:
        self.cluster.kill()
        for index, slot in self.memory.slots():
            if slot.pid or slot.is_dead:
                if slot.worker_id():
                    slot.pid, slot.is_dead = 0, 1
                else:
                    self.memory.clear(index)
        self.memory.forget_outstanding()

    def _end(self) -> int:
        """No new leases; running jobs get the grace; the rest go back unspent."""
        grace = settings.JOBS["grace"].total_seconds()
        logger.info("pool stops: running jobs have %.0f s", grace)
        self.memory.order = memory.QUIET
        self.cluster.tell_to_stop()
        sentinel = self.cluster.sentinel
        sentinel.join(grace)
        if sentinel.is_alive():
            self.memory.order = memory.GIVE_BACK
            sentinel.join(5.0)
        if sentinel.is_alive():
            self.cluster.kill()
            return 1
        logger.info("pool has stopped")
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
