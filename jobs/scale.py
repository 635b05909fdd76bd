"""How many workers a backlog wants: a hint for whoever starts and stops them.

    desired = (arrival/s x service s + backlog x service s / target s) / 0.8, rounded up

The first part keeps up with what comes in, the second clears what waits within the target, and the
pool is meant to be busy for four fifths of its time. A keyed queue runs one job per key at once, so more
than its open keys would idle. The hint rises at once and falls after two minutes.
"""

import math
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from jobs import errors, sql
from jobs.models import Queue
from jobs.remote.workers import slots_of
from jobs.workers import SILENT_AFTER
from lib import clock

BUSY = 0.8  # the share of its time that a worker should work
CALM_S = 120.0  # the hint falls when it was lower for so long
WINDOW_MIN = 5
COUNTED = 100_000  # a deeper backlog counts as this
DEFAULT_SERVICE_S = 1.0  # until something was run


@dataclass(frozen=True, slots=True)
class ScaleHint:
    """What is known of a queue, and how many slots it wants."""

    queue: str
    backlog: int  # due jobs
    oldest_age_s: float
    arrival_per_s: float
    service_s: float
    busy: int  # jobs that run
    workers: int
    slots: int  # jobs that live workers could run at once
    open_keys: int | None  # None: not all of its open jobs have a key
    target_s: float
    desired: int


def scale_hints(queue: str | None = None) -> list[ScaleHint]:
    """The hint for one queue, or for all. Five queries and one call of the cache per queue.

    Raises QueueUnknown.
    """
    names = list(Queue.objects.order_by("name").values_list("name", flat=True))
    if queue is not None and queue not in names:
        raise errors.QueueUnknown(f"there is no queue {queue!r}")
    return [_hint(name) for name in names if queue in {None, name}]


def _hint(queue: str) -> ScaleHint:
    ready, oldest_age_s = _ready(queue)
    blocked, running, keyless, keys = _open(queue)
    arrival, service_s = _rates(queue)
    workers, slots = slots_of(queue, silent_after_s=SILENT_AFTER.total_seconds())
    backlog = min(COUNTED, ready + blocked)
    target_s: float = settings.JOBS["scale_target_s"]
    load = (arrival * service_s + backlog * service_s / target_s) / BUSY
    open_keys = keys if keys and not keyless else None
    least, most = settings.JOBS["scale_min"], settings.JOBS["scale_max"] or math.inf
    wanted = _calm(queue, math.ceil(round(load, 6)))
    if open_keys is not None:
        wanted = min(wanted, open_keys)
    return ScaleHint(
        queue=queue,
        backlog=backlog,
        oldest_age_s=round(oldest_age_s, 3),
        arrival_per_s=round(arrival, 4),
        service_s=round(service_s, 4),
        busy=running,
        workers=workers,
        slots=slots,
        open_keys=open_keys,
        target_s=target_s,
        desired=int(min(max(wanted, least), most)),
    )


def _ready(queue: str) -> tuple[int, float]:
    """(jobs that may be leased now, age of the oldest in seconds), by priority on the index."""
    row = sql.row(
        """SELECT coalesce(sum(d.n), 0), coalesce(extract(epoch FROM %(now)s - min(d.oldest)), 0)
        FROM generate_series(0, 3) p CROSS JOIN LATERAL (
            SELECT count(*) AS n, min(r.run_at) AS oldest FROM (
                SELECT j.run_at FROM jobs_job j WHERE j.queue = %(queue)s AND j.priority = p
                    AND NOT j.blocked AND j.state IN ('scheduled', 'available') AND j.run_at <= %(now)s
                ORDER BY j.run_at LIMIT %(most)s
            ) r
        ) d""",
        {"queue": queue, "now": clock.now(), "most": COUNTED},
    )
    return (int(row[0]), max(0.0, float(row[1]))) if row else (0, 0.0)


def _open(queue: str) -> tuple[int, int, bool, int]:
    """(due jobs behind others of their key, running jobs, is any open job without a key, open keys)."""
    row = sql.row(
        """SELECT
            count(*) FILTER (WHERE blocked AND run_at <= %(now)s),
            count(DISTINCT partition_key) FILTER (WHERE state = 'running' OR run_at <= %(now)s)
        FROM (
            SELECT partition_key, blocked, state, run_at FROM jobs_job
            WHERE partition_key IS NOT NULL AND state IN ('scheduled', 'available', 'running')
                AND queue = %(queue)s LIMIT %(most)s
        ) k""",
        {"queue": queue, "now": clock.now(), "most": COUNTED},
    )
    other = sql.row(
        """SELECT (SELECT count(*) FROM jobs_job WHERE state = 'running' AND queue = %(queue)s),
            EXISTS (SELECT FROM jobs_job WHERE state = 'running' AND queue = %(queue)s
                AND partition_key IS NULL)
            OR EXISTS (
                SELECT FROM generate_series(0, 3) p CROSS JOIN LATERAL (
                    SELECT FROM jobs_job j WHERE j.queue = %(queue)s AND j.priority = p
                        AND NOT j.blocked AND j.state IN ('scheduled', 'available')
                        AND j.run_at <= %(now)s AND j.partition_key IS NULL LIMIT 1
                ) f
            )""",
        {"queue": queue, "now": clock.now()},
    )
    assert row is not None
    assert other is not None
    return int(row[0]), int(other[0]), bool(other[1]), int(row[1])


def _rates(queue: str) -> tuple[float, float]:
    """(jobs that came in per second, mean seconds of an attempt) over the last five minutes.

    JobStat is written by the clock of the database.
    """
    row = sql.row(
        """SELECT
            coalesce(sum(count) FILTER (WHERE event = 'enqueued'), 0)::float8
                / extract(epoch FROM clock_timestamp() - min(w.since)),
            sum(run_ms) FILTER (WHERE event IN ('completed', 'retried', 'dead')) / 1000
                / nullif(sum(count) FILTER (WHERE event IN ('completed', 'retried', 'dead')), 0)
        FROM (SELECT date_trunc('minute', clock_timestamp()) - make_interval(mins => %s) AS since) w
        LEFT JOIN jobs_jobstat s ON s.at >= w.since AND s.queue = %s""",
        [WINDOW_MIN, queue],
    )
    if row is None:
        return 0.0, DEFAULT_SERVICE_S
    service_s = DEFAULT_SERVICE_S if row[1] is None else float(row[1])
    return float(row[0] or 0), service_s


def _calm(queue: str, wanted: int) -> int:
    """The most that was wanted in the last two minutes. Without the cache: what is wanted now."""
    key, now = f"jobs:scale:{queue}", clock.now().timestamp()
    seen: list[tuple[float, int]] = cache.get(key) or []
    seen = [(at, count) for at, count in seen if now - CALM_S < at <= now and count > wanted]
    seen.append((now, wanted))
    cache.set(key, seen[-500:], timeout=CALM_S)
    return max(count for _, count in seen)


def workers_wanted() -> int:
    """How many worker processes of one cluster its own queues want, between scale_min and scale_max.

    A threaded queue is served by `threads` slots per process, any other by one.
    """
    jobs = settings.JOBS
    wanted = 0
    for hint in scale_hints():
        if hint.queue in jobs["queues"]:
            slots = jobs["threads"] if hint.queue in jobs["threaded_queues"] else 1
            wanted = max(wanted, math.ceil(hint.desired / max(1, slots)))
    return int(min(max(wanted, jobs["scale_min"], 1), jobs["scale_max"]))
