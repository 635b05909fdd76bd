"""How attempts of outside workers end: by the same outcomes, ladders and fence as inside.

A lease that is not there any more is told apart with care, because an answer may have been lost:

    its own end came before, and nobody leased since    the first answer again
    somebody leased since, or it was taken back         LeaseFenced (409), nothing changed
    the job has ended by another way                    LeaseEnded (410), nothing changed
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson
from django.conf import settings

from jobs import breakers, errors, sql, stats
from jobs.ending import Ended, outcomes_write
from jobs.engine.attempt import attempt_end, outcomes_log
from jobs.lease import LEASE_COLUMNS, Lease, lease_read
from jobs.models import AttemptLine, JobAttempt, JobRecord
from jobs.outcomes import Cancel, Done, Outcome, Snooze
from jobs.registry import kind_find
from jobs.remote.leases import Held
from jobs.remote.lines import Line, lines_dump, lines_join
from jobs.remote.workers import worker_counted
from lib import clock
from lib.errors import DomainError, TooLarge

COMPLETE, FAIL, RELEASE = "complete", "fail", "release"
# Which recorded ends are the same end told again.
_SAME = {
    COMPLETE: {"completed"},
    FAIL: {"retried", "dead", "cancelled"},
    RELEASE: {"released", "snoozed", "cancelled"},
}


class ResultTooLarge(TooLarge):
    """The result is larger than the limit; keep it elsewhere and return its address."""

    code = "result_too_large"


@dataclass(frozen=True, slots=True)
class End:
    """What a worker says about its attempt. `verb` is complete, fail or release."""

    held: Held
    verb: str
    outcome: Outcome
    lines: Sequence[Line] = ()
    metrics: Mapping[str, float] | None = None
    service_failed: bool = False  # the outside service of the kind was at fault: its breaker counts


@dataclass(frozen=True, slots=True)
class Settled:
    """What the row became. run_at: when it is tried again; attempt: attempts spent so far."""

    job_id: UUID
    state: str
    attempt: int
    max_attempts: int
    run_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    lease: Lease
    worker: str
    started: float
    lines: list[Line]


def remote_end(end: End) -> Settled:
    """Write how one attempt ended. Raises LeaseFenced, LeaseEnded, JobNotFound, ResultTooLarge."""
    settled = remote_ends([end])[0]
    if isinstance(settled, DomainError):
        raise settled
    return settled


def remote_ends(ends: Sequence[End]) -> list[Settled | DomainError]:
    """Write how attempts ended, each by itself: for each what became of it, or why nothing did.

    Repeat: an end that was written is answered again. Two ends of one lease in one call: the first
    counts. Locks: the rows, as outcomes_write.
    """
    results: dict[int, Settled | DomainError] = {}
    for index, end in enumerate(ends):
        if (large := _too_large(end.outcome)) is not None:
            results[index] = large
    found = _running([end.held for index, end in enumerate(ends) if index not in results])
    written: dict[int, Ended] = {}
    taken: set[UUID] = set()
    for index, end in enumerate(ends):
        running = found.get((end.held.job_id, end.held.fence))
        if index not in results and running is not None and end.held.job_id not in taken:
            taken.add(end.held.job_id)
            written[index] = _ended(end, running)
    changed = outcomes_write(list(written.values())) if written else set()
    outcomes_log([ended for ended in written.values() if ended.lease.id in changed])
    for index, ended in written.items():
        if ended.lease.id in changed:
            results[index] = _settled(ended)
            _after(ends[index], ended)
    _count([(found[ends[i].held.job_id, ends[i].held.fence].worker, written[i].name)
            for i in written if written[i].lease.id in changed])  # fmt: skip
    missing = [index for index in range(len(ends)) if index not in results]
    fates = _fates([ends[index].held for index in missing])
    for index in missing:
        results[index] = _judge(ends[index], fates.get(ends[index].held.job_id))
    return [results[index] for index in range(len(ends))]


def _too_large(outcome: Outcome) -> ResultTooLarge | None:
    if not isinstance(outcome, Done) or outcome.result is None:
        return None
    most = settings.JOBS["max_args_bytes"]
    size = len(orjson.dumps(outcome.result))
    if size <= most:
        return None
    return ResultTooLarge(f"the result is {size} bytes; at most {most} are kept", limit_bytes=most)


def _running(helds: Sequence[Held]) -> dict[tuple[UUID, int], _Found]:
    """The leases that still stand, with the lines that their workers logged so far."""
    if not helds:
        return {}
    rows = sql.rows(
        f"""SELECT {LEASE_COLUMNS}, worker, date_part('epoch', started_at), (
            SELECT json_agg(json_build_array(date_part('epoch', l.at), l.level, l.message) ORDER BY l.id)
            FROM jobs_attemptline l WHERE l.job_id = j.id AND l.fence = j.fence)
        FROM jobs_job j JOIN unnest(%s::uuid[], %s::bigint[]) f (held_id, held_fence)
            ON j.id = f.held_id AND j.fence = f.held_fence
        WHERE j.state = 'running'""",
        [[held.job_id for held in helds], [held.fence for held in helds]],
    )
    found = {}
    for *columns_of_lease, worker, started, lines in rows:
        lease = lease_read(tuple(columns_of_lease))
        kept = [
            Line(*line) for line in (orjson.loads(lines) if isinstance(lines, str) else lines or [])
        ]
        found[lease.id, lease.fence] = _Found(lease, worker, started, kept)
    return found


def _ended(end: End, running: _Found) -> Ended:
    outcome = end.outcome
    if running.lease.cancel_requested and end.verb != COMPLETE:
        outcome = Cancel("cancelled while it ran")
    started = running.started + clock.offset().total_seconds()
    kind = kind_find(running.lease.kind)
    ended = attempt_end(running.lease, kind, outcome, None, started)
    if ended.run_at is not None:
        # In whole milliseconds, so that Postgres and a repeated answer say the same moment.
        ended.run_at = math.floor(ended.run_at * 1000) / 1000
    if isinstance(outcome, Snooze) and not outcome.after:
        ended = Ended(running.lease, "released", started, ended.finished)
    ended.logs = lines_dump(lines_join(running.lines, end.lines), end.metrics)
    return ended


def _settled(ended: Ended) -> Settled:
    lease = ended.lease
    spent = lease.attempt - (ended.name in {"released", "snoozed"})
    if ended.name in {"completed", "dead", "cancelled"}:
        return Settled(lease.id, ended.name, spent, lease.max_attempts)
    run_at = None if ended.run_at is None else datetime.fromtimestamp(ended.run_at, UTC)
    waits = run_at is not None and ended.run_at is not None and ended.run_at > ended.finished
    return Settled(
        lease.id, "scheduled" if waits else "available", spent, lease.max_attempts, run_at
    )


def _after(end: End, ended: Ended) -> None:
    """What follows from an end that was written."""
    if ended.logs is not None:
        AttemptLine.objects.filter(job_id=end.held.job_id, fence=end.held.fence).delete()
    kind = kind_find(ended.lease.kind)
    if kind is not None and kind.breaker:
        if end.service_failed:
            breakers.record_failure(kind.breaker, ended.error or "")
        elif ended.name == "completed":
            breakers.record_success(kind.breaker)


def _count(ends: Sequence[tuple[str, str]]) -> None:
    completed = Counter(worker for worker, name in ends if name == "completed")
    failed = Counter(worker for worker, name in ends if name in {"retried", "dead"})
    for worker in sorted({worker for worker, _ in ends}):
        worker_counted(worker, completed=completed[worker], failed=failed[worker])


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a job is now, and how its latest lease ended ("running": it did not)."""

    state: str
    fence: int
    attempt: int
    max_attempts: int
    ended: str
    run_at: datetime | None
    kind: str
    queue: str


def _fates(helds: Sequence[Held]) -> dict[UUID, Fate]:
    """Two queries, however many."""
    if not helds:
        return {}
    ids = [held.job_id for held in helds]
    records = JobRecord.objects.filter(pk__in=ids).values_list(
        "id", "state", "fence", "attempt", "max_attempts", "worker", "kind", "queue"
    )
    tries = {
        (row[0], row[1]): row[2:]
        for row in JobAttempt.objects.filter(job_id__in=ids).values_list(
            "job_id", "fence", "outcome", "next_run_at", "finished_at"
        )
    }
    return {
        job_id: _fate(state, fence, attempt, most, worker, tries.get((job_id, fence)), kind)
        for job_id, state, fence, attempt, most, worker, *kind in records
    }


def _fate(
    state: str,
    fence: int,
    attempt: int,
    most: int,
    worker: str | None,
    tried: tuple[str, datetime | None, datetime] | None,
    kind: Sequence[str],
) -> Fate:
    """`tried` is the row of the latest lease; a lease that was handed back leaves none."""
    if state in {"running", "completed", "cancelled"}:
        return Fate(state, fence, attempt, most, state, None, *kind)
    if tried is None:
        return Fate(state, fence, attempt, most, "released", None, *kind)
    ended, run_at, finished_at = tried
    if run_at is not None:
        # As the first answer said, whatever the clock says now.
        state = "scheduled" if run_at > finished_at else "available"
    if ended == "dead" and worker is None:
        ended = "crashed"  # given up by the reaper, not by its worker
    return Fate(state, fence, attempt, most, ended, run_at, *kind)


def _judge(end: End, fate: Fate | None) -> Settled | DomainError:
    job_id = end.held.job_id
    if fate is None:
        return errors.LeaseEnded(f"job {job_id} is not kept any more")
    if fate.fence == end.held.fence and fate.ended in _SAME[end.verb]:
        return Settled(job_id, fate.state, fate.attempt, fate.max_attempts, fate.run_at)
    return lease_refusal(job_id, fate.state, fate.fence, fate.kind, fate.queue)


def lease_refusal(job_id: UUID, state: str, fence: int, kind: str, queue: str) -> DomainError:
    """Why a lease that does not stand any more changes nothing. Counted, if somebody else has the job."""
    if state in {"completed", "cancelled", "dead"}:
        return errors.LeaseEnded(f"job {job_id} is {state}", state=state, current_fence=fence)
    stats.fenced(kind, queue)
    return errors.LeaseFenced(
        f"this lease of job {job_id} is over; the job is {state}", state=state, current_fence=fence
    )


def held_refusal(job_id: UUID) -> DomainError:
    """What to say to a token that does not fit this job."""
    record = JobRecord.objects.filter(pk=job_id).values_list("fence", flat=True).first()
    if record is None:
        return errors.JobNotFound(f"there is no job {job_id}")
    return errors.LeaseFenced(
        f"this is no lease token of job {job_id}; nothing was changed", current_fence=record
    )
