"""Rate limits that hold across all workers: one row per bucket, generic cell rate algorithm.

The row lives in Postgres rather than in Redis, because Redis may vanish and a limit may not: an outside
service would punish us for the flood (docs/decisions/0002).
"""

from datetime import datetime, timedelta

from jobs import sql, stats
from jobs.compiled import rows_of
from jobs.registry import Rate, kind_find

OF_KIND = "kind:"  # how the bucket of a kind of job begins

_TAKE = """
INSERT INTO jobs_ratebucket AS b (name, tat) VALUES (%(name)s, clock_timestamp() + %(cost)s)
ON CONFLICT (name) DO UPDATE SET tat = greatest(b.tat, clock_timestamp()) + %(cost)s
WHERE greatest(b.tat, clock_timestamp()) + %(cost)s - %(burst)s <= clock_timestamp()
    AND (b.paused_until IS NULL OR b.paused_until <= clock_timestamp())
RETURNING 1
"""
_WAIT = """
SELECT greatest(tat + %(cost)s - %(burst)s, coalesce(paused_until, '-infinity')) - clock_timestamp()
FROM jobs_ratebucket WHERE name = %(name)s
"""
_PAUSED = """
SELECT paused_until FROM jobs_ratebucket WHERE name = %s AND paused_until > clock_timestamp()
"""


def take(name: str, rate: Rate, cost: int = 1) -> timedelta | None:
    """Take tokens from a bucket. None: taken; else how long to wait before asking again.

    Repeat: each call takes. Locks: the bucket's row, for the time of one statement (or until the end
    of the caller's transaction, so do not call it inside one). A refusal of a kind of job is counted;
    other buckets are paces, at which somebody waits all the time.
    """
    step = rate.per / rate.count
    params = {"name": name, "cost": step * cost, "burst": step * max(rate.burst, cost)}
    if sql.row(_TAKE, params) is not None:
        return None
    if name.startswith(OF_KIND) and (kind := kind_find(name.removeprefix(OF_KIND))) is not None:
        stats.rate_limited(kind.name, kind.queue)
    row = sql.row(_WAIT, params)
    wait: timedelta = row[0] if row else timedelta(0)
    return max(wait, timedelta(milliseconds=5))


def pause(name: str, span: timedelta, *, is_asked: bool = True) -> None:
    """Nobody takes from the bucket for so long; a longer pause that runs already stays.

    is_asked: the service itself asked for it (429), which is counted under the name of the bucket.
    """
    if is_asked:
        stats.throttled(name)
    sql.run(
        """INSERT INTO jobs_ratebucket AS b (name, tat, paused_until)
        VALUES (%(name)s, clock_timestamp(), clock_timestamp() + %(span)s)
        ON CONFLICT (name) DO UPDATE
        SET paused_until = greatest(b.paused_until, EXCLUDED.paused_until)""",
        {"name": name, "span": span},
    )


def paused_until(name: str) -> datetime | None:
    """Until when the bucket is paused, if it is."""
    return next((until for (until,) in rows_of(_PAUSED, [name])), None)
