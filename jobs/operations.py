"""What people do to single jobs: cancel, run now, replay, discard, reprioritize. Each is audited.

Every change is one conditional UPDATE or a short transaction, so that a click and a worker never
overwrite each other. Locks: the job's row first, then its line.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from jobs import errors, sql
from jobs.audit import Account, audit_write
from jobs.enqueue import jobs_enqueue
from jobs.lines import lines_settle
from jobs.models import Job, JobRecord, State
from jobs.registry import kind_find, kind_get
from jobs.specs import JobSpec, args_dump
from jobs.storable import storable
from lib import clock
from lib.ids import uuid7

_TO_HISTORY = """
WITH gone AS (DELETE FROM jobs_job WHERE id = ANY(%s) RETURNING *)
INSERT INTO jobs_jobhistory
SELECT id, seq, kind, queue, priority, %s, args, run_at, attempt, max_attempts, crash_count, fence,
    worker, partition_key, skip_ahead, unique_key, debounce_key, debounced, first_enqueued_at,
    deadline_at, timeout_s, retry_delays, progress, checkpoint, last_error, correlation_id, batch_id,
    parent_id, replay_of, created_at, started_at, %s, NULL, NULL, %s
FROM gone
"""


def to_history(job_ids: Sequence[UUID], state: State, resolution: str | None) -> int:
    """Move open rows to the history, as they are. The caller holds their locks. Returns how many."""
    cut = None if resolution is None else storable(resolution)[:200]
    return sql.run(_TO_HISTORY, [list(job_ids), state.value, clock.now(), cut])


def job_cancel(*, job_id: UUID, by: Account, reason: str = "") -> str:
    """Cancel a job. A waiting one never runs from now on; a running one is told and interrupted.

    Returns "cancelled" or "cancelling". Repeat: a running job may be told again. Raises JobNotFound,
    JobNotCancellable.
    """
    with transaction.atomic():
        job = _locked(job_id)
        if job.state == State.RUNNING:
            Job.objects.filter(pk=job_id, cancel_requested_at=None).update(
                cancel_requested_at=clock.now()
            )
            result = "cancelling"
        elif job.state in {State.SCHEDULED, State.AVAILABLE}:
            to_history([job_id], State.CANCELLED, reason or None)
            sql.run("SELECT jobs_after_end(%s, %s)", [[job_id], clock.offset()])
            result = "cancelled"
        else:
            raise errors.JobNotCancellable(f"job {job_id} is {job.state}")
        audit_write(by, "jobs.cancel", "job", job_id, kind=job.kind, reason=reason, result=result)
    return result


def job_run_now(*, job_id: UUID, by: Account) -> None:
    """Try a waiting job at once, or give a dead one a fresh ladder.

    Raises JobNotRetryable, and for a dead one UniqueConflict, KindUnknown, ArgsInvalid.

    A dead job of a partition key goes to the end of its line: others have gone on without it.
    """
    with transaction.atomic():
        job = _locked(job_id)
        now = clock.now()
        if job.state in {State.SCHEDULED, State.AVAILABLE}:
            Job.objects.filter(pk=job_id).update(run_at=now, state=State.AVAILABLE)
            if job.partition_key:  # those before it may only be asleep
                lines_settle([job.partition_key])
            sql.run("SELECT pg_notify('jobs_wake', '')")
        elif job.state == State.DEAD:
            _revive(job)
        else:
            raise errors.JobNotRetryable(f"job {job_id} is {job.state}")
        audit_write(by, "jobs.retry", "job", job_id, kind=job.kind, was=job.state)


def _revive(job: Job) -> None:
    kind = kind_get(job.kind)
    kind.check(job.args)
    if job.unique_key:
        _hold_unique(job.unique_key, job.pk)
    sql.run(
        """UPDATE jobs_job j SET state = 'available', run_at = %s, crash_count = 0, attempt = 0,
            blocked = partition_key IS NOT NULL, worker = NULL, cancel_requested_at = NULL,
            seq = CASE WHEN partition_key IS NULL THEN seq ELSE nextval('jobs_job_seq_seq') END,
            debounce_key = CASE WHEN EXISTS (
                SELECT FROM jobs_job o WHERE o.debounce_key = j.debounce_key AND o.id <> j.id
                    AND o.state IN ('scheduled', 'available')
            ) THEN NULL ELSE debounce_key END
        WHERE id = %s""",
        [clock.now(), job.pk],
    )
    if job.batch_id:
        sql.run(
            "UPDATE jobs_batch SET dead = dead - 1 WHERE id = %s AND finished_at IS NULL",
            [job.batch_id],
        )
    if job.partition_key:
        lines_settle([job.partition_key])
    sql.run("SELECT pg_notify('jobs_wake', '')")


def _hold_unique(key: str, job_id: UUID) -> None:
    """Take the key that the job let go of when it died. Raises UniqueConflict if another has it."""
    now = clock.now()
    held = sql.row(
        """INSERT INTO jobs_uniquekey AS u (key, job_id, expires_at) VALUES (%s, %s, 'infinity')
        ON CONFLICT (key) DO UPDATE SET job_id = EXCLUDED.job_id,
            expires_at = CASE WHEN u.expires_at > %s THEN u.expires_at ELSE EXCLUDED.expires_at END
        WHERE u.job_id = EXCLUDED.job_id OR u.expires_at <= %s RETURNING 1""",
        [key, job_id, now, now],
    )
    if held is None:
        holder = sql.row("SELECT job_id FROM jobs_uniquekey WHERE key = %s", [key])
        raise errors.UniqueConflict(
            f"job {holder[0] if holder else 'of somebody'} has the unique key {key!r} by now"
        )


def job_replay(*, job_id: UUID, by: Account, args: dict[str, Any] | None = None) -> UUID:
    """Make a new job from a dead, completed or cancelled one, with edited args if given.

    The new job knows where it comes from (replay_of); a dead original is put away as replayed.
    Returns the new id. Raises JobNotReplayable, ArgsInvalid, KindUnknown.
    """
    with transaction.atomic():
        old = JobRecord.objects.filter(pk=job_id).first()
        if old is None:
            raise errors.JobNotFound(f"there is no job {job_id}")
        if old.state == State.DEAD and old.finished_at is None:
            _locked(job_id)  # two clicks make one replay
        elif old.state not in {State.COMPLETED, State.CANCELLED, State.DEAD}:
            raise errors.JobNotReplayable(f"job {job_id} is {old.state}")
        kind = kind_get(old.kind)
        given = old.args if args is None else args
        kind.check(given)
        now = clock.now()
        made = jobs_enqueue(
            [
                JobSpec(
                    kind=old.kind,
                    queue=old.queue,
                    priority=old.priority,
                    args=args_dump(given),
                    run_at=now,
                    max_attempts=old.max_attempts,
                    id=uuid7(),
                    created_at=now,
                    partition_key=old.partition_key,
                    skip_ahead=old.skip_ahead,
                    timeout_s=old.timeout_s,
                    retry_delays=old.retry_delays,
                    replay_of=old.pk,
                    correlation_id=old.correlation_id,
                )
            ]
        )[0]
        if old.state == State.DEAD and old.finished_at is None:
            to_history([job_id], State.DEAD, f"replayed as {made.id}")
        audit_write(
            by, "jobs.replay", "job", job_id,
            kind=old.kind, new_job=str(made.id), **({"args": given} if args is not None else {}),
        )  # fmt: skip
    return made.id


def job_discard(*, job_id: UUID, by: Account, reason: str = "") -> None:
    """Put a dead job away for good; it stays in the history. Raises JobNotReplayable if not dead."""
    with transaction.atomic():
        job = _locked(job_id)
        if job.state != State.DEAD:
            raise errors.JobNotReplayable(f"job {job_id} is {job.state}")
        to_history([job_id], State.DEAD, f"discarded: {reason}")
        audit_write(by, "jobs.discard", "job", job_id, kind=job.kind, reason=reason)


def job_reprioritize(*, job_id: UUID, priority: int, by: Account) -> None:
    """Change the priority of a waiting job. Raises JobNotRetryable if it does not wait."""
    if priority not in range(4):
        raise errors.EnqueueInvalid("priority must be 0 (critical), 1, 2 or 3 (low)")
    with transaction.atomic():
        changed = Job.objects.filter(
            pk=job_id, state__in=[State.SCHEDULED, State.AVAILABLE]
        ).update(priority=priority)
        if not changed:
            raise errors.JobNotRetryable(f"job {job_id} does not wait")
        audit_write(by, "jobs.reprioritize", "job", job_id, priority=priority)


def _locked(job_id: UUID) -> Job:
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    if job is not None:
        return job
    record = JobRecord.objects.filter(pk=job_id).only("state").first()
    if record is None:
        raise errors.JobNotFound(f"there is no job {job_id}")
    raise errors.JobNotCancellable(f"job {job_id} is {record.state}")


def job_explain(job: JobRecord) -> str:
    """Why the job is where it is, in one sentence for a person."""
    now = clock.now()
    if job.state == State.DEAD:
        last = (job.last_error or "no reason was kept").strip().rsplit("\n", 1)[-1]
        return f"Gave up after attempt {job.attempt}: {last}"
    if job.state == State.RUNNING:
        return f"Runs on {job.worker} since {job.started_at:%H:%M:%S} UTC, attempt {job.attempt}."
    if job.state in {State.COMPLETED, State.CANCELLED}:
        return f"{job.get_state_display().capitalize()} at {job.finished_at:%F %T} UTC."
    if job.blocked:
        return f"Waits behind other jobs of the key {job.partition_key}."
    if kind_find(job.kind) is None:
        return f"No job is declared as {job.kind}: it will be dead as soon as a worker takes it."
    if job.run_at > now:
        return f"Waits for its time, {job.run_at:%F %T} UTC."
    return f"Due since {job.run_at:%F %T} UTC; waits for a free worker."
