"""Replay: a new job from an old one, which stays as it was."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from jobs import errors
from jobs.ladders import Delays
from jobs.models import AuditEntry, Job, JobHistory, JobRecord
from jobs.operations import job_explain, job_replay
from jobs.registry import JobKind
from jobs.testing import drain
from lib import clock
from lib.ids import uuid7
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(retry=Delays("1h"))


def _ended(kind: JobKind[Any], name: str, **options: Any) -> UUID:
    made = kind.enqueue(**options).id
    play.finish(play.lease_one(kind.queue), name=name)
    return made


@pytest.mark.parametrize("name", ["completed", "cancelled", "dead"])
def test_a_replay_is_a_new_job_with_the_old_args(kind: JobKind[Any], name: str) -> None:
    old = _ended(
        kind, name, n=7, priority=1, partition="a", timeout=9, retry=[5, 6], correlation_id="c-1"
    )
    new = play.job(job_replay(job_id=old, by=None))
    assert new.pk != old
    assert (new.args, new.priority, new.partition_key, new.timeout_s, new.retry_delays) == (
        {"n": 7}, 1, "a", 9, [5, 6],
    )  # fmt: skip
    assert (new.state, new.attempt, new.max_attempts, new.replay_of, new.correlation_id) == (
        "available", 0, 3, old, "c-1",
    )  # fmt: skip
    assert play.state(old) == name
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object_id, entry.changes) == (
        "jobs.replay", str(old), {"kind": "tests.kind", "new_job": str(new.pk)},
    )  # fmt: skip


def test_a_dead_original_is_put_away_as_replayed(kind: JobKind[Any]) -> None:
    old = _ended(kind, "dead")
    new = job_replay(job_id=old, by=None)
    assert play.past(old).resolution == f"replayed as {new}"
    assert not Job.objects.filter(pk=old).exists()


def test_args_may_be_mended_and_are_checked(kind: JobKind[Any]) -> None:
    old = _ended(kind, "dead", n=1)
    for bad in ({"n": "x"}, {"old": 1}):
        with pytest.raises(errors.ArgsInvalid):
            job_replay(job_id=old, by=None, args=bad)
    assert play.state(old) == "dead"
    assert Job.objects.count() == 1
    new = job_replay(job_id=old, by=None, args={"n": 2})
    assert (play.job(new).args, play.past(old).args) == ({"n": 2}, {"n": 1})
    assert AuditEntry.objects.get().changes["args"] == {"n": 2}


@pytest.mark.parametrize("lease", [True, False])
def test_an_open_job_is_not_replayed(kind: JobKind[Any], lease: bool) -> None:
    made = kind.enqueue().id
    if lease:
        play.lease_one()
    with pytest.raises(errors.JobNotReplayable):
        job_replay(job_id=made, by=None)
    assert Job.objects.count() == 1


def test_an_unknown_job_or_kind_is_refused(kind: JobKind[Any]) -> None:
    with pytest.raises(errors.JobNotFound):
        job_replay(job_id=uuid7(), by=None)
    old = _ended(kind, "completed")
    JobHistory.objects.update(kind="tests.gone")
    with pytest.raises(errors.KindUnknown):
        job_replay(job_id=old, by=None)


def test_a_replay_stands_at_the_end_of_its_line(kind: JobKind[Any]) -> None:
    old = _ended(kind, "dead", n=1, partition="a")
    kind.enqueue(n=2, partition="a")
    job_replay(job_id=old, by=None)
    assert play.line("a") == [(2, "available", False), (1, "available", True)]


def test_a_replay_of_a_single_kind_is_no_second_one(declare: Declare) -> None:
    def sweep() -> None: ...

    kind = declare(sweep, single=True)
    old = _ended(kind, "completed")
    kind.enqueue()
    job_replay(job_id=old, by=None)
    assert len(play.lease()) == 1


def test_a_replay_can_be_replayed(kind: JobKind[Any]) -> None:
    first = _ended(kind, "completed")
    second = job_replay(job_id=first, by=None)
    drain()
    third = job_replay(job_id=second, by=None)
    assert [play.job(third).replay_of, play.past(second).replay_of] == [second, first]


def _explained(job_id: UUID) -> str:
    return job_explain(JobRecord.objects.get(pk=job_id))


def test_why_a_job_is_where_it_is_is_said_in_a_sentence(kind: JobKind[Any]) -> None:
    due, ahead = kind.enqueue(n=1, partition="a").id, kind.enqueue(delay="1h").id
    behind = kind.enqueue(n=2, partition="a").id
    assert _explained(due).startswith("Due since")
    assert _explained(ahead).startswith("Waits for its time")
    assert _explained(behind) == "Waits behind other jobs of the key a."
    held = play.lease_one(worker="w7")
    assert _explained(due).startswith("Runs on w7 since")
    play.finish(held, name="dead", error="Traceback ...\nValueError: the reason")
    assert _explained(due) == "Gave up after attempt 1: ValueError: the reason"
    play.finish(play.lease_one())
    assert _explained(behind).startswith("Completed at")


def test_a_job_whose_kind_is_gone_says_so(kind: JobKind[Any]) -> None:
    made = kind.enqueue().id
    Job.objects.update(kind="tests.gone")
    assert "No job is declared as tests.gone" in _explained(made)


def test_a_scheduled_job_whose_time_has_come_is_due(kind: JobKind[Any]) -> None:
    made = kind.enqueue(delay="1m").id
    with clock.shift(timedelta(minutes=2)):
        assert _explained(made).startswith("Due since")
