"""Doing a cleanup: piece by piece, each a short transaction that also writes down what went with it.

A killed run is taken up by the next attempt of its job: what is gone is gone and counted, the walk
begins anew and finds only what is left.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from redis.exceptions import RedisError

from jobs import sql
from jobs.context import JobContext
from jobs.errors import JobCancelled, LeaseLost
from jobs.faults import fault
from jobs.storable import storable
from lib import clock
from lib.ids import uuid7
from lib.patience import TableBusy
from reports.retention.models import RetentionRun, RunState
from reports.retention.policies import Policy
from reports.retention.steps.base import Gone

# After each piece others have the disk for as long as it took, within these bounds.
PAUSE_LEAST_S, PAUSE_MOST_S = 0.01, 0.5

logger = logging.getLogger("switchboard.retention")

_OPEN = """
INSERT INTO retention_run (id, kind, state, is_dry, job_id, fence, started_at)
VALUES (%(id)s, %(kind)s, 'running', %(is_dry)s, %(job)s, %(fence)s, %(now)s)
ON CONFLICT (job_id) DO UPDATE SET state = 'running', fence = EXCLUDED.fence, error = '',
    finished_at = NULL, started_at = coalesce(retention_run.started_at, EXCLUDED.started_at)
"""
# Runs of this kind whose job is over, though they do not know: it was killed for good.
_LOST = """
UPDATE retention_run r SET state = 'failed', finished_at = %(now)s,
    error = 'its job ended without a word'
WHERE r.kind = %(kind)s AND r.state IN ('waiting', 'running') AND r.job_id <> %(job)s
    AND NOT EXISTS (SELECT FROM jobs_job j WHERE j.id = r.job_id AND j.state <> 'dead')
"""
_NOTE = """
UPDATE retention_run SET tables = %(tables)s::jsonb, rows = %(rows)s, partitions = %(partitions)s,
    bytes = %(bytes)s
WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
"""


@dataclass(slots=True)
class _Sum:
    """What a run has removed so far, in one table or in all."""

    rows: int = 0
    bytes: int = 0
    partitions: int = 0


def retention_do(policy: Policy, *, is_dry: bool, context: JobContext) -> dict[str, Any]:
    """Count or remove what is old, in the row of this job's run. Returns its figures.

    Raises JobCancelled, JobTimeout, LeaseLost, TableBusy, redis.RedisError; the row says so.
    """
    run = _begin(policy, is_dry, context)
    try:
        for step in policy.steps():
            if is_dry:
                run.note(step.table, step.count(clock.now()))
                context.check()
            else:
                run.tell(step.table)
                _pieces(run, step.remove(clock.now(), run.noter(step.table)), context)
    except LeaseLost:
        raise  # somebody else writes the row now
    except JobCancelled:
        run.end(RunState.CANCELLED)
        raise
    except BaseException as exc:
        run.end(RunState.FAILED, _why(exc))
        raise
    run.end(RunState.DONE)
    logger.info(
        "%s %s %d rows and %d partitions",
        policy.kind,
        "would remove" if is_dry else "removed",
        run.sum.rows,
        run.sum.partitions,
        extra={"kind": policy.kind, "dry_run": is_dry, "tables": run.counts()},
    )
    return {"run": str(run.id), "rows": run.sum.rows, "partitions": run.sum.partitions}


def _pieces(run: "_Run", pieces: Iterable[None], context: JobContext) -> None:
    began = time.monotonic()
    for _ in pieces:
        fault("retention.piece")
        context.report(run.sum.rows, msg=f"{run.table}: {run.sum.rows} rows so far")
        context.check()
        time.sleep(min(max(time.monotonic() - began, PAUSE_LEAST_S), PAUSE_MOST_S))
        began = time.monotonic()


def _why(exc: BaseException) -> str:
    if isinstance(exc, RedisError):
        return f"Redis is away ({type(exc).__name__}); what stands before it is done"
    if isinstance(exc, TableBusy):
        return str(exc)
    return storable(f"{type(exc).__name__}: {exc}")[:500]


def _begin(policy: Policy, is_dry: bool, context: JobContext) -> "_Run":
    """The run of this job: made by whoever asked for it, or by its first attempt."""
    params = {
        "id": uuid7(), "kind": policy.kind, "is_dry": is_dry, "job": context.id,
        "fence": context.fence, "now": clock.now(),
    }  # fmt: skip
    sql.run(_LOST, params)
    sql.run(_OPEN, params)
    row = RetentionRun.objects.get(job_id=context.id)
    return _Run(row, context.fence)


class _Run:
    """The row of a run while one attempt of its job writes it."""

    def __init__(self, row: RetentionRun, fence: int) -> None:
        self.id: UUID = row.pk
        self.table = ""
        self.sum = _Sum(row.rows, row.bytes, row.partitions)
        self._fence = fence
        # A dry run counts anew.
        self._tables: dict[str, Any] = {} if row.is_dry else row.tables
        if row.is_dry:
            self.sum = _Sum()

    def tell(self, table: str) -> None:
        """Which table it is at, for the progress."""
        self.table = table

    def noter(self, table: str) -> Any:
        """What a step calls for each piece, in the transaction of that piece."""
        return lambda gone: self.note(table, gone)

    def note(self, table: str, gone: Gone) -> None:
        """Add what went. Raises LeaseLost, and with it undoes the piece, if the run is not ours."""
        found = self._tables.setdefault(
            table, {"rows": 0, "bytes": 0, "partitions": [], "is_estimate": False}
        )
        found["rows"] += gone.rows
        found["bytes"] += gone.bytes
        found["partitions"] += gone.partitions
        found["is_estimate"] = found["is_estimate"] or gone.is_estimate
        self.sum.rows += gone.rows
        self.sum.bytes += gone.bytes
        self.sum.partitions += len(gone.partitions)
        changed = sql.run(
            _NOTE,
            {
                "tables": orjson.dumps(self._tables).decode(),
                "rows": self.sum.rows,
                "partitions": self.sum.partitions,
                "bytes": self.sum.bytes,
                "id": self.id,
                "fence": self._fence,
            },
        )
        if not changed:
            raise LeaseLost

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return {table: each["rows"] for table, each in self._tables.items()}

    def end(self, state: RunState, error: str = "") -> None:
        """Write how it ended."""
        RetentionRun.objects.filter(pk=self.id, fence=self._fence).update(
            state=state, finished_at=clock.now(), error=error
        )
