"""Queues as operators watch them: how deep, how old, how fast. Nothing here counts a big table."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from jobs import sql
from lib import clock

COUNTED = 10_000  # beyond that a depth is "10,000+"
MINUTES = 60
_KEYED = 50_000  # rows of partition keys that are looked at for blocked ones


@dataclass(slots=True)
class QueueDepth:
    """A queue and its jobs by state. A depth of COUNTED + 1 means: more."""

    name: str
    is_external: bool
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str
    available: int
    scheduled: int
    oldest_due_at: datetime | None
    running: int = 0
    blocked: int = 0
    dead: int = 0


@dataclass(slots=True)
class QueueRates:
    """Jobs per minute in the last hour; the last value is that of the minute that is not over yet.

    `made` counts jobs that came in, `ended` those that left for good (dead ones too), `failed` tries
    that failed.
    """

    made: list[int] = field(default_factory=lambda: [0] * MINUTES)
    ended: list[int] = field(default_factory=lambda: [0] * MINUTES)
    failed: list[int] = field(default_factory=lambda: [0] * MINUTES)

    def per_second(self, minute_s: float) -> dict[str, float]:
        """Jobs per second now: over the last whole minute and what there is of this one."""
        return {
            name: round(sum(values[-2:]) / (60 + minute_s), 2)
            for name, values in asdict(self).items()
        }


def queues_depth() -> list[QueueDepth]:
    """All queues by name. Four queries, each bounded by COUNTED per queue or in all."""
    found = {
        row[0]: QueueDepth(*row)
        for row in sql.rows(_READY, {"now": clock.now(), "most": COUNTED + 1})
    }
    for column, query in (("running", _RUNNING), ("blocked", _BLOCKED), ("dead", _DEAD)):
        for name, count in sql.rows(query, {"most": COUNTED + 1, "keyed": _KEYED}):
            if name in found:
                setattr(found[name], column, count)
    return list(found.values())


def queues_rates() -> tuple[dict[str, QueueRates], float]:
    """Rates by queue name, and how many seconds of the current minute have passed."""
    rates: dict[str, QueueRates] = {}
    for queue, ago, made, ended, failed in sql.rows(_RATES, [MINUTES - 1]):
        of_queue = rates.setdefault(queue, QueueRates())
        place = MINUTES - 1 - int(ago)
        if 0 <= place < MINUTES:
            of_queue.made[place], of_queue.ended[place] = int(made), int(ended)
            of_queue.failed[place] = int(failed)
    found = sql.row("SELECT extract(second FROM clock_timestamp())::float8")
    return rates, float(found[0]) if found else 0.0


def queues_live(depths: list[QueueDepth]) -> dict[str, Any]:
    """Depths and rates: what the page of the queues asks for every few seconds, as JSON.

    {"queues": {name: {"available": 3, ..., "oldest_s": 1.5, "made": [60 numbers], ...}}}
    Two queries.
    """
    rates, minute_s = queues_rates()
    now = clock.now()
    queues = {}
    for depth in depths:
        of_queue = rates.get(depth.name, QueueRates())
        oldest = depth.oldest_due_at
        queues[depth.name] = {
            "available": depth.available,
            "scheduled": depth.scheduled,
            "running": depth.running,
            "blocked": depth.blocked,
            "dead": depth.dead,
            "oldest_s": None if oldest is None else round((now - oldest).total_seconds(), 1),
            "is_paused": depth.paused_at is not None,
            "per_second": of_queue.per_second(minute_s),
            **asdict(of_queue),
        }
    return {"counted": COUNTED, "minute_s": minute_s, "queues": queues}


# The index jobs_job_ready leads with queue, priority, run_at: each depth is a bounded range of it.
_READY = """
SELECT q.name, q.is_external, q.paused_at, u.username, q.pause_reason,
    least(r.available, %(most)s)::int, least(r.scheduled, %(most)s)::int, r.oldest
FROM jobs_queue q LEFT JOIN auth_user u ON u.id = q.paused_by_id
CROSS JOIN LATERAL (
    SELECT sum(a.n) AS available, sum(s.n) AS scheduled, min(a.oldest) AS oldest
    FROM generate_series(0, 3) p
    CROSS JOIN LATERAL (
        SELECT count(*) AS n, min(d.run_at) AS oldest FROM (
            SELECT j.run_at FROM jobs_job j
            WHERE j.queue = q.name AND j.priority = p AND NOT j.blocked
                AND j.state IN ('scheduled', 'available') AND j.run_at <= %(now)s
            ORDER BY j.run_at LIMIT %(most)s
        ) d
    ) a
    CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM (
            SELECT FROM jobs_job j
            WHERE j.queue = q.name AND j.priority = p AND NOT j.blocked
                AND j.state IN ('scheduled', 'available') AND j.run_at > %(now)s
            ORDER BY j.run_at LIMIT %(most)s
        ) d
    ) s
) r
ORDER BY q.is_external, q.name
"""
_RUNNING = """
SELECT queue, count(*)::int FROM (
    SELECT queue FROM jobs_job WHERE state = 'running' LIMIT %(most)s
) r GROUP BY queue
"""
# Says the predicate of the index jobs_job_line, so that jobs without a key are not looked at.
_BLOCKED = """
SELECT queue, least(count(*), %(most)s)::int FROM (
    SELECT queue, blocked FROM jobs_job
    WHERE partition_key IS NOT NULL AND state IN ('scheduled', 'available', 'running')
    LIMIT %(keyed)s
) k WHERE blocked GROUP BY queue
"""
_DEAD = """
SELECT queue, count(*)::int FROM (
    SELECT queue FROM jobs_job WHERE state = 'dead' ORDER BY id DESC LIMIT %(most)s
) d GROUP BY queue
"""
# JobStat is written by the clock of the database, which nobody moves.
_RATES = """
SELECT queue,
    extract(epoch FROM date_trunc('minute', clock_timestamp()) - at) / 60 AS ago,
    coalesce(sum(count) FILTER (WHERE event = 'enqueued'), 0),
    coalesce(sum(count) FILTER (WHERE event IN ('completed', 'dead', 'cancelled')), 0),
    coalesce(sum(count) FILTER (WHERE event IN ('retried', 'dead', 'crashed')), 0)
FROM jobs_jobstat
WHERE at >= date_trunc('minute', clock_timestamp()) - %s * interval '1 minute'
GROUP BY queue, at
"""
