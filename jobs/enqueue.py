"""Enqueueing: a row in the caller's transaction. Rolled back: it never runs. Committed: it will.

`deliver.enqueue(message_id=7, priority=CRITICAL, partition="chat:5")` is `job_enqueue(deliver, ...)`.
"""

from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson
from django.db import connection, transaction

from jobs import errors, sql, stats
from jobs.context import current_job
from jobs.models import Queue
from jobs.pool.wake import call_after_commit
from jobs.registry import Enqueued, JobKind, enqueuer_set
from jobs.specs import MAX_DELAY, JobSpec, spec_build
from lib import clock
from lib.context import correlation_id

_COLUMNS = (
    "id, kind, queue, priority, state, args, run_at, attempt, max_attempts, crash_count, fence, "
    "partition_key, skip_ahead, unique_key, debounce_key, debounced, first_enqueued_at, "
    "deadline_at, timeout_s, retry_delays, correlation_id, batch_id, parent_id, replay_of, "
    "created_at, blocked"
)
_INSERT = "INSERT INTO jobs_job (" + _COLUMNS + ") VALUES "
_ROW = f"({', '.join(['%s'] * 26)})"
_COPY = f"COPY jobs_job ({_COLUMNS}) FROM STDIN"
_COPY_FROM = 20  # rows; fewer are quicker by INSERT

# Tests put a function here that runs what was enqueued at once (jobs.testing.inline).
after_enqueue: ContextVar[Any] = ContextVar("after_enqueue", default=None)


def job_enqueue(kind: JobKind[Any], **given: Any) -> Enqueued:
    """Make one job in the transaction of the caller.

    Args of the function by name, and options: priority, queue, run_at or delay, partition (text or
    tuple), unique (text or tuple; True: the kind itself) with unique_ttl, debounce, deadline,
    timeout, retry, batch. Raises ArgsInvalid, ArgsTooLarge, QueueUnknown, EnqueueInvalid.

    Repeat: with unique or debounce a second call finds the first job. Locks: a partition key holds
    its line until the transaction ends, so that order within the key is the order of commits.
    """
    return jobs_enqueue([spec_build(kind, given)])[0]


enqueuer_set(job_enqueue)


def enqueue_many(calls: Iterable[tuple[JobKind[Any], dict[str, Any]] | JobSpec]) -> list[Enqueued]:
    """Make many jobs by one COPY: (kind, args and options) pairs, or specs. All or none."""
    return jobs_enqueue(
        [call if isinstance(call, JobSpec) else spec_build(call[0], call[1]) for call in calls]
    )


def jobs_enqueue(specs: Sequence[JobSpec]) -> list[Enqueued]:
    """Insert checked specs, in their order. See job_enqueue for locks and errors."""
    if not specs:
        return []
    _queues_check(specs)
    cause, parent = correlation_id.get() or None, current_job()
    for spec in specs:
        spec.correlation_id = spec.correlation_id or cause
    parent_id = parent.id if parent else None
    if len(specs) == 1 and not (specs[0].partition_key or specs[0].unique_key or specs[0].batch_id):
        found = _insert_debounced(specs, parent_id) if specs[0].debounce_key else {}
        if not specs[0].debounce_key:
            _insert(specs, parent_id)
        result = [Enqueued(found.get(specs[0].id, specs[0].id), specs[0].id in found)]
    else:
        # Those that are in no batch are refused before this, or by a database that has failed: then the
        # caller's transaction is lost anyway, and a savepoint would cost it two statements.
        may_refuse = any(spec.batch_id for spec in specs)
        with transaction.atomic(savepoint=may_refuse):
            result = _insert_guarded(specs, parent_id)
    stats.enqueued(
        (spec.kind, spec.queue, made.deduplicated) for spec, made in zip(specs, result, strict=True)
    )
    call_after_commit()
    if (run := after_enqueue.get()) is not None:
        run(result)
    return result


def _insert_guarded(specs: Sequence[JobSpec], parent_id: UUID | None) -> list[Enqueued]:
    holders = _claim_unique([spec for spec in specs if spec.unique_key])
    fresh = [spec for spec in specs if spec.id not in holders]
    sleepers = _enter_lines([spec for spec in fresh if spec.partition_key])
    debounced = [spec for spec in fresh if spec.debounce_key]
    holders |= _insert_debounced(debounced, parent_id) if debounced else {}
    plain = [spec for spec in fresh if not spec.debounce_key]
    if plain:
        _insert(plain, parent_id)
    if sleepers:
        sql.run("SELECT jobs_line_settle(%s, %s)", [sleepers, clock.offset()])
    _count_in_batches(plain)
    return [Enqueued(holders.get(spec.id, spec.id), spec.id in holders) for spec in specs]


def _row(spec: JobSpec, parent_id: UUID | None) -> tuple[Any, ...]:
    return (
        spec.id, spec.kind, spec.queue, spec.priority, spec.state, spec.args.decode(), spec.run_at,
        0, spec.max_attempts, 0, 0, spec.partition_key, spec.skip_ahead, spec.unique_key,
        spec.debounce_key, spec.debounced, spec.created_at if spec.debounce_key else None,
        spec.deadline_at, spec.timeout_s,
        None if spec.retry_delays is None else orjson.dumps(spec.retry_delays).decode(),
        spec.correlation_id, spec.batch_id, parent_id, spec.replay_of, spec.created_at, spec.blocked,
    )  # fmt: skip


def _insert(specs: Sequence[JobSpec], parent_id: UUID | None) -> None:
    if len(specs) < _COPY_FROM:
        values = [value for spec in specs for value in _row(spec, parent_id)]
        with cast(Any, connection).prepared_cursor() as cursor:
            cursor.execute(_INSERT + ", ".join([_ROW] * len(specs)), values)
        return
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for spec in specs:
            copy.write_row(_row(spec, parent_id))


def _insert_debounced(specs: Sequence[JobSpec], parent_id: UUID | None) -> dict[UUID, UUID]:
    """Insert or refresh the waiting row of each key; the latest call wins. {spec id: holder's id}"""
    calls: dict[str, list[JobSpec]] = {}
    for spec in specs:
        calls.setdefault(str(spec.debounce_key), []).append(spec)
    found: dict[UUID, UUID] = {}
    for key in sorted(calls):
        spec = calls[key][-1]
        spec.debounced = len(calls[key]) - 1
        if spec.coalesce:
            spec.run_at = min(call.run_at for call in calls[key])
        longest = (spec.debounce.max_wait if spec.debounce else None) or MAX_DELAY
        holder = sql.rows(
            f"""{_INSERT}{_ROW}
            ON CONFLICT (debounce_key) WHERE debounce_key IS NOT NULL
                AND state IN ('scheduled', 'available')
            DO UPDATE SET args = EXCLUDED.args, priority = EXCLUDED.priority,
                correlation_id = EXCLUDED.correlation_id,
                debounced = jobs_job.debounced + 1 + EXCLUDED.debounced,
                run_at = CASE WHEN %s THEN least(EXCLUDED.run_at, jobs_job.run_at)
                    ELSE least(EXCLUDED.run_at, jobs_job.first_enqueued_at + %s) END
            RETURNING id""",
            [*_row(spec, parent_id), spec.coalesce, longest],
        )[0][0]
        found |= {call.id: holder for call in calls[key] if call.id != holder}
    return found


def _claim_unique(specs: Sequence[JobSpec]) -> dict[UUID, UUID]:
    """Take the keys that are free. {spec id: id of the job that holds its key} for the others.

    Locks: what we take, until we commit; a key of somebody else is only read, or the end of its job
    would have to wait for us.
    """
    if not specs:
        return {}
    first: dict[str, JobSpec] = {}
    for spec in specs:
        first.setdefault(str(spec.unique_key), spec)
    holder: dict[str, UUID] = {}
    while missing := [first[key] for key in sorted(first.keys() - holder)]:
        holder |= _take_keys(missing, _TAKE_FREE)
        rest = [spec for spec in missing if spec.unique_key not in holder]
        if rest:
            holder |= _keys_held(rest)
        # What is neither free nor held has expired, or its job ended between the two statements.
        lapsed = [spec for spec in rest if spec.unique_key not in holder]
        if lapsed:
            holder |= _take_keys(lapsed, _TAKE_EXPIRED)
    return {
        spec.id: holder[str(spec.unique_key)]
        for spec in specs
        if holder[str(spec.unique_key)] != spec.id
    }


_GIVEN = "unnest(%s::text[], %s::uuid[], %s::timestamptz[]) AS f (key, job_id, expires_at)"
_TAKE_FREE = f"""
INSERT INTO jobs_uniquekey (key, job_id, expires_at) SELECT * FROM {_GIVEN}
ON CONFLICT (key) DO NOTHING RETURNING key, job_id
"""
_TAKE_EXPIRED = f"""
UPDATE jobs_uniquekey u SET job_id = f.job_id, expires_at = f.expires_at FROM {_GIVEN}
WHERE u.key = f.key AND u.expires_at <= %s RETURNING u.key, u.job_id
"""


def _take_keys(specs: Sequence[JobSpec], statement: str) -> dict[str, UUID]:
    """{key: id of its new holder} of those that could be taken."""
    now = clock.now()
    params: list[Any] = [
        [spec.unique_key for spec in specs],
        [spec.id for spec in specs],
        [_expires(spec, now) for spec in specs],
    ]
    return dict(sql.rows(statement, [*params, now] if statement is _TAKE_EXPIRED else params))


def _keys_held(specs: Sequence[JobSpec]) -> dict[str, UUID]:
    """{key: id of its holder} of those that are held and have not expired."""
    query = "SELECT key, job_id FROM jobs_uniquekey WHERE key = ANY(%s) AND expires_at > %s"
    return dict(sql.rows(query, [[spec.unique_key for spec in specs], clock.now()]))


def _expires(spec: JobSpec, now: datetime) -> str:
    return "infinity" if spec.unique_ttl is None else (now + spec.unique_ttl).isoformat()


def _enter_lines(specs: Sequence[JobSpec]) -> list[str]:
    """Lock the lines and mark who must wait. Returns the keys whose head is only asleep."""
    if not specs:
        return []
    keys = list({str(spec.partition_key) for spec in specs})
    found = sql.rows("SELECT * FROM jobs_line_enter(%s, %s)", [keys, clock.offset()])
    taken = {key: is_taken for key, is_taken, _ in found}
    for spec in specs:
        spec.blocked = taken[str(spec.partition_key)]
        taken[str(spec.partition_key)] = True
    return [key for key, _, asleep in found if asleep]


def _count_in_batches(specs: Sequence[JobSpec]) -> None:
    counts: dict[UUID, int] = {}
    for spec in specs:
        if spec.batch_id:
            counts[spec.batch_id] = counts.get(spec.batch_id, 0) + 1
    with connection.cursor() as cursor:
        for batch_id in sorted(counts):
            cursor.execute(
                "UPDATE jobs_batch SET total = total + %s WHERE id = %s AND sealed_at IS NULL",
                [counts[batch_id], batch_id],
            )
            if cursor.rowcount == 0:
                raise errors.EnqueueInvalid("there is no open batch with this id")


_known_queues: set[str] = set()


def _queues_check(specs: Sequence[JobSpec]) -> None:
    """Raise QueueUnknown. Queues are only ever added, so a name once seen stays good."""
    for name in {spec.queue for spec in specs} - _known_queues:
        if not Queue.objects.filter(name=name).exists():
            raise errors.QueueUnknown(f"there is no queue {name!r}")
        _known_queues.add(name)
