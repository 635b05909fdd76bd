"""Somebody who enqueues without pause, whatever happens, and remembers what was promised."""

import threading
from typing import Any

from tests.processes.jobs import Jobs
from tests.processes.site import CallFailed, Site
from tests.processes.waiting import PATIENCE_S, until

PACK = 10
MORE = 150


class Load(threading.Thread):
    """Enqueues packs of one kind over some keys (0: without) until it is stopped.

    every_s: the pause between two packs of PACK jobs.
    fails_each: of so many jobs one fails its first try; 0: none does.
    An enqueue that failed may have been committed all the same: its jobs are not in `ids`, but the
    checker finds them, and `end` waits for them.
    """

    def __init__(
        self,
        site: Site,
        name: str,
        *,
        keys: int = 6,
        kind: str = "effects.write",
        pause_ms: int = 2,
        fails_each: int = 0,
        every_s: float = 0.02,
    ) -> None:
        super().__init__(name=f"load-{name}", daemon=True)
        self.ids: list[str] = []
        self.refused = 0
        self._site, self._name, self._keys, self._kind = site, name, keys, kind
        self._more: dict[str, Any] = {"pause_ms": pause_ms} if kind == "effects.write" else {}
        self._fails_each, self._every_s = fails_each, every_s
        self._over = threading.Event()
        self._caller = site.new_caller()

    def run(self) -> None:
        n = 0
        while not self._over.wait(self._every_s):
            pack = [self._call(n + i) for i in range(PACK)]
            n += PACK
            try:
                self.ids += self._site.ask(self._caller, "enqueue_all", pack)
            except CallFailed:
                self.refused += 1

    def _call(self, n: int) -> tuple[str, dict[str, Any]]:
        given = {"n": n, **self._more}
        if self._keys:
            key = f"{self._name}-{n % self._keys}"
            given |= {"key": key, "partition": key}
        if self._fails_each and n % self._fails_each == 0:
            given["fails"] = 1
        return self._kind, given

    def go_on(self, count: int = MORE) -> None:
        """Wait until so many more jobs were taken."""
        target = len(self.ids) + count
        until(lambda: len(self.ids) >= target, "more jobs are taken")

    def stop(self) -> Jobs:
        """Stop enqueueing. Returns what was promised."""
        self._over.set()
        self.join()
        self._site.hang_up(self._caller)
        jobs = Jobs(self._site)
        jobs.ids = self.ids
        return jobs

    def end(self, within_s: float = PATIENCE_S) -> Jobs:
        """Stop, and wait until all is done that was promised, or taken without a word."""
        jobs = self.stop()
        jobs.end({"completed": len(jobs.ids)}, within_s)
        query = "SELECT count(*) FROM jobs_job WHERE partition_key LIKE %s"
        until(lambda: self._site.value(query, [f"{self._name}-%"]) == 0, "the others are done too")
        return jobs
