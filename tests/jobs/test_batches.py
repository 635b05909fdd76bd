"""Batches: many jobs, one callback when all have ended."""

from typing import Any
from uuid import UUID

import pytest

from jobs.batches import BatchNotOpen, batch_open, batch_seal
from jobs.enqueue import enqueue_many
from jobs.errors import ArgsInvalid, EnqueueInvalid
from jobs.lease import leases_reap
from jobs.models import Batch, Job, JobHistory
from jobs.operations import job_cancel, job_run_now
from jobs.registry import JobKind
from jobs.testing import assert_enqueued, assert_not_enqueued, drain
from lib.context import correlated
from lib.ids import uuid7
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


@pytest.fixture
def callback(declare: Declare) -> JobKind[Any]:
    def finish(batch_id: str, import_id: int = 0) -> None: ...

    return declare(finish, name="tests.finish", queue="maintenance", priority=1)


def _members(kind: JobKind[Any], batch: UUID, count: int = 3, **options: Any) -> list[UUID]:
    calls = [(kind, {"n": n, "batch": batch, **options}) for n in range(count)]
    return [made.id for made in enqueue_many(calls)]


def _counts(batch: UUID) -> tuple[int, int, int, int]:
    row = Batch.objects.get(pk=batch)
    return row.total, row.completed, row.dead, row.cancelled


def test_the_callback_comes_when_the_last_member_has_ended(
    kind: JobKind[Any], callback: JobKind[Any]
) -> None:
    with correlated("request-1"):
        batch = batch_open(title="import", callback=callback, args={"import_id": 7})
    _members(kind, batch)
    batch_seal(batch)
    for _ in range(2):
        play.finish(play.lease_one())
        assert_not_enqueued("tests.finish")
    play.finish(play.lease_one())
    job = assert_enqueued("tests.finish", import_id=7, batch_id=str(batch))
    assert (job.queue, job.priority, job.max_attempts) == ("maintenance", 1, 1)
    assert (job.correlation_id, job.pk) == ("request-1", Batch.objects.get().callback_job_id)
    assert drain() == 1
    assert _counts(batch) == (3, 3, 0, 0)
    assert Batch.objects.get().finished_at is not None


def test_it_comes_once_however_many_end_at_once(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    _members(kind, batch, 40)
    batch_seal(batch)
    assert drain() == 41
    assert JobHistory.objects.filter(kind="tests.finish").count() == 1
    assert _counts(batch) == (40, 40, 0, 0)


def test_an_open_batch_does_not_call_back(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    _members(kind, batch)
    drain()
    assert_not_enqueued("tests.finish")
    _members(kind, batch, 1)
    batch_seal(batch)
    assert_not_enqueued("tests.finish")
    play.finish(play.lease_one())
    assert_enqueued("tests.finish")
    assert _counts(batch) == (4, 4, 0, 0)


def test_sealing_calls_back_at_once_when_nothing_is_open(
    kind: JobKind[Any], callback: JobKind[Any]
) -> None:
    empty, done = batch_open(callback=callback), batch_open(callback=callback)
    batch_seal(empty)
    assert_enqueued("tests.finish", batch_id=str(empty))
    _members(kind, done)
    drain()
    batch_seal(done)
    assert_enqueued("tests.finish", batch_id=str(done))


def test_a_dead_or_cancelled_member_counts_as_ended(
    kind: JobKind[Any], callback: JobKind[Any]
) -> None:
    batch = batch_open(callback=callback)
    waiting = _members(kind, batch, 5)[4]
    batch_seal(batch)
    dead, cancelled, lost, good = play.lease(limit=4)
    play.finish(dead, name="dead")
    play.finish(cancelled, name="cancelled")
    job_cancel(job_id=waiting, by=None)
    play.finish(good)
    Job.objects.filter(pk=lost.id).update(crash_count=2)
    play.lapse(lost)
    assert_not_enqueued("tests.finish")
    leases_reap()
    assert_enqueued("tests.finish")
    assert _counts(batch) == (5, 1, 2, 2)


def test_a_retry_is_no_end(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    _members(kind, batch, 1)
    batch_seal(batch)
    play.finish(play.lease_one(), name="retried")
    play.finish(play.lease_one(), name="snoozed")
    assert _counts(batch) == (1, 0, 0, 0)
    play.finish(play.lease_one())
    assert_enqueued("tests.finish")


def test_a_revived_member_is_counted_once(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    first, _ = _members(kind, batch, 2)
    batch_seal(batch)
    play.finish(play.lease_one(), name="dead")
    job_run_now(job_id=first, by=None)
    assert _counts(batch) == (2, 0, 0, 0)
    drain()
    assert _counts(batch) == (2, 2, 0, 0)
    assert JobHistory.objects.filter(kind="tests.finish").count() == 1


def test_a_late_end_does_not_call_back_again(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    (member,) = _members(kind, batch, 1)
    batch_seal(batch)
    play.finish(play.lease_one(), name="dead")
    job_run_now(job_id=member, by=None)
    drain()
    assert play.state(member) == "completed"
    assert JobHistory.objects.filter(kind="tests.finish").count() == 1


def test_a_stale_end_is_not_counted(kind: JobKind[Any], callback: JobKind[Any]) -> None:
    batch = batch_open(callback=callback)
    _members(kind, batch, 2)
    batch_seal(batch)
    held = play.lease_one()
    play.finish(held)
    assert play.finish(held) == set()
    assert _counts(batch) == (2, 1, 0, 0)


def test_a_batch_is_sealed_once_and_takes_nobody_then(kind: JobKind[Any]) -> None:
    batch = batch_open()
    batch_seal(batch)
    with pytest.raises(BatchNotOpen):
        batch_seal(batch)
    with pytest.raises(EnqueueInvalid, match="no open batch"):
        kind.enqueue(batch=batch)
    with pytest.raises(BatchNotOpen):
        batch_seal(uuid7())


def test_a_call_that_finds_another_job_is_no_member(
    kind: JobKind[Any], callback: JobKind[Any]
) -> None:
    kind.enqueue(unique="a")
    batch = batch_open(callback=callback)
    kind.enqueue(unique="a", batch=batch)
    kind.enqueue(n=2, batch=batch)
    assert _counts(batch) == (1, 0, 0, 0)


def test_the_args_of_a_callback_are_checked_when_the_batch_is_opened(
    callback: JobKind[Any], kind: JobKind[Any]
) -> None:
    with pytest.raises(ArgsInvalid, match="import_id must be int"):
        batch_open(callback=callback, args={"import_id": "seven"})
    with pytest.raises(ArgsInvalid, match="batch_id"):
        batch_open(callback=kind)
    assert not Batch.objects.exists()
