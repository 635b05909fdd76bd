"""What workers did, by stage (the kind of a job) and by worker. Out of tables, so that every process that is
asked says the same.

started counts the tries whose end is written, completed those that ended well, failed those that did not
(retried, dead, crashed): none of them ever falls. What was put off or handed back was no try.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from jobs import sql
from jobs.selectors.workers import WorkerView, workers_list
from jobs.stats import BOUNDS_MS
from lib import clock
from lib.errors import InputInvalid

LONGEST = timedelta(days=14)  # beyond that only totals are kept (jobs.stats.fold)

_STAGES = """
SELECT kind,
    coalesce(sum(count) FILTER (WHERE event = 'completed'), 0)::bigint,
    coalesce(sum(count) FILTER (WHERE event <> 'completed'), 0)::bigint,
    coalesce(sum(run_ms) FILTER (WHERE event = 'completed'), 0),
    coalesce(sum(wait_ms) FILTER (WHERE event = 'completed'), 0),
    jobs_hist_sum(run_hist) FILTER (WHERE event = 'completed')
FROM jobs_jobstat
WHERE event IN ('completed', 'retried', 'dead', 'crashed') {within}
GROUP BY kind ORDER BY kind
"""
_WITHIN = "AND at >= date_trunc('minute', clock_timestamp()) - %s"


@dataclass(frozen=True, slots=True)
class Stage:
    """A kind of job, and how its tries went. Times are those of tries that ended well; None: none did.

    p95_ms is the upper bound of the bucket in which the 95th of a hundred lies.
    """

    name: str
    completed: int
    failed: int
    avg_ms: float | None
    wait_avg_ms: float | None
    p95_ms: float | None

    @property
    def started(self) -> int:
        """Tries whose end is known."""
        return self.completed + self.failed


@dataclass(frozen=True, slots=True)
class Summary:
    """All stages, the workers of the last day, and how many jobs are leased at this moment."""

    at: datetime
    window: timedelta | None
    stages: Sequence[Stage]
    workers: Sequence[WorkerView]
    running: int

    @property
    def completed(self) -> int:
        """Of all stages."""
        return sum(stage.completed for stage in self.stages)

    @property
    def failed(self) -> int:
        """Of all stages."""
        return sum(stage.failed for stage in self.stages)

    @property
    def started(self) -> int:
        """Of all stages."""
        return self.completed + self.failed

    def workers_in(self, condition: str) -> int:
        """How many workers are alive, silent or stopped."""
        return sum(view.condition == condition for view in self.workers)


def summary(window: timedelta | None = None) -> Summary:
    """What was done since ever, or within the window. Four queries, none over a big table.

    Raises InputInvalid for a window that is empty or longer than LONGEST.
    """
    return Summary(clock.now(), window, stages(window), workers_list(), _running())


def stages(window: timedelta | None = None) -> list[Stage]:
    """By name. One query. Minutes older than two hours are kept as hours, so that a window of more than
    that begins with a whole hour."""
    if window is None:
        rows = sql.rows(_STAGES.format(within=""))
    else:
        if not timedelta(0) < window <= LONGEST:
            why = "must be longer than nothing and at most 14 days"
            raise InputInvalid(f"window {why}.", errors=[{"field": "window", "message": why}])
        rows = sql.rows(_STAGES.format(within=_WITHIN), [window])
    return [_stage(*row) for row in rows]


def _stage(
    kind: str, completed: int, failed: int, run_ms: float, wait_ms: float, hist: Any
) -> Stage:
    if not completed:
        return Stage(kind, completed, failed, None, None, None)
    return Stage(kind, completed, failed, run_ms / completed, wait_ms / completed, _p95(hist))


def _p95(hist: Any) -> float | None:
    counts: list[int] = orjson.loads(hist) if isinstance(hist, str) else (hist or [])
    wanted, so_far = 0.95 * sum(counts), 0
    for bound, count in zip(BOUNDS_MS, counts, strict=False):
        so_far += count
        if so_far and so_far >= wanted:
            return float(bound)
    return None  # in the open bucket, or nothing was counted


def _running() -> int:
    row = sql.row("SELECT count(*) FROM jobs_job WHERE state = 'running'")
    return int(row[0]) if row else 0
