"""Why a leased job may not start now."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import breakers, rates, registry
from jobs.ladders import Delays
from jobs.models import Job
from jobs.registry import JobKind, Rate
from jobs.slots import slot_take
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work

calls: list[int] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


def _act(n: int = 0) -> None:
    calls.append(n)


def _waits(kind: JobKind[Any]) -> list[tuple[int, int, str | None]]:
    return [
        (row.args["n"], row.attempt, row.last_error)
        for row in Job.objects.filter(kind=kind.name).order_by("seq")
    ]


def test_a_kind_that_vanished_between_deploys_is_dead_and_harms_nobody(
    declare: Declare, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = declare(_act, name="tests.gone", retry=Delays("1s")).enqueue(n=1).id
    other = declare(_act).enqueue(n=2).id
    monkeypatch.delitem(registry._kinds, "tests.gone")
    work()
    row = play.job(gone)
    assert (row.state, row.last_error) == (
        "dead", "no job is declared as 'tests.gone'; it vanished between two deploys",
    )  # fmt: skip
    assert (play.state(other), calls) == ("completed", [2])


def test_args_that_no_longer_fit_fail_the_attempt(declare: Declare, work: Work) -> None:
    made = declare(_act).enqueue(n=1).id
    Job.objects.update(args={"n": 1, "old": True})
    other = declare(_act, name="tests.other").enqueue(n=2).id
    work()
    assert play.state(made) == "dead"
    assert "unexpected keyword argument 'old'" in (play.job(made).last_error or "")
    assert (play.state(other), calls) == ("completed", [2])


def test_a_job_that_somebody_cancelled_meanwhile_does_not_start(
    declare: Declare, work: Work
) -> None:
    made = declare(_act).enqueue(n=1).id
    Job.objects.update(cancel_requested_at=clock.now())
    work()
    assert (play.state(made), play.past(made).last_error) == (
        "cancelled", "cancelled before it started",
    )  # fmt: skip
    assert calls == []


def test_a_job_whose_deadline_passed_does_not_start(declare: Declare, work: Work) -> None:
    kind = declare(_act, retry=Delays("1s"))
    late, early = kind.enqueue(n=1, deadline="1m").id, kind.enqueue(n=2, deadline="1h").id
    with clock.shift(timedelta(minutes=2)):
        work()
    assert play.job(late).last_error == "its deadline passed before it could start"
    assert (play.state(late), play.state(early), calls) == ("dead", "completed", [2])


def test_an_open_breaker_puts_jobs_off_unspent(declare: Declare, work: Work) -> None:
    kind = declare(_act, breaker="panel")
    other = declare(_act, name="tests.other", breaker="else")
    breakers.force("panel", is_open=True, reason="test")
    for n in (1, 2):
        kind.enqueue(n=n)
    other.enqueue(n=3)
    work()
    assert calls == [3]
    assert _waits(kind) == [(n, 0, "breaker panel is open") for n in (1, 2)]
    ahead = [(row.run_at - clock.now()).total_seconds() for row in Job.objects.all()]
    assert all(3600 * 0.89 < wait < 3600 * 1.11 for wait in ahead)


def test_the_first_job_after_the_pause_probes_and_closes_the_breaker(
    declare: Declare, work: Work
) -> None:
    kind = declare(_act, breaker="panel")
    breakers.force("panel", is_open=True, reason="test")
    with clock.shift(timedelta(hours=1, minutes=1)):
        kind.enqueue(n=1)
        kind.enqueue(n=2)
        work()
    assert calls == [1, 2]
    assert breakers.wait_for("panel") is None


def test_failures_of_the_service_open_its_breaker_and_others_do_not(
    declare: Declare, work: Work
) -> None:
    class Down(Exception):
        is_service_failure = True

    def act(n: int) -> None:
        calls.append(n)
        raise Down if n < 3 else ValueError("our own fault")

    kind = declare(act, breaker="panel", retry=Delays("1h"))
    for n in (5, 5, 5, 0, 1, 2, 3):
        kind.enqueue(n=n)
    work()
    assert calls == [5, 5, 5, 0, 1, 2]
    assert _waits(kind)[-1] == (3, 0, "breaker panel is open")


def test_a_rate_puts_jobs_off_unspent(declare: Declare, work: Work) -> None:
    kind = declare(_act, rate=Rate(2, "1h"))
    for n in range(4):
        kind.enqueue(n=n)
    work()
    assert calls == [0, 1]
    assert _waits(kind) == [(2, 0, "rate limit"), (3, 0, "rate limit")]
    ahead = [(row.run_at - clock.now()).total_seconds() for row in Job.objects.all()]
    assert all(0 < wait <= 1800 for wait in ahead)


def test_a_paused_bucket_puts_jobs_off(declare: Declare, work: Work) -> None:
    kind = declare(_act, rate=Rate(1000))
    rates.pause("kind:tests.kind", timedelta(minutes=10))
    kind.enqueue(n=1)
    work()
    assert (calls, _waits(kind)) == ([], [(1, 0, "rate limit")])


def test_a_kind_runs_no_more_at_once_than_it_may(declare: Declare, work: Work) -> None:
    kind = declare(_act, concurrency=1)
    kind.enqueue(n=1)
    held = play.lease_one(worker="w2")
    assert slot_take("kind:tests.kind", 1, held.id, held.fence)
    kind.enqueue(n=2)
    work()
    assert (calls, _waits(kind)[-1]) == ([], (2, 0, "1 of its kind run already"))
    play.finish(held)
    with clock.shift(timedelta(seconds=2)):
        work()
    assert calls == [2]


def test_a_refused_start_is_not_counted_as_one(declare: Declare, work: Work, lane: Any) -> None:
    kind = declare(_act, breaker="panel")
    breakers.force("panel", is_open=True, reason="test")
    kind.enqueue(n=1)
    work()
    assert (lane.started, lane.completed, lane.failed) == (0, 0, 0)
