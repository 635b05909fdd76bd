"""The beat thread of a worker process: keeps leases alive, delivers cancels and time limits, lets go
of what waits behind a long job, tells that the worker lives.

It is the only one that speaks for a lane while the lane runs a job. A worker whose beat stops is
replaced by the watchdog.
"""

import ctypes
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from uuid import UUID

import psutil
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from jobs import errors
from jobs.ending import leases_release
from jobs.engine.attempt import progress_flush
from jobs.engine.ends import ends_write
from jobs.engine.lane import Lane
from jobs.engine.running import Running
from jobs.lease import Lease, leases_extend, leases_look
from jobs.pool import memory
from jobs.workers import worker_beat

logger = logging.getLogger("jobs.engine")

TICK_S = 0.25
LOOK_S = 1.0  # how soon a cancel and progress get through
IDLE_S = 5.0  # or a third of the watchdog's patience, if that is shorter
TELL_S = 10.0


class Beat(threading.Thread):
    """Runs as long as its process. `wake` is set by the lanes when a ticket begins."""

    def __init__(self, worker_id: str, lanes: list[Lane], slot: memory.Slot | None) -> None:
        super().__init__(name="beat", daemon=True)
        self.worker_id = worker_id
        self.lanes = lanes
        self.slot = slot
        self.wake = threading.Event()
        self.stopping = threading.Event()  # read by the lanes: lease no more
        self.active = 0  # tickets in work
        self._looked = self._extended = 0.0
        self._told = time.monotonic()
        self._process = psutil.Process()
        self._idle_s = min(IDLE_S, settings.JOBS["watchdog"].total_seconds() / 3)

    def run(self) -> None:
        """Tick often while there is work, seldom while there is none."""
        while True:
            self.wake.wait(TICK_S if self.active else self._idle_s)
            self.wake.clear()
            if self.slot is not None:
                self.slot.beat = time.monotonic()
            try:
                self._tick()
            except (DatabaseError, InterfaceError) as exc:
                logger.warning("beat: the database is away: %s", type(exc).__name__)
                connection.close()
            except Exception:
                # Whatever is wrong with one lane: without a beat all of them would lose their leases.
                logger.exception("a beat failed")
            if not self.active:
                connection.close_if_unusable_or_obsolete()

    def _tick(self) -> None:
        now = time.monotonic()
        order = memory.current.order if memory.current else memory.RUN
        if order != memory.RUN:
            self.stopping.set()
        for lane in self.lanes:
            running = lane.running
            if running is not None:
                self._watch_time(lane, running, now)
                if now - running.since > TICK_S or self.stopping.is_set():
                    lane.long.set()
                    self._relieve(lane)
        if order == memory.GIVE_BACK:
            self._give_back()
        lease_s = settings.JOBS["lease"].total_seconds()
        if now - self._extended > lease_s / 3:
            self._keep(leases_extend, held_until=now + lease_s)
            self._extended = now  # not before: while the database is away it is tried at each tick
        elif now - self._looked > LOOK_S:
            self._looked = now
            self._keep(leases_look)
        if now - self._told > TELL_S or (self.stopping.is_set() and now - self._told > LOOK_S):
            self._told = now
            self._tell()

    def _watch_time(self, lane: Lane, running: Running, now: float) -> None:
        if now > running.hard_at:
            logger.error(
                "job ignored its time limit; its worker process is killed",
                extra={"job_id": str(running.lease.id), "kind": running.lease.kind},
            )
            if self.slot is not None:
                self.slot.blame(lane.number)
            try:
                self._relieve_all()
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        elif now > running.soft_at and running.context.interrupt is None:
            self._interrupt(lane, running, errors.JobTimeout())

    def _interrupt(self, lane: Lane, running: Running, reason: errors.Interrupt) -> None:
        with lane.lock:  # under which the lane says that its function has returned
            if lane.running is not running or not running.interruptible:
                return
            running.context.interrupt = reason
            if lane.thread_id == threading.main_thread().ident:
                signal.pthread_kill(lane.thread_id, signal.SIGALRM)
            else:
                # At the thread's next bytecode; a call that waits is bound by its own limit.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(lane.thread_id), ctypes.py_object(type(reason))
                )

    def _relieve(self, lane: Lane) -> None:
        """Write what the lane has done and hand back what it has not begun."""
        if not lane.is_loaded:
            return
        with lane.taken_out(pocket=True) as (ended, waiting):
            if ended:
                ends_write(ended)
                ended.clear()
            if waiting:
                leases_release(waiting)
                waiting.clear()

    def _relieve_all(self) -> None:
        for lane in self.lanes:
            self._relieve(lane)

    def _give_back(self) -> None:
        """The grace is over: what still runs goes back with its attempt unspent, and we end."""
        self._relieve_all()
        running: list[Lease] = [lane.running.lease for lane in self.lanes if lane.running]
        if running:
            leases_release(running)
            logger.warning("gave %d running jobs back at the end of the grace", len(running))
        self._tell("stopped")
        logging.shutdown()
        os._exit(0)

    def _keep(
        self,
        ask: Callable[[list[tuple[UUID, int]]], dict[UUID, bool]],
        held_until: float | None = None,
    ) -> None:
        """Extend or look at all leases; pass on cancels and losses; write progress."""
        held: dict[Lane, list[Lease]] = {lane: lane.held() for lane in self.lanes}
        leases = [lease for each in held.values() for lease in each]
        if not leases:
            return
        alive = ask([(lease.id, lease.fence) for lease in leases])
        for lease in leases:
            if lease.id in alive:
                lease.held_until = held_until or lease.held_until
                lease.cancel_requested = lease.cancel_requested or alive[lease.id]
        for lane, theirs in held.items():
            lane.forget({lease.id for lease in theirs if lease.id not in alive})
            running = lane.running
            if running is None:
                continue
            if running.lease in theirs and running.lease.id not in alive:
                self._interrupt_once(lane, running, errors.LeaseLost())
            elif running.lease.cancel_requested:
                self._interrupt_once(lane, running, errors.JobCancelled())
            progress_flush(running.context)

    def _interrupt_once(self, lane: Lane, running: Running, reason: errors.Interrupt) -> None:
        if running.context.interrupt is None and lane.running is running:
            self._interrupt(lane, running, reason)

    def _tell(self, stop_reason: str = "") -> None:
        counts = [(lane.started, lane.completed, lane.failed) for lane in self.lanes]
        started, completed, failed = (sum(column) for column in zip(*counts, strict=True))
        directive = worker_beat(
            self.worker_id,
            rss_bytes=self._process.memory_info().rss,
            started=started,
            completed=completed,
            failed=failed,
            stop_reason=stop_reason,
        )
        self._obey(directive)

    def _obey(self, directive: str) -> None:
        """What a person told this worker: quiet leases no more, terminate makes way for a new one."""
        if memory.current is not None and memory.current.order != memory.RUN:
            return
        if directive == "run":
            self.stopping.clear()
        else:
            self.stopping.set()
            if directive == "terminate" and self.slot is not None:
                self.slot.is_retiring = 1
