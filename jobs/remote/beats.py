"""Heartbeats of outside workers: keep a lease, tell progress, learn of a wished cancel.

A heartbeat extends from now on and never shortens. No beat extends beyond the deadline of the job or
the time limit of the attempt, so that a worker that beats and does nothing holds no job for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from jobs import sql, stats
from jobs.models import OPEN, JobRecord
from jobs.registry import kinds
from jobs.remote.leases import Held
from jobs.remote.lines import Line, lines_add
from jobs.remote.outcomes import held_refusal, lease_refusal
from jobs.remote.workers import worker_counted
from lib import clock
from lib.errors import DomainError, TooLarge

MOST_PROGRESS_BYTES = 16 * 1024


class CheckpointTooLarge(TooLarge):
    """Progress or checkpoint is larger than the limit."""

    code = "checkpoint_too_large"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker says about a job that it holds. span: how long from now; None: nothing new."""

    held: Held
    span: timedelta
    progress: dict[str, Any] | None = None
    checkpoint: Any = None
    lines: Sequence[Line] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A lease that stands. timed_out: its time limit is over, it cannot be extended any more."""

    job_id: UUID
    until: datetime
    cancel_requested: bool
    timed_out: bool
    worker: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A lease that does not stand. code: fenced (somebody else's, or waiting), or gone (ended)."""

    job_id: UUID
    code: str


_EXTEND = """
UPDATE jobs_job j SET
    lease_until = greatest(j.lease_until, least(
        clock_timestamp() + f.span, j.deadline_at - %s, j.started_at + make_interval(secs => f.limit_s)
    )),
    progress = coalesce(f.progress::jsonb, j.progress),
    checkpoint = coalesce(f.checkpoint::jsonb, j.checkpoint)
FROM (
    SELECT h.*, coalesce(o.timeout_s, l.timeout_s, 60) AS limit_s
    FROM unnest(%s::uuid[], %s::bigint[], %s::interval[], %s::text[], %s::text[])
        AS h (id, fence, span, progress, checkpoint)
    JOIN jobs_job o ON o.id = h.id
    LEFT JOIN unnest(%s::text[], %s::float8[]) AS l (kind, timeout_s) ON l.kind = o.kind
) f
WHERE j.id = f.id AND j.fence = f.fence AND j.state = 'running'
RETURNING j.id, j.lease_until, j.cancel_requested_at IS NOT NULL,
    j.started_at + make_interval(secs => f.limit_s) <= clock_timestamp(), j.worker
"""


def remote_beat(beat: Beat) -> tuple[Kept, str]:
    """Extend one lease. Returns it and the directive of its worker.

    Repeat-safe. Raises LeaseFenced, LeaseEnded, JobNotFound, CheckpointTooLarge.
    """
    kept = _extend([beat])
    if beat.held.job_id not in kept:
        raise _refusal(beat.held)
    if beat.lines:
        lines_add(beat.held.job_id, beat.held.fence, beat.lines)
    found = kept[beat.held.job_id]
    return found, worker_counted(found.worker)


def remote_beats(beats: Sequence[Beat]) -> tuple[list[Kept], list[Lost]]:
    """Extend many leases of one worker in one statement. Repeat-safe. Raises CheckpointTooLarge."""
    kept = _extend(beats) if beats else {}
    missing = [beat.held.job_id for beat in beats if beat.held.job_id not in kept]
    others = JobRecord.objects.filter(pk__in=missing, state__in=OPEN)
    fenced = {job_id: kind for job_id, *kind in others.values_list("id", "kind", "queue")}
    for kind, queue in fenced.values():
        stats.fenced(kind, queue)
    lost = [Lost(job_id, "fenced" if job_id in fenced else "gone") for job_id in missing]
    return list(kept.values()), lost


def _extend(beats: Sequence[Beat]) -> dict[UUID, Kept]:
    limits = {kind.name: kind.timeout.total_seconds() for kind in kinds()}
    rows = sql.rows(
        _EXTEND,
        [
            clock.offset(),
            [beat.held.job_id for beat in beats],
            [beat.held.fence for beat in beats],
            [beat.span for beat in beats],
            [_dump("progress", beat.progress, MOST_PROGRESS_BYTES) for beat in beats],
            [_dump("checkpoint", beat.checkpoint, settings.JOBS["max_args_bytes"]) for beat in beats],
            list(limits),
            list(limits.values()),
        ],
    )  # fmt: skip
    return {row[0]: Kept(*row) for row in rows}


def _dump(name: str, value: Any, most: int) -> str | None:
    if value is None:
        return None
    dumped = orjson.dumps(value)
    if len(dumped) > most:
        raise CheckpointTooLarge(f"{name} is {len(dumped)} bytes; at most {most} are kept")
    return dumped.decode()


def _refusal(held: Held) -> DomainError:
    found = (
        JobRecord.objects.filter(pk=held.job_id)
        .values_list("state", "fence", "kind", "queue")
        .first()
    )
    return held_refusal(held.job_id) if found is None else lease_refusal(held.job_id, *found)
