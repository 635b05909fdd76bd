"""Lanes in threads, for queues whose jobs wait for the network.

One thread leases for all of them, one job per free thread, so that none holds more than it runs: the
main thread, or the feeder while that is at a long job (jobs/engine/feeder.py). Never both at once.
"""

import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from django.db import connection

from jobs.engine.lane import FAIR_TURN, Lane
from jobs.lease import Lease, jobs_lease
from jobs.pool.memory import Slot


class ThreadLanes:
    """A fixed number of lanes, each in a thread while it has a job."""

    def __init__(self, size: int, worker_id: str, queues: list[str], slot: Slot | None) -> None:
        self.worker_id = worker_id
        self.queues = queues
        self.lanes = [
            Lane(f"thread-{number}", worker_id, queues, slot, number=number, spare=True)
            for number in range(1, size + 1)  # 0 is the main lane
        ]
        self._free = list(self.lanes)
        self._busy: dict[Future[None], Lane] = {}
        self._pool = ThreadPoolExecutor(size, "lane")
        self._turn = 0
        self._lock = threading.Lock()  # guards _free and _busy

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
        with self._lock:
            for lane in [each for each in self._free if each.is_loaded]:  # cut short earlier
                self._free.remove(lane)
                self._busy[self._pool.submit(self._run, lane, [], stopping)] = lane
            self._turn += 1
            self.queues = self.queues[1:] + self.queues[:1]
            leases = jobs_lease(
                queues=self.queues,
                limit=len(self._free),
                worker=self.worker_id,
                oldest_first=self._turn % FAIR_TURN == 0,
                spare=True,
            )
            for lease in leases:
                lane = self._free.pop()
                self._busy[self._pool.submit(self._run, lane, [lease], stopping)] = lane
            return len(leases)

    def _run(self, lane: Lane, leases: list[Lease], stopping: threading.Event) -> None:
        try:
            lane.run(leases, stopping)
        finally:
            connection.close_if_unusable_or_obsolete()

    def collect(self, timeout_s: float | None) -> int:
        """Wait for a thread to finish, at most so long; take back all that did. Returns how many.

        Raises what a lane raised: the database went away in the middle of its bookkeeping.
        """
        done, _ = wait(list(self._busy), timeout=timeout_s, return_when=FIRST_COMPLETED)
        with self._lock:
            mine = [future for future in done if future in self._busy]
            self._free += [self._busy.pop(future) for future in mine]
        for future in mine:
            future.result()
        return len(mine)

    def drain(self) -> None:
        """Wait until no thread has a job; a lane's failure is logged by whoever waits next."""
        while self._busy:
            self.collect(None)
