"""The jobs of one test: enqueued through the caller's process, read back from the tables."""

from collections.abc import Sequence
from typing import Any

from tests.processes.cluster import Cluster
from tests.processes.invariants import fresh_violations, states
from tests.processes.site import Site
from tests.processes.waiting import PATIENCE_S, until

Call = tuple[str, dict[str, Any]]
OVER = {"completed", "dead", "cancelled"}


class Jobs:
    """Remembers every id that an enqueue gave back; `end` says what must have become of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.ids: list[str] = []

    def add(self, kind: str, **given: Any) -> str:
        """Enqueue one and return its id."""
        self.ids.append(self.site.call("enqueue", kind, **given))
        return self.ids[-1]

    def add_all(self, calls: Sequence[Call]) -> list[str]:
        """Enqueue many in one transaction and return their ids."""
        made = self.site.call("enqueue_all", list(calls))
        self.ids += made
        return list(made)

    def cancel(self, job_id: str) -> str:
        said: str = self.site.call("cancel", job_id)
        return said

    def end(self, expected: dict[str, int], within_s: float = PATIENCE_S) -> None:
        """Wait until all are over, as expected: {"completed": 20, "dead": 1}; nothing is lost."""
        assert self.over(within_s) == expected, str(self)

    def over(self, within_s: float = PATIENCE_S) -> dict[str, int]:
        """Wait until all are over; nothing is lost. Returns how many ended how."""
        until(lambda: set(states(self.site, self.ids)) <= OVER, f"{self} are over", within_s)
        assert fresh_violations(self.site, self.ids) == []
        return states(self.site, self.ids)

    def count(self, state: str, condition: str = "true") -> int:
        """How many are in a state, and fulfil a condition on their row."""
        query = f"""SELECT count(*) FROM jobs_jobrecord
            WHERE id = ANY(%s::uuid[]) AND state = %s AND {condition}"""
        return int(self.site.value(query, [self.ids, state]))

    def field(self, job_id: str, name: str) -> Any:
        """A column of its row, open or finished."""
        return self.site.value(f"SELECT {name} FROM jobs_jobrecord WHERE id = %s", [job_id])

    def sum(self, name: str) -> int:
        """The sum of a column over all of them."""
        query = f"SELECT sum({name}) FROM jobs_jobrecord WHERE id = ANY(%s::uuid[])"
        return int(self.site.value(query, [self.ids]))

    def marks(self, job_id: str) -> list[str]:
        """What its tries left: "start", "end", or the name of what interrupted it."""
        query = "SELECT mark FROM effects_trace WHERE job_id = %s ORDER BY id"
        return [row[0] for row in self.site.rows(query, [job_id])]

    def outcomes(self, job_id: str) -> list[str]:
        """How its earlier tries ended."""
        query = "SELECT outcome FROM jobs_jobattempt WHERE job_id = %s ORDER BY fence"
        return [row[0] for row in self.site.rows(query, [job_id])]

    def worker_pid(self, job_id: str) -> int:
        """The process that runs it now."""
        worker = until(lambda: self.field(job_id, "worker"), f"{job_id} is leased")
        return int(worker.split(":")[1])

    def is_of(self, job_id: str, cluster: Cluster) -> bool:
        """Was the last to run it a process of this cluster, alive or not?"""
        return str(self.field(job_id, "worker")).startswith(f"{cluster.name}:")

    def running(self) -> int:
        return states(self.site, self.ids).get("running", 0)

    def __str__(self) -> str:
        rows = self.site.rows(
            """SELECT state, kind, attempt, crash_count, left(last_error, 200) FROM jobs_jobrecord
            WHERE id = ANY(%s::uuid[]) ORDER BY state IN ('completed', 'cancelled'), seq LIMIT 20""",
            [self.ids],
        )
        return f"{len(self.ids)} jobs {states(self.site, self.ids)} {rows}"
