"""Which jobs a lease takes, in which order, and what the row says then."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from jobs import sql
from jobs.console import queue_pause, queue_resume
from jobs.enqueue import enqueue_many
from jobs.lease import Lease, leases_extend, leases_look, progress_write, suspects_lease
from jobs.models import Job, Queue
from jobs.registry import JobKind
from jobs.testing import drain
from lib import clock
from lib.ids import uuid7
from tests.jobs import play
from tests.jobs.conftest import Declare


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _numbers(*queues: str, **options: Any) -> list[int]:
    held = play.lease(*queues, **options)
    rows = {row.pk: row.args["n"] for row in Job.objects.all()}
    return [rows[one.id] for one in held]


def test_a_leased_row_says_who_holds_it_and_until_when(kind: JobKind[Any]) -> None:
    made = kind.enqueue(n=1, timeout=5, retry=[1, 2], deadline="1h", correlation_id="c-1").id
    held = play.lease_one(worker="w7")
    row = play.job(made)
    assert (row.state, row.worker, row.attempt, row.fence) == ("running", "w7", 1, 1)
    assert row.lease_until is not None
    assert timedelta(0) < row.lease_until - clock.now() <= settings.JOBS["lease"]
    assert row.started_at is not None
    assert (held.id, held.seq, held.args, held.attempt, held.fence) == (
        made,
        row.seq,
        '{"n": 1}',
        1,
        1,
    )
    assert (held.timeout_s, held.retry_delays, held.max_attempts) == (5, [1, 2], 3)
    assert row.deadline_at is not None
    assert held.deadline == pytest.approx(row.deadline_at.timestamp())
    assert (held.correlation_id, held.cancel_requested, held.has_ties) == ("c-1", False, False)


def test_a_leased_job_is_not_leased_again(kind: JobKind[Any]) -> None:
    kind.enqueue()
    assert len(play.lease()) == 1
    assert play.lease(worker="w2") == []


def test_urgent_jobs_go_first_and_within_a_priority_the_oldest(kind: JobKind[Any]) -> None:
    for n, priority in enumerate([3, 2, 0, 1, 2, 0]):
        kind.enqueue(n=n, priority=priority)
    assert _numbers() == [2, 5, 3, 1, 4, 0]


def test_a_small_lease_takes_the_most_urgent(kind: JobKind[Any]) -> None:
    for n, priority in enumerate([3, 2, 0, 1]):
        kind.enqueue(n=n, priority=priority)
    assert [_numbers(limit=1) for _ in range(4)] == [[2], [3], [1], [0]]


def test_the_fair_turn_takes_the_oldest_whatever_its_priority(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1, priority=3)
    for n in range(2, 6):
        kind.enqueue(n=n, priority=0)
    assert _numbers(oldest_first=True, limit=1) == [1]
    assert _numbers(limit=1) == [2]


def test_low_work_is_not_starved_by_a_stream_of_urgent_work(kind: JobKind[Any]) -> None:
    low = kind.enqueue(n=0, priority=3).id
    for turn in range(1, 30):
        kind.enqueue(n=turn, priority=0)
        play.finish(*play.lease(limit=1, oldest_first=turn % 10 == 0))
        if play.state(low) == "completed":
            break
    assert turn == 10


def test_a_job_waits_for_its_time(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1, delay="1h")
    assert play.lease() == []
    with clock.shift(timedelta(minutes=61)):
        assert _numbers() == [1]


def test_a_paused_queue_gives_nothing(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1)
    kind.enqueue(n=2, queue="maintenance")
    queue_pause(name="default", by=None)
    assert _numbers("default", "maintenance") == [2]
    queue_resume(name="default", by=None)
    assert _numbers("default", "maintenance") == [1]


def test_only_the_queues_and_kinds_that_were_asked_for_are_leased(
    kind: JobKind[Any], declare: Declare
) -> None:
    other = declare(name="tests.other")
    kind.enqueue(n=1)
    other.enqueue(n=2)
    kind.enqueue(n=3, queue="maintenance")
    assert _numbers(kinds=["tests.other"]) == [2]
    assert _numbers(kinds=["tests.nowhere"]) == []
    assert _numbers("maintenance") == [3]
    assert _numbers("nowhere") == []


def test_jobs_for_outside_workers_are_not_run_inside(declare: Declare) -> None:
    job = declare(queue="external").enqueue(n=1).id
    assert drain() == 0
    assert play.state(job) == "available"
    assert _numbers("external") == [1]


def test_a_lease_is_no_larger_than_asked(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n, "priority": n % 4}) for n in range(40)])
    assert len(play.lease(limit=7)) == 7
    assert len(play.lease(limit=7, chain=9)) == 7
    assert len(play.lease(limit=100)) == 26


def test_the_fence_grows_with_each_lease(kind: JobKind[Any]) -> None:
    kind.enqueue()
    fences = []
    for name in ("retried", "snoozed", "released", "retried"):
        held = play.lease_one()
        fences.append(held.fence)
        play.finish(held, name=name)
    assert fences == [1, 2, 3, 4]


def test_a_lease_can_be_kept_and_looked_at_by_its_holder_only(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    mine, stale = (held.id, held.fence), (held.id, held.fence - 1)
    Job.objects.update(lease_until=clock.now())
    assert leases_look([mine, stale, (uuid7(), 1)]) == {held.id: False}
    assert leases_extend([stale]) == {}
    assert leases_extend([mine], span=timedelta(minutes=9)) == {held.id: False}
    row = play.job(held.id)
    assert row.lease_until is not None
    assert row.lease_until - clock.now() > timedelta(minutes=8)
    Job.objects.update(cancel_requested_at=clock.now())
    assert leases_look([mine]) == leases_extend([mine]) == {held.id: True}


def test_progress_is_written_by_the_holder_only(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    assert progress_write(held.id, held.fence, '{"pct": 5}', None)
    assert progress_write(held.id, held.fence, None, '{"row": 9}')
    assert not progress_write(held.id, held.fence - 1, '{"pct": 99}', None)
    row = play.job(held.id)
    assert (row.progress, row.checkpoint) == ({"pct": 5}, {"row": 9})
    play.finish(held, name="retried")
    assert not progress_write(held.id, held.fence, '{"pct": 99}', None)
    assert play.lease_one().checkpoint == {"row": 9}


def test_what_is_ready_is_counted_up_to_a_limit_with_the_next_time(kind: JobKind[Any]) -> None:
    def ready(limit: int = 10) -> tuple[Any, ...] | None:
        return sql.row("SELECT * FROM jobs_ready(%s, %s, %s)", [["default"], limit, clock.offset()])

    assert ready() == (0, None, False, 0)
    kind.enqueue(delay=90)
    found = ready()
    assert found is not None
    assert (found[0], 85 < found[1] <= 90) == (0, True)
    enqueue_many([(kind, {"n": n, "partition": "a"}) for n in range(5)])
    enqueue_many([(kind, {"n": n, "priority": n % 4}) for n in range(6)])
    for limit, counted in ((10, 7), (3, 3)):
        found = ready(limit)
        assert found is not None
        assert found[0] == counted


def test_suspects_are_counted_apart_and_leased_apart(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"n": n}) for n in range(4)])
    enqueue_many([(kind, {"n": n, "partition": "a"}) for n in range(4, 7)])
    Job.objects.filter(args__n__in=[0, 2, 5, 6]).update(crash_count=1)
    found = sql.row("SELECT * FROM jobs_ready(%s, %s, %s)", [["default"], 10, clock.offset()])
    assert found is not None
    assert (found[0], found[3]) == (3, 2)  # 5 and 6 stand behind 4
    spared = play.lease(limit=10, chain=9, spare=True)
    assert sorted(_args(spared)) == [1, 3, 4]
    apart = suspects_lease(queues=["default"], limit=1, worker="q1")
    assert _args(apart) == [0]
    assert (apart[0].attempt, play.job(apart[0].id).worker) == (1, "q1")
    assert _args(suspects_lease(queues=["default"], limit=9, worker="q1")) == [2]


def test_suspects_of_paused_and_foreign_queues_and_of_later_stay(kind: JobKind[Any]) -> None:
    kind.enqueue(n=1)
    kind.enqueue(n=2, delay=60)
    kind.enqueue(n=3, queue="maintenance")
    Job.objects.update(crash_count=1)
    assert suspects_lease(queues=["notifications"], limit=9, worker="q1") == []
    Queue.objects.filter(name="default").update(paused_at=clock.now())
    assert _args(suspects_lease(queues=["default", "maintenance"], limit=9, worker="q1")) == [3]


def _args(leases: list[Lease]) -> list[int]:
    return [json.loads(lease.args)["n"] for lease in leases]
