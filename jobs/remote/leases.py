"""Leases for outside workers: the same function, order, gates and limits as inside.

What an inside worker does between leasing and running (jobs/engine) is done here before a job is
handed out: closed gates put it back unspent, and a job whose worker once died goes out alone.
"""

import itertools
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import DatabaseError, InterfaceError

from jobs import errors, sql
from jobs.ending import Ended, leases_release, outcomes_write
from jobs.engine.attempt import attempt_end, gate, outcomes_log
from jobs.lease import LEASE_COLUMNS, Lease, jobs_lease, lease_read, leases_reap
from jobs.lines import lines_wake
from jobs.models import Job, JobRecord, Queue, State
from jobs.registry import kind_find
from lib import clock
from lib.errors import DomainError

logger = logging.getLogger("jobs.remote")

SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(seconds=900)
MOST = 100  # jobs per lease
FAIR_TURN = 10  # one lease in so many takes the oldest job instead of the most urgent
UPKEEP_S = 1.0
ROUNDS = 5  # so often a lease tries again when gates turned all jobs back


class LeaseUnavailable(DomainError):
    """The job cannot be leased now: it runs, waits for its time or its turn, or has ended."""

    code = "not_available"


class QueuePaused(DomainError):
    """The queue of this job is paused."""

    code = "queue_paused"
    status = 423


@dataclass(frozen=True, slots=True)
class Held:
    """What a lease token says: which lease of which job, and how long the worker asked for it."""

    job_id: UUID
    fence: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Granted:
    """A job that was handed out. `until` is by the clock of Postgres."""

    lease: Lease
    held: Held
    until: datetime
    timeout_s: float
    progress: Any

    @property
    def deadline_at(self) -> datetime | None:
        """When the job must have started, and beyond which no lease goes."""
        deadline = self.lease.deadline
        return None if deadline is None else datetime.fromtimestamp(deadline, UTC)


_turns = itertools.count(1)
_kept_at = 0.0


def remote_lease(
    *,
    queues: Sequence[str],
    limit: int,
    worker: str,
    span: timedelta,
    kinds: Sequence[str] | None = None,
) -> list[Granted]:
    """Lease up to `limit` due jobs to an outside worker, most urgent first.

    Of a partition key only the head is given, so that order holds however many jobs the worker runs at
    once. Locks: as jobs_lease. Nothing is held back if it raises.
    """
    remote_upkeep()
    turn = next(_turns)
    start = turn % max(1, len(queues))
    order = [*queues[start:], *queues[:start]]  # no queue is always asked first
    found: list[Lease] = []
    try:
        for _ in range(ROUNDS):
            leases = jobs_lease(
                queues=order,
                limit=limit - len(found),
                worker=worker,
                oldest_first=turn % FAIR_TURN == 0,
                kinds=kinds,
                span=span,
            )
            found += leases
            if not leases:
                break
            refused = _gates(leases)
            found = [lease for lease in found if lease.id not in refused]
            if len(found) >= limit:
                break
        found = _alone(found)
        return _granted(found, span)
    except BaseException:
        _hand_back(found)
        raise


def remote_lease_one(*, job_id: UUID, worker: str, span: timedelta) -> Granted:
    """Lease one known job. Raises JobNotFound, QueuePaused, LeaseUnavailable.

    Order and gates hold: the head of a partition key only, and only when its time has come.
    """
    row = sql.row(
        f"""WITH picked AS (
            SELECT j.id FROM jobs_job j JOIN jobs_queue q ON q.name = j.queue
            WHERE j.id = %s AND j.state IN ('scheduled', 'available') AND NOT j.blocked
                AND j.run_at <= clock_timestamp() + %s AND q.paused_at IS NULL
            FOR UPDATE OF j SKIP LOCKED
        )
        UPDATE jobs_job j SET state = 'running', attempt = attempt + 1, fence = fence + 1,
            lease_until = clock_timestamp() + %s, worker = %s, started_at = clock_timestamp()
        WHERE j.id = (SELECT id FROM picked) RETURNING {LEASE_COLUMNS}""",
        [job_id, clock.offset(), span, worker],
    )
    if row is None:
        raise _why_not(job_id)
    lease = lease_read(row)
    try:
        refused = _gates([lease])
        if refused:
            raise LeaseUnavailable(f"job {job_id} may not start now: {refused[job_id]}")
        return _granted([lease], span)[0]
    except (DatabaseError, InterfaceError):
        _hand_back([lease])
        raise


def remote_hand_back(granted: Sequence[Granted]) -> None:
    """Take back at once what was leased for a caller who is gone; no attempt is spent."""
    _hand_back([each.lease for each in granted])


def remote_upkeep() -> None:
    """Take back leases that ran out and let stalled lines go on, for sites where no pool does it.

    At most once a second per process. Repeat and race: each row is moved once.
    """
    global _kept_at  # noqa: PLW0603 - one upkeep per process
    now = time.monotonic()
    if now - _kept_at < UPKEEP_S:
        return
    _kept_at = now
    for job in leases_reap():
        level = logging.ERROR if job.outcome == "dead" else logging.WARNING
        logger.log(
            level,
            "job %s: its lease ran out",
            job.outcome,
            extra={"job_id": str(job.id), "kind": job.kind, "queue": job.queue, "worker": job.worker},
        )  # fmt: skip
    lines_wake()


def _gates(leases: Sequence[Lease]) -> dict[UUID, str]:
    """Put back, unspent, what may not start now. {id: why}"""
    ended: list[Ended] = []
    started = clock.now().timestamp()
    for lease in leases:
        kind = kind_find(lease.kind)
        outcome = gate(lease, kind)
        if outcome is not None:
            ended.append(attempt_end(lease, kind, outcome, None, started))
    if ended:
        written = outcomes_write(ended)
        outcomes_log([end for end in ended if end.lease.id in written])
    return {end.lease.id: end.error or end.name for end in ended}


def _alone(leases: list[Lease]) -> list[Lease]:
    """A job whose worker once died goes out alone, so that a second death tells who did it."""
    suspects = [lease for lease in leases if lease.crash_count]
    if not suspects or len(leases) == 1:
        return leases
    kept = (
        leases[:1] if leases[0].crash_count else [each for each in leases if not each.crash_count]
    )
    leases_release([lease for lease in leases if lease not in kept])
    return kept


def _granted(leases: Sequence[Lease], span: timedelta) -> list[Granted]:
    """Bound the leases by their deadlines and read what a lease does not hold."""
    if not leases:
        return []
    ids = [lease.id for lease in leases]
    if any(lease.deadline is not None for lease in leases):
        sql.run(
            """UPDATE jobs_job SET lease_until = least(lease_until, deadline_at - %s)
            WHERE id = ANY(%s) AND state = 'running'""",
            [clock.offset(), ids],
        )
    rows = {
        row[0]: row[1:]
        for row in sql.rows(
            "SELECT id, lease_until, progress FROM jobs_job WHERE id = ANY(%s)", [ids]
        )
    }
    return [
        Granted(
            lease=lease,
            held=Held(lease.id, lease.fence, span),
            until=rows[lease.id][0],
            timeout_s=lease_timeout_s(lease.kind, lease.timeout_s),
            progress=_json(rows[lease.id][1]),
        )
        for lease in leases
        if lease.id in rows
    ]


def lease_timeout_s(kind_name: str, own: float | None) -> float:
    """How long one attempt may take: what the job says, else what its kind says."""
    kind = kind_find(kind_name)
    if own is not None:
        return own
    return kind.timeout.total_seconds() if kind else 60.0


def _why_not(job_id: UUID) -> DomainError:
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        record = JobRecord.objects.filter(pk=job_id).only("state").first()
        if record is None:
            return errors.JobNotFound(f"there is no job {job_id}")
        return LeaseUnavailable(f"job {job_id} is {record.state}")
    if job.state not in {State.SCHEDULED, State.AVAILABLE}:
        return LeaseUnavailable(f"job {job_id} is {job.state}")
    if Queue.objects.filter(name=job.queue).exclude(paused_at=None).exists():
        return QueuePaused(f"the queue {job.queue} is paused")
    if job.blocked:
        return LeaseUnavailable(f"job {job_id} waits behind others of {job.partition_key}")
    return LeaseUnavailable(f"job {job_id} waits for its time, {job.run_at:%F %T} UTC")


def _hand_back(leases: Sequence[Lease]) -> None:
    if leases:
        # If the database is away, too, they come back by their leases.
        with suppress(DatabaseError, InterfaceError):
            leases_release(leases)


def _json(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
