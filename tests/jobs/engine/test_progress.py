"""Progress and checkpoints: said by the job, written by the beat or at the end of the attempt."""

from typing import Any

import pytest
from django.db import OperationalError, connection

from jobs.context import JobContext, current_job
from jobs.engine.attempt import progress_flush
from jobs.engine.beat import Beat
from jobs.engine.lane import Lane
from jobs.ladders import Delays
from jobs.lease import leases_look
from jobs.models import Job
from tests.jobs import play
from tests.jobs.conftest import Declare, Work


def _context() -> JobContext:
    context = current_job()
    assert context is not None
    return context


@pytest.fixture
def beat(lane: Lane) -> Beat:
    """The beat of the lane, not started: the test beats."""
    return Beat("w1", [lane], None)


def test_the_beat_writes_what_a_job_reports(declare: Declare, work: Work, beat: Beat) -> None:
    seen: list[Any] = []

    def act() -> None:
        context = _context()
        for done in (1, 3):
            context.report(done, 4, "rows", node="de-1")
            beat._keep(leases_look)
            seen.append(Job.objects.get().progress)

    declare(act).enqueue()
    work()
    assert seen == [
        {"done": 1, "total": 4, "pct": 25.0, "msg": "rows", "node": "de-1"},
        {"done": 3, "total": 4, "pct": 75.0, "msg": "rows", "node": "de-1"},
    ]


def test_what_is_not_new_is_not_written_again(
    declare: Declare, work: Work, beat: Beat, django_assert_num_queries: Any
) -> None:
    def act() -> None:
        _context().report(msg="once")
        with django_assert_num_queries(2):  # a look at the lease and one write
            beat._keep(leases_look)
        with django_assert_num_queries(1):
            beat._keep(leases_look)

    made = declare(act).enqueue().id
    work()
    assert play.state(made) == "completed"


def test_the_last_progress_stands_in_the_history(declare: Declare, work: Work) -> None:
    made = declare(lambda: _context().report(4, 4)).enqueue().id
    atomic = declare(lambda: _context().report(4, 4), name="tests.atomic", atomic=True).enqueue().id
    work()
    assert (
        play.past(made).progress
        == play.past(atomic).progress
        == {"done": 4, "total": 4, "pct": 100.0}
    )


def test_the_next_attempt_finds_the_checkpoint_of_the_failed_one(
    declare: Declare, work: Work
) -> None:
    seen: list[Any] = []

    def act() -> None:
        context = _context()
        seen.append(context.checkpoint)
        context.save_checkpoint({"page": len(seen)})
        if len(seen) < 3:
            raise ValueError("no")

    declare(act, retry=Delays([0, 0])).enqueue()
    work()
    assert seen == [None, {"page": 1}, {"page": 2}]


@pytest.mark.parametrize("value", [object(), {1: 2}, "\udcff"], ids=["object", "int key", "letter"])
def test_what_is_not_json_fails_the_job_and_not_the_beat(
    declare: Declare, work: Work, value: Any
) -> None:
    made = declare(lambda: _context().report(node=value)).enqueue().id
    other = declare(lambda: _context().save_checkpoint(value), name="tests.other").enqueue().id
    work()
    assert play.state(made) == play.state(other) == "dead"
    assert "TypeError" in (play.job(made).last_error or "")


def test_a_nul_character_is_dropped(declare: Declare, work: Work) -> None:
    made = declare(lambda: _context().report(msg="a\x00b")).enqueue().id
    work()
    assert play.past(made).progress == {"msg": "ab"}


def test_who_lost_the_lease_writes_no_progress(declare: Declare, work: Work, beat: Beat) -> None:
    def act() -> None:
        Job.objects.update(fence=9)
        _context().report(msg="too late")
        progress_flush(_context())

    declare(act).enqueue()
    work(turns=1)
    assert Job.objects.get().progress is None


def test_a_report_that_could_not_be_written_is_written_later(
    declare: Declare, work: Work, beat: Beat
) -> None:
    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "SET progress" in sql:
            raise OperationalError("away")
        return execute(sql, *rest)

    def act() -> None:
        _context().report(msg="kept")
        with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
            beat._keep(leases_look)
        beat._keep(leases_look)
        assert Job.objects.get().progress == {"msg": "kept"}

    made = declare(act).enqueue().id
    work()
    assert play.state(made) == "completed"


def test_a_total_of_nothing_has_no_share(declare: Declare, work: Work) -> None:
    made = declare(lambda: _context().report(0, 0)).enqueue().id
    work()
    assert play.past(made).progress == {"done": 0}
