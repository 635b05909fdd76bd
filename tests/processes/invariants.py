"""What must hold whatever was killed, read from the tables afterwards.

`violations` gives a sentence for each breach; none may be found. It reads the whole database of a
scratch site, whose kinds with a row in `effects_effect` are atomic. `LeaseWatch` looks all the time,
because a lease past its end is gone by the time a test is over.
"""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg

from config import embedded
from tests.processes.site import Site

MAX_CRASHES = 3
LATE_S = 5.0  # how long after its end a lease may stay where a cluster is alive

_TRIES = """SELECT * FROM (
    SELECT key, n, lag(n) OVER (PARTITION BY key ORDER BY {}(id)) AS before FROM effects_trace
    WHERE key <> '' AND mark = 'start' AND kind <> 'effects.step_ahead' GROUP BY key, n
) o WHERE before > n"""
# name: (what it says of a row, a query that finds only breaches)
_BREACHES: dict[str, tuple[str, str]] = {
    "twice": (
        "job {0} has {1} rows",
        "SELECT id, count(*) FROM jobs_jobrecord GROUP BY id HAVING count(*) > 1",
    ),
    "effect without end": (
        "job {0} is {1} but has {2} committed effects",
        """SELECT e.job_id, r.state, e.n FROM
            (SELECT job_id, count(*) AS n FROM effects_effect GROUP BY job_id) e
            LEFT JOIN jobs_jobrecord r ON r.id = e.job_id
            WHERE r.state IS DISTINCT FROM 'completed' OR e.n <> 1""",
    ),
    "end without effect": (
        "job {0} is completed without its effect",
        """SELECT h.id FROM jobs_jobhistory h WHERE h.kind = 'effects.write'
            AND h.state = 'completed'
            AND NOT EXISTS (SELECT FROM effects_effect e WHERE e.job_id = h.id)""",
    ),
    "effect of another lease": (
        "the effect of job {0} has fence {1}, its end has {2}",
        """SELECT h.id, e.fence, h.fence FROM jobs_jobhistory h
            JOIN effects_effect e ON e.job_id = h.id WHERE e.fence <> h.fence""",
    ),
    "order of effects": (
        "key {0}: {2} was committed before {1}",
        """SELECT * FROM (SELECT key, n, lag(n) OVER (PARTITION BY key ORDER BY id) AS before
            FROM effects_effect WHERE key <> '') o WHERE before >= n""",
    ),
    # A worker that dies has perhaps run several jobs of a key whose ends it had not written: then all
    # of them run again, in their order. So the first tries are in order, and so are the last ones.
    "order of first tries": (
        "key {0}: {2} was first tried before {1}",
        _TRIES.format("min"),
    ),
    "order of last tries": (
        "key {0}: {2} was last tried before {1}",
        _TRIES.format("max"),
    ),
    "too many attempts": (
        "job {0}: attempt {1}, {2} crashes, {3} attempts allowed",
        f"""SELECT id, attempt, crash_count, max_attempts FROM jobs_jobrecord
            WHERE attempt - crash_count > max_attempts OR attempt < crash_count
                OR crash_count > {MAX_CRASHES}
                OR (crash_count = {MAX_CRASHES} AND state NOT IN ('dead'))""",
    ),
    "more tries than attempts": (
        "job {0}: attempt {1}, but {2} tries were kept that spent one",
        """SELECT r.id, r.attempt, count(*) FROM jobs_jobrecord r
            JOIN jobs_jobattempt a ON a.job_id = r.id
            WHERE a.outcome NOT IN ('snoozed', 'released')
            GROUP BY r.id, r.attempt HAVING count(*) > r.attempt""",
    ),
    "dead without reason": (
        "job {0} is dead and nobody knows why",
        "SELECT id FROM jobs_job WHERE state = 'dead' AND coalesce(last_error, '') = ''",
    ),
    "late lease": (
        "job {0} is leased by {1}, {2} past the end of its lease",
        f"""SELECT id, worker, clock_timestamp() - lease_until FROM jobs_job
            WHERE state = 'running' AND lease_until < clock_timestamp() - interval '{LATE_S} s'""",
    ),
    "key without head": (
        "key {0}: all of its {1} jobs wait behind each other",
        """SELECT partition_key, count(*) FROM jobs_job
            WHERE partition_key IS NOT NULL AND state IN ('scheduled', 'available', 'running')
            GROUP BY partition_key HAVING bool_and(blocked)
            AND NOT EXISTS (SELECT FROM jobs_partitionwake w WHERE w.key = partition_key)""",
    ),
    "unique key of nobody": (
        "unique key {0} is held by job {1}, which is not open",
        """SELECT u.key, u.job_id FROM jobs_uniquekey u WHERE u.expires_at = 'infinity'
            AND NOT EXISTS (SELECT FROM jobs_job j WHERE j.id = u.job_id
                AND j.state IN ('scheduled', 'available', 'running'))""",
    ),
}


def violations(site: Site, ids: Collection[str] = ()) -> list[str]:
    """Every breach, and every one of these ids that has no row at all."""
    # Where no cluster is alive nobody takes leases back.
    is_alive = any(cluster.living() for cluster in site.clusters)
    found = [
        says.format(*row)
        for name, (says, query) in _BREACHES.items()
        if is_alive or name != "late lease"
        for row in site.rows(query)[:5]
    ]
    lost = site.rows(
        """SELECT i FROM unnest(%s::uuid[]) i
        WHERE NOT EXISTS (SELECT FROM jobs_jobrecord r WHERE r.id = i)""",
        [list(ids)],
    )
    return found + [f"job {row[0]} is lost" for row in lost]


def fresh_violations(site: Site, ids: Collection[str] = ()) -> list[str]:
    """Breaches that no earlier call has told: each is the failure of one test."""
    fresh = [each for each in violations(site, ids) if each not in site.known_violations]
    site.known_violations += fresh
    return fresh


def states(site: Site, ids: Collection[str]) -> dict[str, int]:
    """How many of these jobs are in which state."""
    return dict(
        site.rows(
            "SELECT state, count(*) FROM jobs_jobrecord WHERE id = ANY(%s::uuid[]) GROUP BY state",
            [list(ids)],
        )
    )


def assert_silent_since(site: Site, pids: Collection[int], moment: datetime) -> None:
    """None of these processes has left a trace later than a second after the moment."""
    query = "SELECT count(*) FROM effects_trace WHERE pid = ANY(%s) AND at > %s + interval '1 s'"
    assert site.value(query, [list(pids), moment]) == 0, "an orphan went on"


class LeaseWatch(threading.Thread):
    """Looks for leases past their end as long as it runs. Postgres may go away meanwhile."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="lease-watch", daemon=True)
        self.latest_s = 0.0  # the worst that was seen
        self._address = embedded.database_url(site.data_dir)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    while not self._over.wait(0.2):
                        self.latest_s = max(self.latest_s, _late_s(connection))
            except psycopg.OperationalError:
                self._over.wait(0.2)

    def end(self) -> None:
        self._over.set()
        self.join()


def _late_s(connection: psycopg.Connection[Any]) -> float:
    row = connection.execute(
        """SELECT coalesce(date_part('epoch', max(clock_timestamp() - lease_until)), 0)
        FROM jobs_job WHERE state = 'running'"""
    ).fetchone()
    return float(row[0]) if row else 0.0


@contextmanager
def leases_in_time(site: Site) -> Iterator[LeaseWatch]:
    """No lease is kept past its end + LATE_S in this block, in which a cluster is always alive."""
    watch = LeaseWatch(site)
    watch.start()
    try:
        yield watch
    finally:
        watch.end()
    assert watch.latest_s <= LATE_S, f"a lease was kept {watch.latest_s:.1f} s past its end"
