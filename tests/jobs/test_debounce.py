"""Debounce: the latest call within a window wins, and none waits beyond max_wait."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.ending import leases_release
from jobs.enqueue import enqueue_many
from jobs.lease import leases_reap
from jobs.models import Job, JobHistory
from jobs.registry import Debounce, JobKind
from jobs.testing import drain
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

KEY = "chat"
SOON = (KEY, Debounce("30s", max_wait="80s"))


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _after(seconds: float) -> Any:
    return clock.shift(timedelta(seconds=seconds))


def test_the_latest_args_win_and_start_the_window_again(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, debounce=SOON)
    with _after(20):
        second = kind.enqueue(n=2, debounce=SOON, priority=0)
        now = clock.now()
    assert (second.id, second.deduplicated) == (first.id, True)
    row = play.job(first.id)
    assert (row.args, row.priority, row.debounced) == ({"n": 2}, 0, 1)
    assert timedelta(seconds=29) < row.run_at - now <= timedelta(seconds=30)


def test_nobody_waits_beyond_max_wait(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, debounce=SOON)
    for n, seconds in enumerate((25, 50, 75), start=2):
        with _after(seconds):
            assert drain() == 0
            kind.enqueue(n=n, debounce=SOON)
    row = play.job(first.id)
    assert row.first_enqueued_at is not None
    assert (row.run_at - row.first_enqueued_at).total_seconds() == 80
    with _after(81):
        assert drain() == 1
    assert (play.past(first.id).args, play.past(first.id).debounced) == ({"n": 4}, 3)


def test_without_max_wait_each_call_starts_the_window_again(kind: JobKind[Any]) -> None:
    for n in range(6):
        with _after(20 * n):
            kind.enqueue(n=n, debounce=(KEY, Debounce("30s")))
    with _after(120):
        assert drain() == 0
    with _after(131):
        assert drain() == 1
    assert JobHistory.objects.get().args == {"n": 5}


def test_keys_are_independent(kind: JobKind[Any], declare: Declare) -> None:
    other = declare(name="tests.other")
    for n, (call, key) in enumerate([(kind, "a"), (kind, "b"), (other, "a")]):
        assert not call.enqueue(n=n, debounce=(key, Debounce("30s"))).deduplicated
    assert sorted(row.args["n"] for row in Job.objects.all()) == [0, 1, 2]


def test_a_call_while_the_job_runs_makes_a_new_one(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, debounce=SOON)
    with _after(31):
        held = play.lease_one()
        second = kind.enqueue(n=2, debounce=SOON)
        assert (second.id != first.id, second.deduplicated) == (True, False)
        play.finish(held)
    assert (play.past(first.id).args, play.job(second.id).args) == ({"n": 1}, {"n": 2})


def test_a_retry_takes_the_newest_args_with_it(kind: JobKind[Any]) -> None:
    first = kind.enqueue(n=1, debounce=SOON)
    with _after(31):
        play.finish(play.lease_one(), name="retried", run_in=timedelta(minutes=5))
        assert kind.enqueue(n=2, debounce=SOON).id == first.id
    row = play.job(first.id)
    assert (row.args, row.attempt) == ({"n": 2}, 1)


@pytest.mark.parametrize("name", ["retried", "snoozed", "released"])
def test_a_job_that_comes_back_leaves_the_key_to_the_newer_call(
    kind: JobKind[Any], name: str
) -> None:
    first = kind.enqueue(n=1, debounce=SOON)
    with _after(31):
        held = play.lease_one()
        second = kind.enqueue(n=2, debounce=SOON)
        assert play.finish(held, name=name) == {first.id}
        assert kind.enqueue(n=3, debounce=SOON).id == second.id
    assert (play.job(first.id).args, play.job(second.id).args) == ({"n": 1}, {"n": 3})


def _two_running(kind: JobKind[Any]) -> list[Any]:
    """Two jobs of one key, both leased: the second was called while the first ran."""
    kind.enqueue(n=1, debounce=SOON)
    with _after(31):
        held = play.lease()
        kind.enqueue(n=2, debounce=SOON)
    with _after(62):
        return held + play.lease()


def test_two_running_jobs_of_one_key_can_come_back_together(kind: JobKind[Any]) -> None:
    held = _two_running(kind)
    assert leases_release(held) == {one.id for one in held}
    with _after(62):
        last = kind.enqueue(n=3, debounce=SOON)
    assert last.id == held[1].id
    assert sorted(row.args["n"] for row in Job.objects.all()) == [1, 3]


def test_two_lost_jobs_of_one_key_can_be_taken_back_together(kind: JobKind[Any]) -> None:
    held = _two_running(kind)
    play.lapse(*held)
    assert {lost.id for lost in leases_reap()} == {one.id for one in held}
    with _after(62):
        assert kind.enqueue(n=3, debounce=SOON).id == held[1].id


def test_in_one_batch_the_last_call_of_a_key_wins(kind: JobKind[Any]) -> None:
    made = enqueue_many([(kind, {"n": n, "debounce": SOON}) for n in (1, 2, 3)])
    assert Job.objects.get().args == {"n": 3}
    assert {one.id for one in made} == {Job.objects.get().pk}
    assert [one.deduplicated for one in made] == [True, True, False]
    assert Job.objects.get().debounced == 2
