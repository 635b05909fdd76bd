"""A job is a row in the transaction of its caller."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from jobs import stats
from jobs.context import JobContext, enter
from jobs.errors import ArgsInvalid, QueueUnknown
from jobs.ladders import Delays
from jobs.models import Job
from jobs.registry import Enqueued, JobKind
from lib import clock
from lib.context import correlated
from lib.ids import uuid7
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(retry=Delays("1s 2s"))


def test_a_job_is_a_row_with_all_that_was_asked(kind: JobKind[Any]) -> None:
    before = clock.now()
    made = kind.enqueue(
        n=7, priority=1, queue="maintenance", delay="1h", deadline="2h", timeout="3m", retry=[5, 10]
    )
    assert isinstance(made, Enqueued)
    assert not made.deduplicated
    row = play.job(made.id)
    assert (row.kind, row.queue, row.priority, row.args, row.state) == (
        "tests.kind", "maintenance", 1, {"n": 7}, "scheduled",
    )  # fmt: skip
    assert before <= row.created_at <= clock.now()
    assert row.deadline_at is not None
    assert (row.run_at - row.created_at).total_seconds() == 3600
    assert (row.deadline_at - row.created_at).total_seconds() == 7200
    assert (row.timeout_s, row.retry_delays, row.max_attempts) == (180, [5, 10], 3)
    assert (row.attempt, row.crash_count, row.fence, row.blocked, row.debounced) == (
        0,
        0,
        0,
        False,
        0,
    )
    assert (row.lease_until, row.worker, row.started_at, row.last_error) == (None, None, None, None)


def test_without_options_nothing_is_stored_that_the_kind_may_still_change(
    kind: JobKind[Any],
) -> None:
    row = play.job(kind.enqueue().id)
    assert (row.timeout_s, row.retry_delays, row.args) == (None, None, {})


def test_what_is_rolled_back_was_never_enqueued(kind: JobKind[Any]) -> None:
    with transaction.atomic():
        kind.enqueue()
        kind.enqueue(partition="a", unique="a")
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert not kind.enqueue(unique="a").deduplicated


def test_others_see_a_job_when_its_transaction_commits(committed: None, kind: JobKind[Any]) -> None:
    params = connection.get_connection_params()
    with psycopg.connect(
        **{name: params[name] for name in ("host", "port", "user", "password", "dbname") if name in params},
        autocommit=True,
    ) as other:  # fmt: skip
        with transaction.atomic():
            made = kind.enqueue(n=1)
            assert other.execute("SELECT id FROM jobs_job").fetchall() == []
        assert other.execute("SELECT id FROM jobs_job").fetchall() == [(made.id,)]


def test_a_committed_job_wakes_the_pool_once_per_transaction(
    committed: None, kind: JobKind[Any]
) -> None:
    connection.ensure_connection()
    wire = connection.connection
    with connection.cursor() as cursor:
        cursor.execute("LISTEN jobs_wake")
    with transaction.atomic():
        for n in range(3):
            kind.enqueue(n=n)
    calls = list(wire.notifies(timeout=5, stop_after=1))
    assert [call.payload for call in calls] == [""]


def test_an_unknown_queue_is_refused(kind: JobKind[Any]) -> None:
    with pytest.raises(QueueUnknown, match="there is no queue 'nowhere'"):
        kind.enqueue(queue="nowhere")
    assert not Job.objects.exists()


def test_wrong_args_leave_no_row(kind: JobKind[Any]) -> None:
    with pytest.raises(ArgsInvalid):
        kind.enqueue(n="seven")
    assert not Job.objects.exists()


def test_a_job_carries_the_id_of_the_request_and_of_its_parent(kind: JobKind[Any]) -> None:
    parent = uuid7()
    with correlated("request-1"):
        assert play.job(kind.enqueue().id).correlation_id == "request-1"
        assert play.job(kind.enqueue(correlation_id="mine").id).correlation_id == "mine"
        enter(JobContext(parent, "tests.parent", 1, 1, 1))
        try:
            row = play.job(kind.enqueue().id)
        finally:
            enter(None)
    assert (row.correlation_id, row.parent_id) == ("request-1", parent)
    outside = play.job(kind.enqueue().id)
    assert (outside.correlation_id, outside.parent_id) == (None, None)


def test_rows_are_numbered_in_the_order_of_their_calls(kind: JobKind[Any]) -> None:
    made: list[UUID] = [kind.enqueue(n=n).id for n in range(5)]
    assert list(Job.objects.order_by("seq").values_list("pk", flat=True)) == made


def test_calls_are_counted_when_they_commit(committed: None, kind: JobKind[Any]) -> None:
    kind.enqueue(unique="a")
    kind.enqueue(unique="a")
    with transaction.atomic():
        kind.enqueue()
        transaction.set_rollback(True)
    assert dict(stats._pending) == {
        ("tests.kind", "default", "enqueued"): 1,
        ("tests.kind", "default", "deduplicated"): 1,
    }
