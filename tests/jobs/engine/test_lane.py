"""A lane: batches, pockets, and what happens when something goes wrong in the middle."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from jobs import sql
from jobs.engine.lane import FAIR_TURN, Lane
from jobs.engine.quarantine import SuspectLane
from jobs.enqueue import enqueue_many
from jobs.ladders import Delays
from jobs.models import Job, JobHistory
from jobs.outcomes import Snooze
from jobs.registry import JobKind
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work

order: list[int] = []


@pytest.fixture(autouse=True)
def no_order() -> None:
    order.clear()


def _note(n: int = 0) -> None:
    order.append(n)


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(_note)


def test_a_lane_runs_what_is_due_and_says_how_many(kind: JobKind[Any], work: Work) -> None:
    enqueue_many([(kind, {"n": n}) for n in range(30)])
    assert work() == 30
    assert order == list(range(30))
    assert work() == 0


def test_its_leases_grow_with_short_jobs_up_to_a_limit(
    kind: JobKind[Any], lane: Lane, stopping: threading.Event
) -> None:
    enqueue_many([(kind, {"n": n}) for n in range(400)])
    sizes = [lane.turn(stopping) for _ in range(6)]
    assert sizes[0] == 10
    assert max(sizes) <= settings.JOBS["max_batch"]
    assert sorted(sizes[:3]) == sizes[:3]


def test_one_turn_in_ten_takes_the_oldest_whatever_its_priority(
    kind: JobKind[Any], lane: Lane, stopping: threading.Event
) -> None:
    kind.enqueue(n=0, priority=3)
    for turn in range(1, FAIR_TURN + 1):
        lane._limit = 1
        kind.enqueue(n=turn, priority=0)
        lane.turn(stopping)
    assert order == [*range(1, FAIR_TURN), 0]


def test_no_queue_is_always_asked_first(
    declare: Declare, lane: Lane, stopping: threading.Event
) -> None:
    kind = declare(_note)
    for n in range(3):
        kind.enqueue(n=n, queue="default")
        kind.enqueue(n=10 + n, queue="maintenance")
    for _ in range(4):
        lane._limit = 1
        lane.turn(stopping)
    assert {n >= 10 for n in order} == {True, False}


def test_jobs_of_a_key_run_in_order_over_many_leases(kind: JobKind[Any], work: Work) -> None:
    enqueue_many([(kind, {"n": n, "partition": f"k{n % 2}"}) for n in range(60)])
    work()
    assert [n for n in order if n % 2 == 0] == list(range(0, 60, 2))
    assert [n for n in order if n % 2 == 1] == list(range(1, 60, 2))


@pytest.mark.parametrize("outcome", ["raise", "snooze"])
def test_a_head_that_is_tried_again_holds_back_those_in_the_pocket(
    declare: Declare, lane: Lane, stopping: threading.Event, outcome: str
) -> None:
    def act(n: int) -> Any:
        order.append(n)
        if n == 1 and order.count(1) == 1:
            if outcome == "snooze":
                return Snooze(timedelta(minutes=1))
            raise ValueError("no")
        return None

    kind = declare(act, retry=Delays("1m"))
    for n in (1, 2, 3):
        kind.enqueue(n=n, partition="a")
    lane.run(play.lease(chain=9, worker="w1"), stopping)
    assert order == [1]
    assert play.line("a") == [
        (1, "scheduled", False),
        (2, "available", True),
        (3, "available", True),
    ]
    assert [row.attempt for row in Job.objects.order_by("seq")[1:]] == [0, 0]
    with clock.shift(timedelta(minutes=2)):
        lane.run(play.lease(chain=9, worker="w1"), stopping)
    assert order == [1, 1, 2, 3]


def test_a_dead_head_lets_those_in_the_pocket_go(
    declare: Declare, lane: Lane, stopping: threading.Event
) -> None:
    def act(n: int) -> None:
        order.append(n)
        if n == 1:
            raise ValueError("no")

    kind = declare(act)
    for n in (1, 2):
        kind.enqueue(n=n, partition="a")
    lane.run(play.lease(chain=9, worker="w1"), stopping)
    assert order == [1, 2]


def test_a_stop_hands_back_what_was_not_begun_unspent(
    declare: Declare, lane: Lane, stopping: threading.Event
) -> None:
    def act(n: int) -> None:
        order.append(n)
        stopping.set()

    kind = declare(act)
    for n in range(4):
        kind.enqueue(n=n)
    lane.turn(stopping)
    assert order == [0]
    rows = [(row.state, row.attempt) for row in Job.objects.order_by("seq")]
    assert rows == [("available", 0)] * 3
    assert JobHistory.objects.count() == 1
    assert lane.held() == []


def test_jobs_whose_worker_died_are_left_to_a_quarantine(
    kind: JobKind[Any], stopping: threading.Event
) -> None:
    for n, key in enumerate(("a", "a", "b", None, None)):
        kind.enqueue(n=n, partition=key)
    Job.objects.filter(args__n__in=[0, 3]).update(crash_count=1)
    worker = Lane("main", "w1", ["default"], None, spare=True)
    while worker.turn(stopping):
        pass
    assert sorted(order) == [2, 4]
    quarantine = SuspectLane("suspects", "w2", ["default"], None)
    assert [quarantine.turn(stopping) for _ in range(3)] == [1, 1, 0]
    assert sorted(order[2:]) == [0, 3]
    while worker.turn(stopping):
        pass
    assert order[4:] == [1]


def test_a_time_that_no_calendar_has_is_cut(declare: Declare, work: Work) -> None:
    made = declare(lambda: Snooze(timedelta(days=4_000_000))).enqueue().id
    other = declare(lambda: Snooze(timedelta.max), name="tests.other").enqueue().id
    work()
    for job in (made, other):
        assert timedelta(days=3659) < play.job(job).run_at - clock.now() <= timedelta(days=3660)


@pytest.fixture
def no_forbidden_results(committed: None) -> Iterator[None]:
    """A database that refuses one result, as it would one that is too large."""
    sql.run(
        "ALTER TABLE jobs_jobhistory ADD CONSTRAINT tests_refuse CHECK (result <> '\"forbidden\"')"
    )
    yield
    sql.run("ALTER TABLE jobs_jobhistory DROP CONSTRAINT tests_refuse")


def test_an_outcome_that_the_database_refuses_harms_nobody_else(
    no_forbidden_results: None, declare: Declare, work: Work
) -> None:
    def act(n: int) -> str:
        return "forbidden" if n == 2 else "fine"

    kind = declare(act)
    jobs = [kind.enqueue(n=n).id for n in range(5)]
    work()
    assert [play.state(job) for job in jobs] == ["completed"] * 2 + ["dead"] + ["completed"] * 2
    assert (play.job(jobs[2]).last_error or "").startswith("its outcome could not be stored: ")


def test_outcomes_outlive_a_database_that_was_away(
    committed: None, kind: JobKind[Any], work: Work
) -> None:
    failures = 0

    def refuse(execute: Any, statement: str, *rest: Any) -> Any:
        nonlocal failures
        if "jobs_complete" in statement and failures < 2:
            failures += 1
            raise OperationalError("away")
        return execute(statement, *rest)

    enqueue_many([(kind, {"n": n}) for n in range(3)])
    # What is written is safe; whoever has asked for more in the same breath must look what it got.
    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        work()
    assert (failures, order, JobHistory.objects.count()) == (2, [0, 1, 2], 3)


def test_ends_are_written_with_the_next_lease(
    kind: JobKind[Any], lane: Lane, stopping: threading.Event
) -> None:
    enqueue_many([(kind, {"n": n}) for n in range(15)])
    assert lane.turn(stopping) == 10
    assert (len(lane.held()), JobHistory.objects.count()) == (10, 0)
    with CaptureQueriesContext(connection) as queries:
        assert lane.turn(stopping) == 5
    assert (len(queries), len(lane.held()), JobHistory.objects.count()) == (1, 5, 10)
    lane.settle()
    assert (len(lane.held()), JobHistory.objects.count()) == (0, 15)


def test_a_refused_outcome_keeps_nobody_from_the_next_lease(
    no_forbidden_results: None, declare: Declare, lane: Lane, stopping: threading.Event
) -> None:
    kind = declare(lambda n: "forbidden" if n == 2 else "fine")
    jobs = [kind.enqueue(n=n).id for n in range(15)]
    assert [lane.turn(stopping), lane.turn(stopping)] == [10, 5]
    lane.settle()
    assert [play.state(job) for job in jobs].count("completed") == 14
    assert play.state(jobs[2]) == "dead"


def test_a_lane_that_was_cut_short_goes_on_where_it_was(
    committed: None, kind: JobKind[Any], lane: Lane, stopping: threading.Event
) -> None:
    def refuse(execute: Any, statement: str, *rest: Any) -> Any:
        if "jobs_complete" in statement or "jobs_put_back" in statement:
            raise DatabaseError("refused for a reason that we do not know")
        return execute(statement, *rest)

    enqueue_many([(kind, {"n": n}) for n in range(3)])
    lane.turn(stopping)
    with connection.execute_wrapper(refuse), pytest.raises(DatabaseError):
        lane.turn(stopping)
    assert len(lane.held()) == 3
    lane.turn(stopping)
    assert (order, lane.held(), JobHistory.objects.count()) == ([0, 1, 2], [], 3)


def test_starts_and_ends_are_counted(declare: Declare, lane: Lane, work: Work) -> None:
    def act(n: int) -> Any:
        if n == 1:
            raise ValueError("no")
        return Snooze(timedelta(hours=1)) if n == 2 else None

    enqueue_many([(declare(act), {"n": n}) for n in range(4)])
    work()
    assert (lane.started, lane.completed, lane.failed) == (4, 2, 1)
