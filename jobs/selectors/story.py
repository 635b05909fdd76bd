"""The story of one job: its tries, what holds it up, what it comes from and what followed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction

from jobs.lines import line_jobs
from jobs.models import AuditEntry, Breaker, JobAttempt, JobRecord, Queue, State, Worker
from jobs.registry import kind_find
from jobs.selectors.listing import COLUMNS, id_floor
from jobs.workers import SILENT_AFTER
from lib import clock

TRIES = 100
FOLLOW_UPS = 50
PATIENCE_MS = 250


@dataclass(slots=True)
class Try:
    """One try of a job. `waited`: from when it could have started until it did."""

    number: int
    outcome: str
    worker: str | None
    fence: int
    started_at: datetime | None
    finished_at: datetime | None
    waited: timedelta | None
    error: str | None = None
    logs: list[dict[str, Any]] = field(default_factory=list)
    next_run_at: datetime | None = None

    @property
    def ran(self) -> timedelta | None:
        """How long it ran; of a running one, until now."""
        if self.started_at is None:
            return None
        return (self.finished_at or clock.now()) - self.started_at


def job_tries(job: JobRecord) -> list[Try]:
    """The tries of a job, oldest first; the latest TRIES of them. One query.

    Earlier tries have rows; the one that ended the job well is in the job's own row.
    """
    rows = list(JobAttempt.objects.filter(job_id=job.pk).order_by("-finished_at")[:TRIES])[::-1]
    due = job.run_at if not rows and job.run_at >= job.created_at else job.created_at
    tries = []
    for row in rows:
        tries.append(
            Try(
                number=row.attempt,
                outcome=row.outcome,
                worker=row.worker,
                fence=row.fence,
                started_at=row.started_at,
                finished_at=row.finished_at,
                waited=_waited(due, row.started_at),
                error=row.error,
                logs=row.logs or [],
                next_run_at=row.next_run_at,
            )
        )
        due = row.next_run_at or row.finished_at
    in_own_row = job.state in {State.RUNNING, State.COMPLETED, State.CANCELLED}
    if in_own_row and job.started_at and not any(row.fence == job.fence for row in rows):
        tries.append(
            Try(
                number=job.attempt,
                outcome=job.state,
                worker=job.worker,
                fence=job.fence,
                started_at=job.started_at,
                finished_at=job.finished_at,
                waited=_waited(due, job.started_at),
                error=job.last_error if job.state == State.CANCELLED else None,
                logs=job.logs or [],
            )
        )
    return tries


def _waited(due: datetime, started_at: datetime | None) -> timedelta | None:
    return None if started_at is None else max(started_at - due, timedelta(0))


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that keeps a waiting job from running. `about`: queue, breaker, key, worker, kind."""

    about: str
    name: str
    text: str
    job_id: UUID | None = None


def job_obstacles(job: JobRecord) -> list[Obstacle]:
    """What a waiting job waits for besides its time. At most four queries; none if it does not wait."""
    if job.state not in {State.SCHEDULED, State.AVAILABLE}:
        return []
    return list(_obstacles(job))


def _obstacles(job: JobRecord) -> Iterator[Obstacle]:
    queue = Queue.objects.select_related("paused_by").filter(pk=job.queue).first()
    if queue is not None and queue.paused_at:
        who = queue.paused_by.get_username() if queue.paused_by else "somebody"
        why = f": {queue.pause_reason}" if queue.pause_reason else ""
        yield Obstacle("queue", job.queue, f"Its queue {job.queue} is paused by {who}{why}.")
    kind = kind_find(job.kind)
    if kind is None:
        yield Obstacle(
            "kind", job.kind, f"No job is declared as {job.kind} any more; it cannot run."
        )
    elif kind.breaker:
        breaker = Breaker.objects.filter(pk=kind.breaker).exclude(state="closed").first()
        if breaker is not None:
            last = breaker.last_error.strip().rsplit("\n", 1)[-1][:200]
            text = f"The breaker {breaker.name} is {breaker.get_state_display()}: {last or 'set by hand'}"
            yield Obstacle("breaker", breaker.name, text)
    if job.blocked and job.partition_key:
        head = next(iter(line_jobs(job.partition_key, limit=1)), None)
        if head is not None and head.pk != job.pk:
            text = f"The job {head.kind} is first in the line of the key {job.partition_key}."
            yield Obstacle("key", job.partition_key, text, head.pk)
    if job.run_at <= clock.now() and not _is_served(job.queue):
        yield Obstacle(
            "worker", job.queue, f"No worker that lives serves the queue {job.queue}. Start one."
        )


def _is_served(queue: str) -> bool:
    return Worker.objects.filter(
        queues__contains=[queue], stopped_at=None, beat_at__gte=clock.now() - SILENT_AFTER
    ).exists()


@dataclass(slots=True)
class Relatives:
    """What a job comes from and what came of it.

    follow_ups is None if they could not be found quickly; there may be some.
    """

    parent: JobRecord | None
    replay_of: JobRecord | None
    replays: list[JobRecord]
    follow_ups: list[JobRecord] | None


def job_relatives(job: JobRecord, tries: list[Try]) -> Relatives:
    """The relatives of a job: three queries, the one for follow-ups within PATIENCE_MS."""
    acts = AuditEntry.objects.filter(
        object_type="job", object_id=str(job.pk), action="jobs.replay"
    ).order_by("-id")[:20]
    replays = [UUID(entry.changes["new_job"]) for entry in acts if "new_job" in entry.changes]
    ids = {job_id for job_id in (job.parent_id, job.replay_of, *replays) if job_id}
    known = {
        found.pk: found for found in JobRecord.objects.filter(pk__in=ids).only(*COLUMNS) if ids
    }
    return Relatives(
        parent=known.get(job.parent_id) if job.parent_id else None,
        replay_of=known.get(job.replay_of) if job.replay_of else None,
        replays=[known[job_id] for job_id in replays if job_id in known],
        follow_ups=_follow_ups(job, tries),
    )


def _follow_ups(job: JobRecord, tries: list[Try]) -> list[JobRecord] | None:
    """Jobs that this one enqueued while it ran: their ids were made in that time."""
    started = [attempt.started_at for attempt in tries if attempt.started_at]
    if not started:
        return []
    until = tries[-1].finished_at or clock.now()
    slack, shift = timedelta(seconds=10), clock.offset()
    found = (
        JobRecord.objects.filter(
            parent_id=job.pk,
            pk__gte=id_floor(min(started) - shift - slack),
            pk__lt=id_floor(until - shift + slack),
        )
        .order_by("id")
        .only(*COLUMNS)
    )
    try:
        with _within(PATIENCE_MS):
            return list(found[:FOLLOW_UPS])
    except OperationalError as exc:
        if getattr(exc.__cause__, "sqlstate", None) != "57014":  # query_canceled
            raise
        return None


@contextmanager
def _within(limit_ms: int) -> Iterator[None]:
    """Let the database give up on the queries inside after so long."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit_ms)])
        yield
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


def job_acts(job: JobRecord) -> list[AuditEntry]:
    """What people did to a job, newest first."""
    return list(
        AuditEntry.objects.filter(object_type="job", object_id=str(job.pk)).order_by("-id")[:50]
    )
