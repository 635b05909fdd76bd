"""Ends of attempts: how they are written, singly, in batches, and together with the next lease.

Every write presents the fence of the lease; a row whose fence has moved on is left alone.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from jobs import sql, stats
from jobs.alerts import job_died
from jobs.lease import LEASE, Lease, in_order, jobs_lease
from lib import clock


@dataclass(slots=True)
class Ended:
    """How one attempt ended.

    `name` is completed, retried, snoozed, crashed, dead, cancelled or released.
    """

    lease: Lease
    name: str
    started: float  # unix seconds
    finished: float
    error: str | None = None
    run_at: float | None = None
    result: str | None = None  # JSON
    logs: str | None = None  # JSON


def outcomes_write(ended: Sequence[Ended]) -> set[UUID]:
    """Write ends of attempts; one statement for the completed, one for the others.

    Returns the ids that were still ours. The rest was fenced: another worker owns it, nothing was
    changed. Repeat: a second call finds no row with that fence and changes nothing.
    """
    written: set[UUID] = set()
    completed = [end for end in ended if end.name == "completed"]
    others = [end for end in ended if end.name != "completed"]
    if completed:
        written |= _completed(completed, sql.rows(_COMPLETE, _completed_params(completed)))
    if others:
        with _told_together(others):
            changed = {row[0] for row in sql.rows(_PUT_BACK, _other_params(others))}
            _count_some(others, changed)
            for end in others:
                if end.name == "dead" and end.lease.id in changed:
                    job_died(kind_name=end.lease.kind, job_id=end.lease.id, error=end.error or "")
        written |= changed
    return written


def _completed(ended: Sequence[Ended], refused: Sequence[tuple[Any, ...]]) -> set[UUID]:
    """Which of them were still ours."""
    lost = {row[0] for row in refused}
    written = {end.lease.id for end in ended if end.lease.id not in lost}
    _count_some(ended, written)
    return written


def _count_some(ended: Sequence[Ended], written: set[UUID]) -> None:
    """Count what was written if that was not all: then the statement itself has counted nothing."""
    if 0 < len(written) < len(ended):
        counted = {end.lease.id: end for end in ended if end.lease.id in written}
        sql.run("SELECT jobs_count(%s::jsonb)", [stats.dump(_tally(counted.values()))])


def _told_together(ended: Sequence[Ended]) -> AbstractContextManager[object]:
    """A death and the alert about it are one transaction; without a death one statement needs none."""
    return transaction.atomic() if any(end.name == "dead" for end in ended) else nullcontext()


_COMPLETE = """SELECT jobs_complete(%s::uuid[], %s::bigint[], %s::float8[], %s::float8[], %s::text[],
    %s::text[], %s::jsonb, %s, %s, %s)"""
_PUT_BACK = "SELECT jobs_put_back(%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)"


def _completed_params(ended: Sequence[Ended]) -> list[Any]:
    # Arrays of plain values are written out here: the driver looks at each value by itself, which
    # costs more than the jobs of a full lease.
    return [
        _array([str(end.lease.id) for end in ended]),
        _array([str(end.lease.fence) for end in ended]),
        _array([repr(end.started) for end in ended]),
        _array([repr(end.finished) for end in ended]),
        _texts([end.result for end in ended]),
        _texts([end.logs for end in ended]),
        stats.dump(_tally(ended)),
        not any(end.lease.partition_key or end.lease.has_ties for end in ended),
        _may_tell(),
        clock.offset(),
    ]


QUIET_S = 0.05  # as often as the pusher looks while all are busy (SOON_S)
_told_at = 0.0


def _may_tell() -> bool:
    """Whether the pool is told that lines go on. Not by each of many quick batches.

    Postgres lets one transaction commit at a time of those that tell. Whoever ended its last batch so
    short ago asks for the next one at once, and takes the heads that it set free.
    """
    global _told_at  # noqa: PLW0603 - of this process
    now = time.monotonic()
    if now - _told_at < QUIET_S:
        return False
    _told_at = now
    return True


def _array(values: Sequence[str]) -> str:
    """A Postgres array of values that need no quotes."""
    return "{" + ",".join(values) + "}"


def _texts(values: Sequence[str | None]) -> str | list[str | None]:
    """A Postgres array of texts; the common one, where no job has any, without the driver."""
    return _array(["NULL"] * len(values)) if not any(values) else list(values)


def _other_params(ended: Sequence[Ended]) -> list[Any]:
    return [
        [end.lease.id for end in ended],
        [end.lease.fence for end in ended],
        [end.name for end in ended],
        [end.started for end in ended],
        [end.finished for end in ended],
        [end.run_at for end in ended],
        [end.error for end in ended],
        [end.logs for end in ended],
        stats.dump(_tally(ended)),
        clock.offset(),
    ]


def _tally(ended: Iterable[Ended]) -> stats.Tallies:
    tallies: stats.Tallies = {}
    for end in ended:
        key = (end.lease.kind, end.lease.queue, end.name)
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = stats.Tally()
        tally.add(
            max(0.0, (end.started - end.lease.due) * 1000), (end.finished - end.started) * 1000
        )
    return tallies


def leases_release(leases: Sequence[Lease]) -> set[UUID]:
    """Hand jobs back that were not started: no attempt is spent."""
    now = clock.now().timestamp()
    return outcomes_write([Ended(lease, "released", now, now) for lease in leases])


def outcomes_write_and_lease(
    ended: Sequence[Ended],
    *,
    queues: Sequence[str],
    limit: int,
    worker: str,
    chain: int,
    oldest_first: bool,
    spare: bool,
) -> tuple[set[UUID], list[Lease]]:
    """outcomes_write and jobs_lease; where all are completed, in one transaction and round trip.

    Locks and repeat: like those. If it raises, nothing was leased, or nobody knows (is_away).
    """
    if any(end.name != "completed" for end in ended):
        return outcomes_write(ended), jobs_lease(
            queues=queues, limit=limit, worker=worker, chain=chain, oldest_first=oldest_first,
            spare=spare,
        )  # fmt: skip
    span = settings.JOBS["lease"]
    asked_at = time.monotonic()
    ask = [list(queues), limit, worker, span, clock.offset(), chain, oldest_first, None, spare]
    gone, found = sql.rows_of_both(f"{_COMPLETE}; {LEASE}", [*_completed_params(ended), *ask])
    written = _completed(ended, gone)
    return written, in_order(found, asked_at + span.total_seconds(), oldest_first=oldest_first)
