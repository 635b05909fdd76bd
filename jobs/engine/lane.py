"""A lane: leases small batches, runs them one after the other, writes how they ended.

A worker process has one main lane (its main thread) and, for queues that wait for the network, lanes
in threads. What a lane holds but has not started is its pocket. The beat thread (jobs/engine/beat.py)
may empty the pocket of a lane whose job takes long, so that no job waits in somebody's pocket.
"""

import logging
import threading
import time
from collections import deque
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from jobs import errors
from jobs.context import JobContext
from jobs.engine.attempt import attempt_end, attempt_run, attempt_run_atomic, gate, outcomes_log
from jobs.faults import fault
from jobs.lease import Ended, Lease, jobs_lease, leases_release, outcomes_write
from jobs.outcomes import Dead, Outcome, Snooze
from jobs.pool.memory import Slot
from jobs.registry import JobKind, kind_find
from lib import clock

logger = logging.getLogger("jobs.engine")

FAIR_TURN = 10  # one lease in so many takes the oldest job instead of the most urgent
CHAIN = 9  # jobs of a partition key that may follow its head into one lease


class Running:
    """The job that a lane is at, as the beat thread sees it."""

    __slots__ = ("context", "hard_at", "interruptible", "lease", "since", "soft_at")

    def __init__(self, lease: Lease, context: JobContext, timeout_s: float) -> None:
        self.lease = lease
        self.context = context
        self.since = time.monotonic()
        self.soft_at = self.since + timeout_s
        # Enough for `finally` blocks; then the process is killed.
        self.hard_at = self.soft_at + max(5.0, timeout_s * 0.25)
        self.interruptible = False


class Lane:
    """Serves some queues in one thread. `slot` is shared memory of the main lane, or None."""

    def __init__(self, name: str, worker_id: str, queues: list[str], slot: Slot | None) -> None:
        self.name = name
        self.worker_id = worker_id
        self.queues = queues
        self.slot = slot
        self.lock = threading.Lock()  # guards pocket, ended, running between lane and beat
        self.pocket: deque[Lease] = deque()
        self.ended: list[Ended] = []
        self.running: Running | None = None
        self.thread_id = threading.get_ident()
        self.started = self.completed = self.failed = 0
        self._turn = 0
        self._limit = 10.0
        self._chain = 0

    def turn(self, stopping: threading.Event) -> int:
        """Lease a batch and run it. Returns how many jobs were leased; 0: nothing is due."""
        leases = self._lease()
        if leases:
            fault("after_lease")
            self.run(leases, stopping)
        return len(leases)

    def _lease(self) -> list[Lease]:
        self._turn += 1
        self.queues = self.queues[1:] + self.queues[:1]  # no queue is always asked first
        leases = jobs_lease(
            queues=self.queues,
            limit=max(1, min(int(self._limit), settings.JOBS["max_batch"])),
            worker=self.worker_id,
            chain=self._chain,
            oldest_first=self._turn % FAIR_TURN == 0,
        )
        self._chain = CHAIN if any(lease.partition_key for lease in leases) else 0
        return self._isolate(leases)

    def _isolate(self, leases: list[Lease]) -> list[Lease]:
        """A job whose worker once died is run alone, so that a second death tells who did it."""
        if len(leases) < 2 or not any(lease.crash_count for lease in leases):
            return leases
        if leases[0].crash_count:
            alone, back = leases[:1], leases[1:]
        else:
            keys = {
                lease.partition_key for lease in leases if lease.crash_count and lease.partition_key
            }
            back = [lease for lease in leases if lease.crash_count or lease.partition_key in keys]
            alone = [lease for lease in leases if lease not in back]
            if not alone:
                alone, back = leases[:1], leases[1:]
        leases_release(back)
        return alone

    def run(self, leases: list[Lease], stopping: threading.Event) -> None:
        """Run leased jobs in their order and write how they ended."""
        self.thread_id = threading.get_ident()
        begin = time.monotonic()
        with self.lock:
            self.pocket.extend(leases)
        done = 0
        while True:
            with self.lock:
                if not self.pocket or stopping.is_set():
                    break
                lease = self.pocket.popleft()
                self.running = running = self._start(lease)
            self._attempt(running)
            done += 1
            if time.monotonic() - begin > 0.25 and self.ended:
                self.flush()
        self.flush()
        spent = (time.monotonic() - begin) / max(1, done)
        fits = settings.JOBS["pocket"].total_seconds() / max(spent, 1e-6)
        # Quick to shrink, slower to grow: a long job in a full pocket costs more than a small lease.
        self._limit = fits if fits < self._limit else min(self._limit * 4, fits)

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
            self.slot.at_job = str(lease.id).encode()
        return Running(lease, context, timeout)

    def _attempt(self, running: Running) -> None:
        """Run one leased job and keep its end for the next flush."""
        lease, context = running.lease, running.context
        kind = kind_find(lease.kind)
        started = time.time() + clock.offset().total_seconds()
        end: Ended | None = None
        written = False
        outcome: Outcome | None = gate(lease, kind)
        try:
            if outcome is None and kind is not None:
                self.started += 1
                running.interruptible = True
                fault("before_run")
                if kind.atomic:
                    end = attempt_run_atomic(lease, kind, context, started)
                    written = end.name == "completed"
                else:
                    outcome = attempt_run(lease, kind, context)
                running.interruptible = False
                fault("after_run")
        except errors.LeaseLost:
            logger.warning(
                "job fenced: its lease has passed to another worker",
                extra={"job_id": str(lease.id), "kind": lease.kind, "fence": lease.fence},
            )
            with self.lock:
                self.running = None
            return
        except errors.Interrupt as exc:  # raised a moment after the function had returned
            outcome = Snooze(clock.ZERO, f"interrupted at its end: {type(exc).__name__}")
        finally:
            running.interruptible = False
            if self.slot is not None:
                self.slot.at_job = b""
        if end is None:
            assert outcome is not None
            end = attempt_end(lease, kind, outcome, context, started)
        self._keep(end, kind, written=written)

    def _keep(self, end: Ended, kind: JobKind[Any] | None, *, written: bool) -> None:
        followers: list[Lease] = []
        with self.lock:
            self.running = None
            if not written:
                self.ended.append(end)
            key = end.lease.partition_key
            if key and end.name in {"retried", "snoozed"} and not (kind and kind.skip_ahead):
                # The key waits with its head: those behind it go back to their places.
                followers = [lease for lease in self.pocket if lease.partition_key == key]
                self.pocket = deque(rest for rest in self.pocket if rest.partition_key != key)
        if end.name == "completed":
            self.completed += 1
        elif end.name in {"retried", "dead"}:
            self.failed += 1
        if written:
            outcomes_log([end])
        if followers:
            self.flush()
            leases_release(followers)

    def flush(self) -> None:
        """Write what has ended. Tries again while the database is away, as long as leases last."""
        with self.lock:
            ended, self.ended = self.ended, []
        if not ended:
            return
        deadline = time.monotonic() + settings.JOBS["lease"].total_seconds()
        pause = threading.Event()
        wait = 0.05
        while True:
            try:
                fault("before_write")
                written = outcomes_write(ended)
                break
            except (DatabaseError, InterfaceError) as exc:
                if isinstance(exc, DatabaseError) and not _is_connection_trouble(exc):
                    written = self._write_singly(ended)
                    break
                connection.close()
                if time.monotonic() > deadline:
                    logger.exception("outcomes of %d jobs were lost with the database", len(ended))
                    return
                pause.wait(wait)
                wait = min(wait * 2, 2.0)
        outcomes_log([end for end in ended if end.lease.id in written])
        for end in ended:
            if end.lease.id not in written:
                logger.warning(
                    "job fenced: its outcome came too late",
                    extra={
                        "job_id": str(end.lease.id),
                        "kind": end.lease.kind,
                        "fence": end.lease.fence,
                    },
                )

    def _write_singly(self, ended: list[Ended]) -> set[Any]:
        """One outcome that Postgres refuses must not take its neighbours with it."""
        written: set[Any] = set()
        for end in ended:
            try:
                written |= outcomes_write([end])
            except DatabaseError as exc:
                logger.exception(
                    "an outcome could not be stored", extra={"job_id": str(end.lease.id)}
                )
                refused = Dead(f"its outcome could not be stored: {exc}".replace("\x00", ""))
                written |= outcomes_write(
                    [attempt_end(end.lease, None, refused, None, end.started)]
                )
        return written


def _is_connection_trouble(exc: DatabaseError) -> bool:
    cause = exc.__cause__
    state = getattr(cause, "sqlstate", None)
    return state is None or state[:2] in {"08", "57", "53", "40", "25"}
