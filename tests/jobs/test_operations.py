"""What people do to single jobs: happy, refused, repeated, audited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from jobs import errors
from jobs.ladders import Delays
from jobs.models import AuditEntry, Job
from jobs.operations import job_cancel, job_discard, job_reprioritize, job_run_now
from jobs.registry import Debounce, JobKind
from jobs.testing import drain
from lib import clock
from lib.context import correlated
from lib.errors import DomainError
from lib.ids import uuid7
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(retry=Delays("1h"))


@pytest.fixture
def ann(account: Callable[..., User]) -> User:
    return account("ann")


def _dead(kind: JobKind[Any], **options: Any) -> UUID:
    made = kind.enqueue(**options).id
    play.finish(play.lease_one(), name="dead", error="the reason")
    return made


ACTS = [
    job_cancel, job_run_now, job_discard,
    lambda **given: job_reprioritize(priority=1, **given),
]  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_an_unknown_job_is_refused_and_not_audited(act: Any) -> None:
    with pytest.raises((errors.JobNotFound, errors.JobNotRetryable)):
        act(job_id=uuid7(), by=None)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_finished_job_is_left_alone(kind: JobKind[Any], act: Any) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one())
    with pytest.raises(DomainError) as refused:
        act(job_id=made, by=None)
    assert refused.value.status == 409
    assert play.state(made) == "completed"
    assert not AuditEntry.objects.exists()


def test_each_act_is_audited_with_who_what_and_why(kind: JobKind[Any], ann: User) -> None:
    made = kind.enqueue().id
    with correlated("click-1"):
        job_cancel(job_id=made, by=ann, reason="not needed")
    entry = AuditEntry.objects.get()
    assert (entry.account, entry.account_name, entry.action) == (ann, "ann", "jobs.cancel")
    assert (entry.object_type, entry.object_id, entry.correlation_id) == (
        "job",
        str(made),
        "click-1",
    )
    assert entry.changes == {"kind": "tests.kind", "reason": "not needed", "result": "cancelled"}


def test_the_platform_itself_acts_as_system(kind: JobKind[Any]) -> None:
    job_cancel(job_id=kind.enqueue().id, by=None)
    assert (AuditEntry.objects.get().account, AuditEntry.objects.get().account_name) == (
        None,
        "system",
    )


def test_a_waiting_job_that_is_cancelled_never_runs(kind: JobKind[Any]) -> None:
    for options in ({}, {"delay": "1h"}):
        made = kind.enqueue(**options).id
        assert job_cancel(job_id=made, by=None, reason="no") == "cancelled"
        assert (play.state(made), play.past(made).resolution) == ("cancelled", "no")
        with pytest.raises(errors.JobNotCancellable, match="is cancelled"):
            job_cancel(job_id=made, by=None)
    with clock.shift(timedelta(hours=2)):
        assert drain() == 0


def test_a_cancel_lets_go_of_line_and_key(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, partition="a", unique="u").id
    kind.enqueue(n=2, partition="a")
    job_cancel(job_id=first, by=None)
    assert play.line("a") == [(2, "available", False)]
    assert not kind.enqueue(unique="u").deduplicated


def test_a_running_job_is_told_and_may_be_told_again(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.lease_one()
    assert job_cancel(job_id=made, by=None) == "cancelling"
    wished = play.job(made).cancel_requested_at
    assert job_cancel(job_id=made, by=None) == "cancelling"
    assert wished is not None
    assert play.job(made).cancel_requested_at == wished


def test_a_dead_job_cannot_be_cancelled(kind: JobKind[Any]) -> None:
    with pytest.raises(errors.JobNotCancellable):
        job_cancel(job_id=_dead(kind), by=None)


def test_a_waiting_job_is_run_now(kind: JobKind[Any]) -> None:
    made = kind.enqueue(delay="1h").id
    job_run_now(job_id=made, by=None)
    assert drain() == 1
    assert play.state(made) == "completed"


def test_a_retry_is_run_now_and_keeps_its_attempts(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.finish(play.lease_one(), name="retried", run_in=timedelta(hours=1))
    job_run_now(job_id=made, by=None)
    job_run_now(job_id=made, by=None)
    assert play.lease_one().attempt == 2


def test_a_running_job_cannot_be_run_now(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    play.lease_one()
    with pytest.raises(errors.JobNotRetryable, match="is running"):
        job_run_now(job_id=made, by=None)


def test_a_dead_job_gets_a_fresh_ladder(kind: JobKind[Any]) -> None:
    made = _dead(kind)
    Job.objects.update(attempt=5, crash_count=3, cancel_requested_at=clock.now())
    job_run_now(job_id=made, by=None)
    row = play.job(made)
    assert (row.state, row.attempt, row.crash_count, row.cancel_requested_at, row.worker) == (
        "available", 0, 0, None, None,
    )  # fmt: skip
    held = play.lease_one()
    assert (held.attempt, held.fence) == (1, 2)
    assert AuditEntry.objects.get().changes == {"kind": "tests.kind", "was": "dead"}


def test_a_dead_job_goes_to_the_end_of_its_line(kind: JobKind[Any]) -> None:
    made = _dead(kind, n=1, partition="a")
    for n in (2, 3):
        kind.enqueue(n=n, partition="a")
    job_run_now(job_id=made, by=None)
    assert play.line("a") == [
        (2, "available", False),
        (3, "available", True),
        (1, "available", True),
    ]


def test_a_dead_job_alone_in_its_line_may_go_at_once(kind: JobKind[Any]) -> None:
    made = _dead(kind, n=1, partition="a")
    job_run_now(job_id=made, by=None)
    assert play.lease_one().id == made


def test_a_dead_job_whose_kind_or_args_are_gone_stays_dead(
    kind: JobKind[Any], declare: Declare
) -> None:
    made = _dead(kind)
    Job.objects.update(args={"old": 1})
    with pytest.raises(errors.ArgsInvalid):
        job_run_now(job_id=made, by=None)
    Job.objects.update(args={}, kind="tests.gone")
    with pytest.raises(errors.KindUnknown):
        job_run_now(job_id=made, by=None)
    assert play.state(made) == "dead"


def test_a_dead_job_takes_its_unique_key_again_or_is_refused(kind: JobKind[Any]) -> None:
    made = _dead(kind, unique="u")
    job_run_now(job_id=made, by=None)
    assert kind.enqueue(unique="u").id == made
    play.finish(play.lease_one(), name="dead")
    rival = kind.enqueue(unique="u").id
    with pytest.raises(errors.UniqueConflict, match=str(rival)):
        job_run_now(job_id=made, by=None)
    assert play.state(made) == "dead"
    play.finish(play.lease_one())
    job_run_now(job_id=made, by=None)
    assert play.state(made) == "available"


def test_a_dead_debounced_job_leaves_its_key_to_the_newer_call(kind: JobKind[Any]) -> None:
    later = ("k", Debounce("1s"))
    made = kind.enqueue(n=1, debounce=later).id
    with clock.shift(timedelta(seconds=2)):
        play.finish(play.lease_one(), name="dead")
        newer = kind.enqueue(n=2, debounce=later).id
        job_run_now(job_id=made, by=None)
        assert kind.enqueue(n=3, debounce=later).id == newer
        assert play.job(made).args == {"n": 1}


def test_a_dead_job_is_discarded_once(kind: JobKind[Any]) -> None:
    made = _dead(kind)
    job_discard(job_id=made, by=None, reason="known")
    gone = play.past(made)
    assert (gone.state, gone.resolution, gone.last_error) == (
        "dead",
        "discarded: known",
        "the reason",
    )
    with pytest.raises(DomainError):
        job_discard(job_id=made, by=None)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("lease", [True, False])
def test_only_a_dead_job_is_discarded(kind: JobKind[Any], lease: bool) -> None:
    made = kind.enqueue().id
    if lease:
        play.lease_one()
    with pytest.raises(errors.JobNotReplayable):
        job_discard(job_id=made, by=None)


def test_a_waiting_job_gets_another_priority(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1)
    made = kind.enqueue(n=2).id
    job_reprioritize(job_id=made, priority=0, by=None)
    job_reprioritize(job_id=made, priority=0, by=None)
    assert play.lease(limit=1)[0].id == made
    with pytest.raises(errors.JobNotRetryable, match="does not wait"):
        job_reprioritize(job_id=made, priority=1, by=None)
    with pytest.raises(errors.EnqueueInvalid, match="priority must be"):
        job_reprioritize(job_id=made, priority=4, by=None)
