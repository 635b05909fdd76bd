"""Lanes in threads, for queues whose jobs wait for the network.

The main thread leases for them, one job per free thread, so that a process asks the database once and
no thread holds more than it runs.
"""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import connection

from jobs.engine.lane import Lane
from jobs.lease import Lease, jobs_lease
from jobs.pool.memory import Slot


class ThreadLanes:
    """A fixed number of lanes, each in a thread while it has a job."""

    def __init__(
        self, size: int, worker_id: str, queues: list[str], slot: Slot | None, alone: Lane
    ) -> None:
        self.worker_id = worker_id
        self.queues = queues
        self.lanes = [
            Lane(f"thread-{number}", worker_id, queues, slot, number=number, alone=alone)
            for number in range(1, size + 1)  # 0 is the main lane
        ]
        self._free = list(self.lanes)
        self._busy: dict[Future[None], Lane] = {}
        self._pool = ThreadPoolExecutor(size, "lane")
        self._turn = 0

    @property
    def is_busy(self) -> bool:
        """Does any thread have a job?"""
        return bool(self._busy)

    @property
    def has_room(self) -> bool:
        """Is any thread free?"""
        return bool(self._free)

    def turn(self, stopping: threading.Event) -> int:
        """Lease as many jobs as threads are free and start them. Returns how many."""
        for lane in [each for each in self._free if each.is_loaded]:  # cut short earlier
            self._free.remove(lane)
            self._busy[self._pool.submit(self._run, lane, [], stopping)] = lane
        self._turn += 1
        self.queues = self.queues[1:] + self.queues[:1]
        leases = jobs_lease(
            queues=self.queues,
            limit=len(self._free),
            worker=self.worker_id,
            oldest_first=self._turn % 10 == 0,
        )
        for lease in self.lanes[0].set_apart(leases):
            lane = self._free.pop()
            self._busy[self._pool.submit(self._run, lane, [lease], stopping)] = lane
        return len(leases)

    def _run(self, lane: Lane, leases: list[Lease], stopping: threading.Event) -> None:
        try:
            lane.run(leases, stopping)
        finally:
            connection.close_if_unusable_or_obsolete()

    def collect(self, timeout_s: float) -> int:
        """Wait for a thread to finish, at most so long; take back all that did. Returns how many.

        Raises what a lane raised: the database went away in the middle of its bookkeeping.
        """
        done, _ = wait(self._busy, timeout=timeout_s, return_when=FIRST_COMPLETED)
        for future in done:
            self._free.append(self._busy.pop(future))
        for future in done:
            future.result()
        return len(done)

    def drain(self) -> None:
        """Wait until no thread has a job; a lane's failure is logged by whoever waits next."""
        wait(self._busy)
        while self._busy:
            self.collect(0)
