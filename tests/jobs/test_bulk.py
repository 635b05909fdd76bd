"""Acting on all that match: counted first, refusals listed, audited as one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from jobs import bulk
from jobs.bulk import JobFilter, jobs_bulk
from jobs.enqueue import enqueue_many
from jobs.models import AuditEntry, Job, JobHistory, JobRecord
from jobs.operations import job_discard, job_replay
from jobs.registry import JobKind
from lib import clock
from lib.errors import InputInvalid
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _many(kind: JobKind[Any], count: int, **options: Any) -> None:
    enqueue_many([(kind, {"n": n, **options}) for n in range(count)])


def _numbers(where: JobFilter) -> list[int]:
    return sorted(job.args["n"] for job in where.query())


def test_a_dry_run_counts_and_changes_nothing(kind: JobKind[Any]) -> None:
    _many(kind, 30)
    result = jobs_bulk(where=JobFilter(kind="tests.kind"), action="cancel", by=None)
    assert (result.matched, result.done, result.dry_run, result.more) == (30, 0, True, False)
    assert len(result.sample) == 20
    assert result.sample[0] == str(Job.objects.order_by("-id")[0].pk)
    assert Job.objects.count() == 30
    assert not AuditEntry.objects.exists()


def test_all_that_match_are_done_and_audited(
    kind: JobKind[Any], account: Callable[..., User]
) -> None:
    ann = account("ann")
    _many(kind, 3)
    _many(kind, 2, queue="maintenance")
    result = jobs_bulk(where=JobFilter(queue="maintenance"), action="cancel", by=ann, dry_run=False)
    assert (result.matched, result.done, result.refused) == (2, 2, [])
    assert (Job.objects.count(), JobHistory.objects.filter(state="cancelled").count()) == (3, 2)
    entry = AuditEntry.objects.get(action="jobs.bulk_cancel")
    assert entry.account_name == "ann"
    assert entry.changes == {
        "matched": 2, "done": 2, "refused": 0, "filter": {"queue": "maintenance"},
    }  # fmt: skip
    assert AuditEntry.objects.filter(action="jobs.cancel").count() == 2


def test_a_refusal_stops_nobody_and_is_listed(kind: JobKind[Any]) -> None:
    _many(kind, 3)
    play.finish(play.lease_one(), name="dead")
    result = jobs_bulk(where=JobFilter(kind="tests.kind"), action="discard", by=None, dry_run=False)
    assert (result.matched, result.done) == (3, 1)
    assert [refused["reason"].split(" is ")[1] for refused in result.refused] == ["available"] * 2
    assert {refused["id"] for refused in result.refused} == {
        str(row.pk) for row in Job.objects.all()
    }


@pytest.mark.parametrize(("action", "left"), [("replay", "available"), ("retry", "available")])
def test_dead_jobs_come_back(kind: JobKind[Any], action: str, left: str) -> None:
    _many(kind, 4)
    play.finish(*play.lease(), name="dead")
    result = jobs_bulk(where=JobFilter(state="dead"), action=action, by=None, dry_run=False)
    assert result.done == 4
    assert set(Job.objects.values_list("state", flat=True)) == {left}


def test_a_replay_of_all_dead_repeats_no_older_one(kind: JobKind[Any]) -> None:
    _many(kind, 3)
    one, two, _ = play.lease()
    play.finish(*[one, two], name="dead")
    job_replay(job_id=one.id, by=None)
    job_discard(job_id=two.id, by=None)
    for state, found in (("dead", 0), ("put_away", 2)):
        result = jobs_bulk(where=JobFilter(state=state), action="replay", by=None)
        assert result.matched == found


def test_priorities_can_be_changed_together(kind: JobKind[Any]) -> None:
    _many(kind, 3)
    where = JobFilter(kind="tests.kind")
    result = jobs_bulk(where=where, action="reprioritize", by=None, dry_run=False, priority=0)
    assert result.done == 3
    assert set(Job.objects.values_list("priority", flat=True)) == {0}
    result = jobs_bulk(where=where, action="reprioritize", by=None, dry_run=False)
    assert (result.done, result.refused[0]["reason"]) == (0, "reprioritize needs a priority")


def test_one_call_takes_so_many_and_says_that_there_are_more(kind: JobKind[Any]) -> None:
    _many(kind, 5)
    where = JobFilter(kind="tests.kind")
    result = jobs_bulk(where=where, action="cancel", by=None, dry_run=False, limit=2)
    assert (result.matched, result.done, result.more) == (2, 2, True)
    result = jobs_bulk(where=where, action="cancel", by=None, limit=10**9)
    assert (result.more, bulk.MOST) == (False, 10_000)


def test_an_empty_filter_or_an_unknown_action_is_refused(kind: JobKind[Any]) -> None:
    with pytest.raises(InputInvalid, match="a filter must say something"):
        jobs_bulk(where=JobFilter(), action="cancel", by=None)
    with pytest.raises(InputInvalid, match="action must be one of cancel, retry"):
        jobs_bulk(where=JobFilter(kind="tests.kind"), action="delete", by=None)
    with pytest.raises(InputInvalid, match="state must be one of"):
        jobs_bulk(where=JobFilter(state="lost"), action="cancel", by=None)


def test_each_filter_finds_its_own(kind: JobKind[Any], declare: Declare) -> None:
    other = declare(name="tests.other", queue="maintenance")
    kind.enqueue(n=1, partition="k", correlation_id="c-1")
    other.enqueue(n=2)
    kind.enqueue(n=3, delay="1h")
    held = play.lease_one(worker="w7")
    kind.enqueue(n=4)
    play.finish(play.lease_one(), name="retried", run_in=timedelta(hours=1), error="Time OUT")
    for where, found in [
        (JobFilter(kind="tests.kind"), [1, 3, 4]),
        (JobFilter(queue="maintenance"), [2]),
        (JobFilter(key="k"), [1]),
        (JobFilter(worker="w7"), [1]),
        (JobFilter(correlation_id="c-1"), [1]),
        (JobFilter(error="time out"), [4]),
        (JobFilter(args={"n": 3}), [3]),
        (JobFilter(ids=(held.id,)), [1]),
        (JobFilter(state="running"), [1]),
        (JobFilter(state="available"), [2]),
        (JobFilter(state="scheduled"), [3, 4]),
        (JobFilter(state="retrying"), [4]),
        (JobFilter(state="dead"), []),
        (JobFilter(kind="tests.kind", state="scheduled", error="out"), [4]),
        (JobFilter(created_from=clock.now() - timedelta(hours=1)), [1, 2, 3, 4]),
        (JobFilter(created_from=clock.now()), []),
        (JobFilter(created_to=clock.now() - timedelta(hours=1)), []),
    ]:
        assert _numbers(where) == found, where
    with clock.shift(timedelta(hours=2)):
        assert _numbers(JobFilter(state="available")) == [2, 3, 4]


def test_finished_jobs_are_found_beside_open_ones(kind: JobKind[Any]) -> None:
    _many(kind, 2)
    play.finish(play.lease_one())
    assert JobFilter(kind="tests.kind").query().count() == 2
    assert [job.state for job in JobFilter(state="completed").query()] == ["completed"]
    assert JobRecord.objects.count() == 2


def test_a_priority_that_nobody_knows_is_a_refusal_of_each(kind: JobKind[Any]) -> None:
    _many(kind, 2)
    result = jobs_bulk(
        where=JobFilter(kind="tests.kind"),
        action="reprioritize",
        by=None,
        dry_run=False,
        priority=9,
    )
    assert (result.done, len(result.refused)) == (0, 2)
