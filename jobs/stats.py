"""Counting what jobs do: by minute, kind, queue and event, as rows of JobStat.

Outcomes are counted in the transaction that writes them (jobs_count in finish.sql), so the numbers
are right whatever is killed; leases that ran out likewise. Enqueues, fences and refusals are counted in
the process and flushed by a thread each second while there are any: a count inside the caller's
transaction would make strangers wait for each other.
"""

import bisect
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction

logger = logging.getLogger(__name__)

# Upper bounds of the histogram buckets in ms; the last bucket is open.
BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000)


@dataclass(slots=True)
class Tally:
    """Counts of one (kind, queue, event)."""

    count: int = 0
    wait_ms: float = 0.0
    run_ms: float = 0.0
    wait_hist: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    run_hist: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, wait_ms: float, run_ms: float) -> None:
        """Count one job."""
        self.count += 1
        self.wait_ms += wait_ms
        self.run_ms += run_ms
        self.wait_hist[bisect.bisect_left(BOUNDS_MS, wait_ms)] += 1
        self.run_hist[bisect.bisect_left(BOUNDS_MS, run_ms)] += 1


Tallies = dict[tuple[str, str, str], Tally]


def dump(tallies: Tallies) -> str:
    """The form that jobs_count takes."""
    return orjson.dumps(
        [
            {
                "kind": kind, "queue": queue, "event": event, "count": tally.count,
                "wait_ms": tally.wait_ms, "run_ms": tally.run_ms,
                "wait_hist": tally.wait_hist, "run_hist": tally.run_hist,
            }
            for (kind, queue, event), tally in tallies.items()
        ]
    ).decode()  # fmt: skip


_pending: Counter[tuple[str, str, str]] = Counter()
_lock = threading.Lock()
_flusher: threading.Thread | None = None

FLUSH_EVERY_S = 1.0
QUIET_ROUNDS = (
    2  # then the flusher ends, and with it its connection: a new one costs more than a count
)


def enqueued(made: Iterable[tuple[str, str, bool]]) -> None:
    """Count calls by (kind, queue, whether an older job was found), once their transaction commits."""
    counts = Counter(
        (kind, queue, "deduplicated" if again else "enqueued") for kind, queue, again in made
    )
    transaction.on_commit(lambda: _add(counts.items()))


def fenced(kind: str, queue: str) -> None:
    """Count a worker who was refused, or gave up, since its lease had passed to somebody else.

    Asks no database and belongs to no transaction: it happened, whatever becomes of the caller.
    """
    _add([((kind, queue, "fenced"), 1)])


def rate_limited(kind: str, queue: str) -> None:
    """Count a job that was put off since its kind had used up its rate. As `fenced`."""
    _add([((kind, queue, "rate_limited"), 1)])


def throttled(service: str) -> None:
    """Count a 429 of an outside service, after which everybody waits. As `fenced`."""
    _add([((service, "", "throttled"), 1)])


def expired(leases: Iterable[tuple[str, str]]) -> None:
    """Count leases that ran out, (kind, queue) each, in the transaction that takes the jobs back."""
    _write(Counter((kind, queue, "expired") for kind, queue in leases))


def _add(counts: Iterable[tuple[tuple[str, str, str], int]]) -> None:
    global _flusher  # noqa: PLW0603 - one flusher per process
    with _lock:
        for key, count in counts:
            _pending[key] += count
        if _flusher is None:
            _flusher = threading.Thread(target=_flush_rounds, name="stats", daemon=True)
            _flusher.start()


def _flush_rounds() -> None:
    global _flusher  # noqa: PLW0603
    quiet = 0
    try:
        while not _is_over(quiet):
            time.sleep(FLUSH_EVERY_S)
            quiet = 0 if _pending else quiet + 1
            try:
                flush()
            except (DatabaseError, InterfaceError):
                logger.warning("counts of jobs could not be written; kept for the next time")
                connection.close()
            if settings.DATABASE_POOL:
                connection.close()  # a pool takes it back, for others meanwhile
    finally:
        with _lock:
            if _flusher is threading.current_thread():  # whoever counts next begins another
                _flusher = None
        connection.close()


def _is_over(quiet: int) -> bool:
    """Whether nothing was counted for long enough. Whoever counts after this begins a new flusher."""
    global _flusher  # noqa: PLW0603
    with _lock:
        if _pending or quiet < QUIET_ROUNDS:
            return False
        _flusher = None
        return True


def flush() -> None:
    """Write the counts of this process now. They are kept if the database refuses."""
    with _lock:
        taken = dict(_pending)
        _pending.clear()
    try:
        _write(taken)
    except (DatabaseError, InterfaceError):
        with _lock:
            _pending.update(taken)
        raise


def _write(counts: Mapping[tuple[str, str, str], int]) -> None:
    if not counts:
        return
    rows: list[dict[str, Any]] = [
        {"kind": kind, "queue": queue, "event": event, "count": count}
        for (kind, queue, event), count in counts.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT jobs_count(%s::jsonb)", [orjson.dumps(rows).decode()])


def forget_after_fork() -> None:
    """A child process starts counting at zero; its parent keeps what it counted."""
    global _flusher, _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _flusher = None
    _pending.clear()


EPOCH = "2000-01-01 00:00:00+00"
_FOLD = """
WITH old AS (
    DELETE FROM jobs_jobstat s USING (
        SELECT id FROM jobs_jobstat WHERE {where} LIMIT 50000 FOR UPDATE SKIP LOCKED
    ) d WHERE s.id = d.id RETURNING s.*
), sums AS (
    SELECT {at} AS at, kind, queue, event, sum(count) AS count, sum(wait_ms) AS wait_ms,
        sum(run_ms) AS run_ms, jobs_hist_sum(wait_hist) AS wait_hist, jobs_hist_sum(run_hist) AS run_hist
    FROM old GROUP BY 1, 2, 3, 4
)
INSERT INTO jobs_jobstat (at, kind, queue, event, count, wait_ms, run_ms, wait_hist, run_hist)
SELECT at, kind, queue, event, count, wait_ms, run_ms, wait_hist, run_hist FROM sums
"""


def fold() -> int:
    """Add rows of the same minute up; older than two hours: by hour; than two weeks: into one total.

    Totals never shrink, so that counters made of them only grow. Returns how many rows are left over.
    """
    steps = (
        # Minutes that are over: several rows each, one per batch of outcomes.
        (
            "at < date_trunc('minute', clock_timestamp()) - interval '1 minute' "
            "AND at >= clock_timestamp() - interval '10 minutes'",
            "at",
        ),
        (
            "at < clock_timestamp() - interval '2 hours' AND at > '2000-01-02' "
            "AND date_trunc('hour', at) <> at",
            "date_trunc('hour', at)",
        ),
        ("at < clock_timestamp() - interval '14 days'", f"'{EPOCH}'::timestamptz"),
    )
    left = 0
    for where, at in steps:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FOLD.format(where=where, at=at))
            left += cursor.rowcount
    return left
