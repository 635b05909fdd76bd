"""What Prometheus reads of the platform, out of the database: the same whichever process is asked.

Counters come from JobStat, which is written with the outcomes it counts and never shrinks. Gauges are
bounded looks at indexes; none counts a big table. What each name means: docs/telemetry.md.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.conf import settings
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from jobs import sql
from jobs.stats import BOUNDS_MS
from jobs.workers import SILENT_AFTER
from lib import clock

DEPTH_CAP = 10_000
FINAL = {"completed": "completed", "dead": "dead", "cancelled": "cancelled"}


def collect() -> Iterator[Metric]:
    """All families. Nine small queries."""
    yield from _counters()
    yield from _queues()
    yield from _guards()
    yield from _workers()


def _counters() -> Iterator[Metric]:
    enqueued = CounterMetricFamily("jobs_enqueued", "Jobs made", labels=["kind", "queue"])
    deduplicated = CounterMetricFamily(
        "jobs_deduplicated", "Calls that found an older job", labels=["kind", "queue"]
    )
    finished = CounterMetricFamily(
        "jobs_finished", "Jobs that ended", labels=["kind", "queue", "outcome"]
    )
    attempts = CounterMetricFamily(
        "jobs_attempts", "Attempts by how they ended", labels=["kind", "queue", "outcome"]
    )
    wait = HistogramMetricFamily(
        "job_wait_seconds", "Due to started, of each attempt", labels=["kind", "queue"]
    )
    run = HistogramMetricFamily("job_run_seconds", "Started to ended", labels=["kind", "queue"])
    beside = _beside_outcomes()
    for kind, queue, event, count, wait_ms, run_ms, wait_hist, run_hist in sql.rows(
        """SELECT kind, queue, event, sum(count)::bigint, sum(wait_ms), sum(run_ms),
            jobs_hist_sum(wait_hist), jobs_hist_sum(run_hist)
        FROM jobs_jobstat GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    ):
        if event == "enqueued":
            enqueued.add_metric([kind, queue], count)
            continue
        if event == "deduplicated":
            deduplicated.add_metric([kind, queue], count)
            continue
        if event in beside:
            family, labels = beside[event]
            family.add_metric(labels(kind, queue), count)
            continue
        attempts.add_metric([kind, queue, event], count)
        if event in FINAL:
            finished.add_metric([kind, queue, event], count)
        if event == "completed":
            wait.add_metric([kind, queue], *_histogram(wait_hist, wait_ms))
            run.add_metric([kind, queue], *_histogram(run_hist, run_ms))
    yield from (enqueued, deduplicated, finished, attempts, wait, run)
    yield from {family.name: family for family, _ in beside.values()}.values()


Labels = Callable[[str, str], list[str]]


def _beside_outcomes() -> dict[str, tuple[CounterMetricFamily, Labels]]:
    """Events of JobStat that are no ends of attempts: the family of each, and its labels."""
    fenced = CounterMetricFamily(
        "fenced",
        "Times that a worker was refused, or gave up, since its lease had passed on",
        labels=["kind", "queue"],
    )
    expired = CounterMetricFamily(
        "leases_expired", "Leases that ran out before they were ended", labels=["kind", "queue"]
    )
    limited = CounterMetricFamily(
        "rate_limited",
        "Jobs put off by the rate of their kind (by=rate), 429s of services (by=service)",
        labels=["name", "by"],
    )
    return {
        "fenced": (fenced, lambda kind, queue: [kind, queue]),
        "expired": (expired, lambda kind, queue: [kind, queue]),
        "rate_limited": (limited, lambda kind, _: [kind, "rate"]),
        "throttled": (limited, lambda service, _: [service, "service"]),
    }


def _histogram(counts: Any, sum_ms: float) -> tuple[list[tuple[str, float]], float]:
    numbers = orjson.loads(counts) if isinstance(counts, str) else (counts or [])
    numbers = numbers or [0] * (len(BOUNDS_MS) + 1)
    buckets, total = [], 0
    for bound, count in zip((*BOUNDS_MS, None), numbers, strict=False):
        total += count
        buckets.append(("+Inf" if bound is None else f"{bound / 1000:g}", float(total)))
    return buckets, sum_ms / 1000


def _queues() -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "queue_depth", f"Jobs by state, counted up to {DEPTH_CAP}", labels=["queue", "state"]
    )
    age = GaugeMetricFamily(
        "queue_oldest_age_seconds", "How long the oldest due job waits", labels=["queue"]
    )
    paused = GaugeMetricFamily("queue_paused", "1 while a queue is paused", labels=["queue"])
    for row in queue_depths():
        for state in ("available", "scheduled", "running", "blocked"):
            depth.add_metric([row["queue"], state], row[state])
        age.add_metric([row["queue"]], row["oldest_age_s"])
        paused.add_metric([row["queue"]], int(row["is_paused"]))
    dead = GaugeMetricFamily("jobs_dead", f"Jobs that wait for a person, up to {DEPTH_CAP}")
    found = sql.row(
        "SELECT count(*) FROM (SELECT FROM jobs_job WHERE state = 'dead' LIMIT %s) d", [DEPTH_CAP]
    )
    dead.add_metric([], found[0] if found else 0)
    yield from (depth, age, paused, dead)


def queue_depths(cap: int = DEPTH_CAP) -> list[dict[str, Any]]:
    """Of each queue: available, scheduled, running, blocked (each counted up to cap), oldest_age_s."""
    names = ("queue", "is_paused", "available", "scheduled", "running", "blocked", "oldest_age_s")
    found = sql.rows(
        """
        SELECT q.name, q.paused_at IS NOT NULL, coalesce(sum(r.due), 0)::bigint,
            coalesce(sum(r.ahead), 0)::bigint,
            (SELECT count(*) FROM jobs_job j WHERE j.state = 'running' AND j.queue = q.name),
            (SELECT count(*) FROM (
                SELECT FROM jobs_job j WHERE j.partition_key > '' AND j.blocked AND j.queue = q.name
                    AND j.state IN ('scheduled', 'available', 'running') LIMIT %(cap)s) b),
            greatest(0, coalesce(max(r.age), 0))
        FROM jobs_queue q LEFT JOIN LATERAL (
            SELECT count(*) FILTER (WHERE d.run_at <= %(now)s) AS due,
                count(*) FILTER (WHERE d.run_at > %(now)s) AS ahead,
                date_part('epoch', %(now)s - min(d.run_at)) AS age
            FROM generate_series(0, 3) p CROSS JOIN LATERAL (
                SELECT j.run_at FROM jobs_job j
                WHERE j.queue = q.name AND j.priority = p AND NOT j.blocked
                    AND j.state IN ('scheduled', 'available')
                ORDER BY j.run_at LIMIT %(cap)s
            ) d
        ) r ON true
        GROUP BY q.name, q.paused_at ORDER BY q.name
        """,
        {"cap": cap, "now": clock.now()},
    )
    return [dict(zip(names, row, strict=True)) for row in found]


def _guards() -> Iterator[Metric]:
    breakers = GaugeMetricFamily(
        "breaker_state", "0 closed, 1 half-open, 2 open", labels=["breaker"]
    )
    numbers = {"closed": 0, "half_open": 1, "open": 2}
    for name, state in sql.rows("SELECT name, state FROM jobs_breaker ORDER BY name"):
        breakers.add_metric([name], numbers[state])
    blocked = GaugeMetricFamily("partition_blocked", "Lines that wait for a lock to be let go")
    found = sql.row("SELECT count(*) FROM jobs_partitionwake")
    blocked.add_metric([], found[0] if found else 0)
    dead_tuples = GaugeMetricFamily(
        "pg_dead_tuples", "Dead rows of the hot tables", labels=["table"]
    )
    for table, count in sql.rows(
        """SELECT relname, n_dead_tup FROM pg_stat_user_tables
        WHERE relname IN ('jobs_job', 'notification_queue')"""
    ):
        dead_tuples.add_metric([table], count)
    yield from (breakers, blocked, dead_tuples)


def _workers() -> Iterator[Metric]:
    workers = GaugeMetricFamily("workers", "Workers by state", labels=["state"])
    rss = GaugeMetricFamily("worker_rss_bytes", "Memory of live workers", labels=["worker"])
    now, counts = clock.now(), {"alive": 0, "silent": 0}
    for worker_id, beat_at, bytes_ in sql.rows(
        "SELECT id, beat_at, rss_bytes FROM jobs_worker WHERE stopped_at IS NULL"
    ):
        alive = now - beat_at < SILENT_AFTER
        counts["alive" if alive else "silent"] += 1
        if alive:
            rss.add_metric([worker_id], bytes_)
    for state, count in counts.items():
        workers.add_metric([state], count)
    size = GaugeMetricFamily("workers_configured", "Worker processes per cluster, by setting")
    size.add_metric([], settings.WORKER_CONCURRENCY)
    yield from (workers, rss, size)
