"""Leases: taking jobs, keeping them, and taking them back. How they end: jobs/ending.py.

Every write presents the fence of the lease; a row whose fence has moved on is left alone.
"""

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction

from jobs import sql, stats
from jobs.alerts import job_died
from lib import clock


@dataclass(slots=True)
class Lease:
    """A job that is ours until its lease ends. `args` is JSON; `due` is unix seconds."""

    id: UUID
    seq: int
    kind: str
    queue: str
    priority: int
    args: str
    due: float
    attempt: int
    max_attempts: int
    crash_count: int
    fence: int
    partition_key: str | None
    has_ties: bool  # a unique key or a batch hangs on its end
    timeout_s: float | None
    retry_delays: list[float] | None
    deadline: float | None
    correlation_id: str | None
    cancel_requested: bool
    checkpoint: Any
    parent_id: UUID | None
    batch_id: UUID | None
    held_until: float = math.inf  # time.monotonic() until which it is surely ours

    @property
    def failures(self) -> int:
        """Attempts that failed, if this one fails too; crashes are counted apart."""
        return self.attempt - self.crash_count


# Of jobs_job, in the order of the fields of Lease.
LEASE_COLUMNS = """
id, seq, kind, queue, priority, args::text, date_part('epoch', run_at), attempt, max_attempts,
    crash_count, fence, partition_key, unique_key IS NOT NULL OR batch_id IS NOT NULL, timeout_s,
    retry_delays, date_part('epoch', deadline_at), correlation_id, cancel_requested_at IS NOT NULL,
    checkpoint, parent_id, batch_id
"""
LEASE = f"SELECT {LEASE_COLUMNS} FROM jobs_lease(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_SUSPECTS = f"SELECT {LEASE_COLUMNS} FROM jobs_lease_suspects(%s, %s, %s, %s, %s)"


def jobs_lease(
    *,
    queues: Sequence[str],
    limit: int,
    worker: str,
    chain: int = 0,
    oldest_first: bool = False,
    kinds: Sequence[str] | None = None,
    span: timedelta | None = None,
    spare: bool = False,
) -> list[Lease]:
    """Lease up to `limit` due jobs, most urgent first; jobs of one partition key in their order.

    chain: how many jobs of a key may follow its head into the same lease.
    oldest_first: the fair turn, which takes the oldest job whatever its priority.
    spare: leave jobs whose worker once died to `suspects_lease`.
    Locks: rows held by others are skipped, so that workers never wait for each other.
    """
    span = span or settings.JOBS["lease"]
    asked_at = time.monotonic()
    params = [
        list(queues), limit, worker, span, clock.offset(), chain, oldest_first,
        None if kinds is None else list(kinds), spare,
    ]  # fmt: skip
    found = sql.rows(LEASE, params)
    return in_order(found, asked_at + span.total_seconds(), oldest_first=oldest_first)


def suspects_lease(*, queues: Sequence[str], limit: int, worker: str) -> list[Lease]:
    """Lease due jobs whose worker once died, oldest first. Locks: as jobs_lease.

    Whoever takes one runs nothing else beside it, so that a second death tells who did it.
    """
    span = settings.JOBS["lease"]
    asked_at = time.monotonic()
    found = sql.rows(_SUSPECTS, [list(queues), limit, worker, span, clock.offset()])
    return in_order(found, asked_at + span.total_seconds(), oldest_first=True)


def in_order(
    found: Sequence[tuple[Any, ...]], held_until: float, *, oldest_first: bool
) -> list[Lease]:
    """Leases of rows in the order in which they are to run. Asked before: rather held too short."""
    leases = [lease_read(row) for row in found]
    for lease in leases:
        lease.held_until = held_until
    if oldest_first:
        leases.sort(key=lambda lease: (lease.due, lease.seq))
    else:
        leases.sort(key=lambda lease: (lease.priority, lease.due, lease.seq))
    return _keys_in_order(leases) if any(lease.partition_key for lease in leases) else leases


def lease_read(row: tuple[Any, ...]) -> Lease:
    """A lease from a row of LEASE_COLUMNS."""
    lease = Lease(*row)
    # Django leaves JSON columns of raw queries as text.
    if lease.retry_delays is not None:
        lease.retry_delays = orjson.loads(lease.retry_delays)  # type: ignore[arg-type]
    if lease.checkpoint is not None:
        lease.checkpoint = orjson.loads(lease.checkpoint)
    return lease


def _keys_in_order(leases: list[Lease]) -> list[Lease]:
    """Keep each place, but let the jobs of a key fill the places of that key in order of seq."""
    lines: dict[str, list[Lease]] = {}
    for lease in leases:
        if lease.partition_key:
            lines.setdefault(lease.partition_key, []).append(lease)
    turns = {key: iter(sorted(line, key=lambda lease: lease.seq)) for key, line in lines.items()}
    return [next(turns[lease.partition_key]) if lease.partition_key else lease for lease in leases]


def leases_of(worker: str) -> list[Lease]:
    """All that a worker holds, whether it knows it or not."""
    query = f"SELECT {LEASE_COLUMNS} FROM jobs_job WHERE worker = %s AND state = 'running'"
    return [lease_read(row) for row in sql.rows(query, [worker])]


def leases_extend(
    pairs: Sequence[tuple[UUID, int]], *, span: timedelta | None = None
) -> dict[UUID, bool]:
    """Move the ends of leases to now + span. {id: whether a cancel is wished}; lost ones are missing.

    Locks: waits for nobody. A row that is locked keeps its end for now and counts as held: mostly it is
    our own other thread that is writing how it ended.
    """
    return dict(
        sql.rows(
            """WITH given AS (
                SELECT * FROM unnest(%s::uuid[], %s::bigint[]) f (id, fence)
            ), free AS MATERIALIZED (
                SELECT j.id FROM jobs_job j JOIN given f ON j.id = f.id
                WHERE j.fence = f.fence AND j.lease_until IS NOT NULL
                FOR NO KEY UPDATE OF j SKIP LOCKED
            ), extended AS (
                UPDATE jobs_job j SET lease_until = clock_timestamp() + %s
                FROM free WHERE j.id = free.id
            )
            SELECT j.id, j.cancel_requested_at IS NOT NULL FROM jobs_job j JOIN given f ON j.id = f.id
            WHERE j.fence = f.fence AND j.lease_until IS NOT NULL""",
            [*_split(pairs), span or settings.JOBS["lease"]],
        )
    )


def leases_look(pairs: Sequence[tuple[UUID, int]]) -> dict[UUID, bool]:
    """Like leases_extend, but only looks: {id: whether a cancel is wished} of those still ours."""
    return dict(
        sql.rows(
            """SELECT j.id, j.cancel_requested_at IS NOT NULL FROM jobs_job j
            JOIN unnest(%s::uuid[], %s::bigint[]) f (id, fence) ON j.id = f.id
            WHERE j.fence = f.fence AND j.lease_until IS NOT NULL""",
            _split(pairs),
        )
    )


def _split(pairs: Sequence[tuple[UUID, int]]) -> list[Any]:
    return [[job_id for job_id, _ in pairs], [fence for _, fence in pairs]]


def progress_write(job_id: UUID, fence: int, progress: str | None, checkpoint: str | None) -> bool:
    """Write progress and checkpoint (JSON) of a running job. False: the lease was lost."""
    changed = sql.run(
        """UPDATE jobs_job SET progress = coalesce(%s::jsonb, progress),
            checkpoint = coalesce(%s::jsonb, checkpoint)
        WHERE id = %s AND fence = %s AND state = 'running'""",
        [progress, checkpoint, job_id, fence],
    )
    return changed == 1


@dataclass(frozen=True, slots=True)
class Reaped:
    """A job that was taken back: crashed (counts), released (innocent) or dead (poison)."""

    id: UUID
    kind: str
    queue: str
    outcome: str
    worker: str


def leases_reap(
    *,
    worker: str | None = None,
    known: Collection[str] = (),
    culprits: Sequence[UUID] = (),
    limit: int = 500,
) -> list[Reaped]:
    """Take back jobs whose lease ran out, or all of one worker that is known to be gone.

    known: workers of which the caller knows what they are at; culprits: those jobs. All others in the
    pockets of these workers keep their attempt; what strangers held counts a crash each. Repeat and
    race: each row is moved once, whoever comes first.
    """
    with transaction.atomic():
        found = sql.rows(
            "SELECT * FROM jobs_reap(%s, %s::text[], %s::uuid[], %s, %s, %s)",
            [
                worker,
                list(known),
                list(culprits),
                settings.JOBS["max_crashes"],
                limit,
                clock.offset(),
            ],
        )
        reaped = [Reaped(*row) for row in found]
        if worker is None:
            stats.expired((lost.kind, lost.queue) for lost in reaped)
        for lost in reaped:
            if lost.outcome == "dead":
                job_died(
                    kind_name=lost.kind, job_id=lost.id, error="its workers died while they ran it"
                )
    return reaped
