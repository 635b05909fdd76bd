"""A lane: leases small batches, runs them one after the other, writes how they ended.

A worker process has one main lane (its main thread) and, for queues that wait for the network, lanes
in threads. What a lane holds but has not started is its pocket. The beat thread (jobs/engine/beat.py)
may empty the pocket of a lane whose job takes long, so that no job waits in somebody's pocket.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from jobs import errors
from jobs.context import JobContext
from jobs.ending import Ended, leases_release
from jobs.engine.attempt import (
    Broken,
    attempt_end,
    attempt_run,
    attempt_run_atomic,
    database_failed,
    gate,
    outcomes_log,
    progress_flush,
)
from jobs.engine.connections import connection_mend, connection_own, connection_state
from jobs.engine.ends import ends_write, ends_write_and_lease, fenced_log, insist, is_away
from jobs.engine.running import Running
from jobs.faults import fault
from jobs.lease import Lease, jobs_lease
from jobs.outcomes import Outcome, Snooze
from jobs.pool.memory import Slot
from jobs.registry import JobKind, kind_find
from lib import clock

logger = logging.getLogger("jobs.engine")

FAIR_TURN = 10  # one lease in so many takes the oldest job instead of the most urgent
CHAIN = 24  # jobs of a partition key that may follow its head into one lease


class Lane:
    """Serves some queues in one thread.

    slot: the shared memory of this process, in which the lane notes at place `number` what it is at.
    spare: jobs whose worker once died are left to a quarantine (jobs/engine/quarantine.py).
    """

    def __init__(
        self,
        name: str,
        worker_id: str,
        queues: list[str],
        slot: Slot | None,
        *,
        number: int = 0,
        spare: bool = False,
    ) -> None:
        self.name = name
        self.worker_id = worker_id
        self.queues = queues
        self.slot = slot
        self.number = number
        self.spare = spare
        self.lock = threading.Lock()  # guards pocket, ended, running between lane and beat
        self.pocket: deque[Lease] = deque()
        self.ended: list[Ended] = []
        self.running: Running | None = None
        self.writers = 0  # threads that have taken something out and are about to write it
        self.long = threading.Event()  # set by the beat: its job takes long
        self.thread_id = threading.get_ident()
        self._connection = connection_own()
        self.started = self.completed = self.failed = 0
        self._turn = 0
        self._limit = 10.0
        self._chain = 0

    @property
    def is_loaded(self) -> bool:
        """Does it hold anything that waits to be run or written?"""
        return bool(self.pocket or self.ended)

    def held(self) -> list[Lease]:
        """All leases that it knows of: running, waiting, and ended but not written."""
        with self.lock:
            running = [self.running.lease] if self.running else []
            return [*running, *self.pocket, *(end.lease for end in self.ended)]

    def turn(self, stopping: threading.Event) -> int:
        """Lease a batch and run it. Returns how many jobs were leased; 0: nothing is due.

        How they ended is written together with the next lease, by the next turn or by `settle`.
        """
        if self.pocket:  # an earlier turn was cut short
            self.run([], stopping)
        leases = self._lease()
        if leases:
            fault("after_lease")
            self._run(leases, stopping)
        return len(leases)

    def _lease(self) -> list[Lease]:
        self._turn += 1
        self.queues = self.queues[1:] + self.queues[:1]  # no queue is always asked first
        wish: dict[str, Any] = {
            "queues": self.queues,
            "limit": max(1, min(int(self._limit), settings.JOBS["max_batch"])),
            "worker": self.worker_id,
            "chain": self._chain,
            "oldest_first": self._turn % FAIR_TURN == 0,
            "spare": self.spare,
        }
        leases = self._write_and_lease(wish) if self.ended else jobs_lease(**wish)
        self._chain = CHAIN if any(lease.partition_key for lease in leases) else 0
        return leases

    def _write_and_lease(self, wish: dict[str, Any]) -> list[Lease]:
        fault("before_write")
        with self.taken_out(pocket=False) as (ended, _):
            try:
                leases = ends_write_and_lease(ended, **wish)
            except (DatabaseError, InterfaceError) as exc:
                insist(lambda: ends_write(ended))
                ended.clear()
                if is_away(exc):
                    raise  # there may be leases that we do not know
                leases = jobs_lease(**wish)
            ended.clear()
        self._leave()
        return leases

    def _leave(self) -> None:
        if self.slot is not None:
            self.slot.leave(self.number)

    def settle(self) -> None:
        """Write what the last turn has left, for there is none to come soon."""
        if self.ended:
            self.flush()
            self._leave()

    def run(self, leases: list[Lease], stopping: threading.Event) -> None:
        """Run leased jobs in their order and write how they ended."""
        self._run(leases, stopping)
        self.flush()
        self._leave()

    def _run(self, leases: list[Lease], stopping: threading.Event) -> None:
        self.thread_id = threading.get_ident()
        self._connection = connection_own()
        begin = time.monotonic()
        with self.lock:
            self.pocket.extend(leases)
        done = 0
        while (running := self._next(stopping)) is not None:
            try:
                self._attempt(running)
            except BaseException:
                with self.lock:
                    self.running = None  # nobody knows how it ended: its lease will tell
                raise
            done += 1
            if time.monotonic() - begin > 0.25 and self.ended:
                self.flush()
        if self.pocket:
            self.flush()
            self._hand_back()
        spent = (time.monotonic() - begin) / max(1, done)
        fits = settings.JOBS["pocket"].total_seconds() / max(spent, 1e-6)
        # Quick to shrink, slower to grow: a long job in a full pocket costs more than a small lease.
        self._limit = fits if fits < self._limit else min(self._limit * 4, fits)

    def _next(self, stopping: threading.Event) -> Running | None:
        """Begin the next job of the pocket, unless its lease ran out while this process was frozen."""
        while True:
            with self.lock:
                if not self.pocket or stopping.is_set():
                    return None
                lease = self.pocket.popleft()
                if time.monotonic() < lease.held_until:
                    self.running = running = self._start(lease)
                    return running
            fenced_log(lease, "its lease ran out before it was started")
            self._release_behind(lease)

    def _start(self, lease: Lease) -> Running:
        kind = kind_find(lease.kind)
        context = JobContext(
            lease.id, lease.kind, lease.attempt, lease.max_attempts, lease.fence, lease.checkpoint
        )
        context.batch_id = lease.batch_id
        timeout = lease.timeout_s
        if timeout is None:
            timeout = kind.timeout.total_seconds() if kind else 60.0
        if self.slot is not None:
            self.slot.enter(self.number, lease.id)
        return Running(lease, kind, context, timeout, self.lock)

    def _attempt(self, running: Running) -> None:
        """Run one leased job and keep its end for the next flush."""
        lease, kind, context = running.lease, running.kind, running.context
        started = time.time() + clock.offset().total_seconds()
        end: Ended | None = None
        outcome: Outcome | Broken | None = None
        state = connection_state(self._connection)
        try:
            outcome = gate(lease, kind)
            if outcome is None and kind is not None:
                self.started += 1
                fault("before_run")
                if kind.atomic:
                    end = attempt_run_atomic(lease, kind, context, running, started)
                else:
                    outcome = attempt_run(lease, kind, context, running)
                fault("after_run")
        except errors.LeaseLost:
            fenced_log(lease, "its lease has passed to another worker")
            with self.lock:
                self.running = None
            self._release_behind(lease)
            return
        except errors.Interrupt as exc:  # a job raised it, or kept it for later
            outcome = outcome or Snooze(clock.ZERO, f"interrupted at its end: {type(exc).__name__}")
        except (DatabaseError, InterfaceError) as exc:
            outcome = database_failed(exc)
        finally:
            running.interruptible = False
            if context.interrupt is not None:
                connection_mend(self._connection, state)
        written = end is not None and end.name == "completed"
        if end is None:
            assert outcome is not None
            self._keep_progress(context)
            end = attempt_end(lease, kind, outcome, context, started)
        self._keep(end, kind, written=written)

    def _keep_progress(self, context: JobContext) -> None:
        """Write what was said since the last beat: a checkpoint is for an attempt that ends like this."""
        if context.progress_dirty:
            try:
                progress_flush(context)
            except (DatabaseError, InterfaceError) as exc:
                logger.warning(
                    "the last progress of a job was lost: %s",
                    type(exc).__name__,
                    extra={"job_id": str(context.id), "kind": context.kind},
                )

    def _keep(self, end: Ended, kind: JobKind[Any] | None, *, written: bool) -> None:
        with self.lock:
            self.running = None
            if not written:
                self.ended.append(end)
        if end.name == "completed":
            self.completed += 1
        elif end.name in {"retried", "dead"}:
            self.failed += 1
        if written:
            outcomes_log([end])
        if end.name in {"retried", "snoozed", "crashed"} and not (kind and kind.skip_ahead):
            self._release_behind(end.lease)

    def _release_behind(self, lease: Lease) -> None:
        """The key waits with its head: those behind it in the pocket go back to their places."""
        if not lease.partition_key:
            return
        with self.lock:
            behind = [rest for rest in self.pocket if rest.partition_key == lease.partition_key]
            self.pocket = deque(
                rest for rest in self.pocket if rest.partition_key != lease.partition_key
            )
        if behind:
            self.flush()
            insist(lambda: leases_release(behind))

    def forget(self, lost: Collection[UUID]) -> None:
        """Drop leases that have passed to others, and give back once what stands behind them."""
        if not lost:
            return
        with self.lock:
            gone = [lease for lease in self.pocket if lease.id in lost]
            keys = {lease.partition_key for lease in gone if lease.partition_key}
            self.pocket = deque(lease for lease in self.pocket if lease.id not in lost)
            behind = [lease for lease in self.pocket if lease.partition_key in keys]
        for lease in gone:
            fenced_log(lease, "its lease has passed to another worker")
        if behind:
            leases_release(behind)
            with self.lock:
                self.pocket = deque(lease for lease in self.pocket if lease not in behind)

    def _hand_back(self) -> None:
        """Give back what a stop has left in the pocket."""
        with self.taken_out(pocket=True) as (_, left):
            insist(lambda: leases_release(left))
            left.clear()

    def flush(self) -> None:
        """Write what has ended. Tries again while the database is away, as long as leases last.

        Raises database errors after that; what was not written is kept for the next flush.
        """
        if self.ended:
            fault("before_write")
            with self.taken_out(pocket=False) as (ended, _):
                insist(lambda: ends_write(ended))
                ended.clear()

    @contextmanager
    def taken_out(self, *, pocket: bool) -> Iterator[tuple[list[Ended], list[Lease]]]:
        """What has ended, and the pocket if asked. What is left in the lists at the end comes back."""
        with self.lock:
            self.writers += 1
            ended, self.ended = self.ended, []
            waiting = list(self.pocket) if pocket else []
            if pocket:
                self.pocket.clear()
        try:
            yield ended, waiting
        finally:
            with self.lock:
                self.writers -= 1
                self.ended = ended + self.ended
                self.pocket.extendleft(reversed(waiting))
