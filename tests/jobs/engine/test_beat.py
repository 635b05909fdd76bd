"""The beat speaks for a lane while the lane is at a job. The lane is in a thread, the test beats."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from jobs.context import current_job
from jobs.engine.beat import Beat
from jobs.engine.lane import Lane
from jobs.enqueue import enqueue_many
from jobs.errors import JobCancelled
from jobs.ladders import Delays
from jobs.lease import leases_reap
from jobs.models import Job, Worker
from jobs.operations import job_cancel
from jobs.registry import JobKind
from jobs.workers import worker_start
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

LONG_S = 20.0

started = threading.Event()
go_on = threading.Event()


def _wait(n: int = 0) -> str:
    """Run until told to go on, in small steps, so that an interrupt is noticed."""
    if n:
        return "short"
    started.set()
    for _ in range(int(LONG_S * 100)):
        if go_on.wait(0.01):
            return "done"
    raise AssertionError("nobody told it to go on")


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    started.clear()
    go_on.clear()
    return declare(_wait, retry=Delays("1h"))


@pytest.fixture
def beat(lane: Lane) -> Beat:
    return Beat("w1", [lane], None)


@pytest.fixture
def at_work(committed: None, lane: Lane, beat: Beat) -> Iterator[Callable[[], Future[int]]]:
    """Let the lane take a turn in a thread; returns when it is at the job that waits."""
    pool = ThreadPoolExecutor(1)

    def turn() -> int:
        try:
            found = lane.turn(beat.stopping)
            lane.settle()
            return found
        finally:
            connections.close_all()

    def begin() -> Future[int]:
        future = pool.submit(turn)
        assert started.wait(LONG_S)
        return future

    yield begin
    go_on.set()
    pool.shutdown()


def _beat_until(beat: Beat, is_so: Callable[[], bool]) -> None:
    """Beat until it is so."""
    pause = threading.Event()
    for _ in range(int(LONG_S * 100)):
        if is_so():
            return
        beat._tick()
        pause.wait(0.01)
    raise AssertionError("it never is")


def test_a_lease_is_kept_while_its_job_runs(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    made = kind.enqueue().id
    future = at_work()
    Job.objects.update(lease_until=clock.now() + timedelta(seconds=1))
    beat._tick()
    until = play.job(made).lease_until
    assert until is not None
    assert until - clock.now() > timedelta(seconds=20)
    go_on.set()
    assert future.result(LONG_S) == 1
    assert play.past(made).result == "done"


def test_a_running_job_is_cancelled(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    made = kind.enqueue().id
    future = at_work()
    assert job_cancel(job_id=made, by=None) == "cancelling"
    _beat_until(beat, future.done)
    assert (play.state(made), play.past(made).last_error) == ("cancelled", "cancelled while it ran")


def test_a_job_that_takes_too_long_is_interrupted_and_tried_again(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    made = kind.enqueue(timeout="50ms").id
    future = at_work()
    _beat_until(beat, future.done)
    row = play.job(made)
    assert (row.state, row.attempt, row.last_error) == ("scheduled", 1, "timed out after 0.05 s")


def test_a_job_may_tidy_up_when_it_is_interrupted(
    declare: Declare, kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    tidied: list[str] = []

    def act() -> None:
        try:
            _wait()
        except Exception:  # noqa: BLE001 - the careless kind of job
            tidied.append("swallowed")
        finally:
            tidied.append("finally")

    made = declare(act, name="tests.tidy").enqueue(timeout="50ms").id
    future = at_work()
    _beat_until(beat, future.done)
    assert (tidied, play.state(made)) == (["finally"], "dead")


def test_a_job_whose_lease_has_passed_to_another_stops_and_changes_nothing(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    made = kind.enqueue().id
    future = at_work()
    Job.objects.update(lease_until=clock.now() - timedelta(hours=1))
    leases_reap()
    assert play.lease_one(worker="w2").id == made
    _beat_until(beat, future.done)
    row = play.job(made)
    assert (row.state, row.worker, row.fence) == ("running", "w2", 2)


def test_nobody_waits_in_the_pocket_behind_a_long_job(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    first, *others = [made.id for made in enqueue_many([(kind, {"n": n}) for n in (0, 1, 2)])]
    future = at_work()
    assert [play.state(job) for job in others] == ["running", "running"]
    _beat_until(beat, lambda: play.state(others[1]) == "available")
    rows = [play.job(job) for job in others]
    assert [(row.state, row.attempt) for row in rows] == [("available", 0)] * 2
    assert {held.id for held in play.lease(worker="w2")} == set(others)
    go_on.set()
    future.result(LONG_S)
    assert play.state(first) == "completed"


def test_what_has_ended_is_written_though_the_next_job_is_long(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    short, long = [made.id for made in enqueue_many([(kind, {"n": n}) for n in (1, 0)])]
    at_work()
    assert play.state(short) == "running"
    _beat_until(beat, lambda: play.state(short) == "completed")
    assert play.state(long) == "running"


def test_a_stop_empties_the_pocket_at_once(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    _, other = [made.id for made in enqueue_many([(kind, {"n": n}) for n in (0, 1)])]
    at_work()
    beat.stopping.set()
    beat._tick()
    assert (play.state(other), play.job(other).attempt) == ("available", 0)


def test_a_waiting_job_that_was_lost_is_not_started(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat, lane: Lane
) -> None:
    _, other = [made.id for made in enqueue_many([(kind, {"n": n}) for n in (0, 1)])]
    future = at_work()
    Job.objects.filter(pk=other).update(lease_until=clock.now() - timedelta(hours=1))
    leases_reap()
    rival = play.lease_one(worker="w2")
    beat._tick()
    assert other not in {lease.id for lease in lane.held()}
    go_on.set()
    future.result(LONG_S)
    assert (rival.id, play.job(other).worker) == (other, "w2")


def test_the_beat_tells_that_its_worker_lives(
    kind: JobKind[Any], at_work: Callable[[], Future[int]], beat: Beat
) -> None:
    worker_start("w1", host="here", pid=1, queues=["default"])
    kind.enqueue(n=1)
    kind.enqueue()
    at_work()
    Worker.objects.update(beat_at=clock.now() - timedelta(hours=1))
    beat._tell()
    row = Worker.objects.get()
    assert clock.now() - row.beat_at < timedelta(minutes=1)
    assert (row.jobs_started, row.jobs_completed, row.rss_bytes > 0) == (2, 1, True)


def test_a_job_in_a_long_loop_can_ask_for_an_interrupt(declare: Declare, lane: Lane) -> None:
    def act() -> None:
        context = current_job()
        assert context is not None
        context.check()
        context.interrupt = JobCancelled()
        context.check()

    made = declare(act).enqueue().id
    lane.turn(threading.Event())
    lane.settle()
    assert play.state(made) == "cancelled"
