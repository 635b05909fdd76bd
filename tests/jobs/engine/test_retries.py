"""The ladder of a job: when it is tried again, and when it is dead."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from jobs.ladders import JITTER, Delays
from jobs.models import Job
from jobs.outcomes import Retry, Snooze
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare, Work


def _fails() -> None:
    raise ValueError("no")


def _waits(made: UUID, work: Work, most: int = 10) -> list[float]:
    """Run a job at each of its times until it waits no more. Returns how long it waited."""
    found: list[float] = []
    ahead = timedelta(0)
    for _ in range(most):
        with clock.shift(ahead):
            work()
            row = Job.objects.get(pk=made)
            if row.state == "dead":
                return found
            found.append((row.run_at - clock.now()).total_seconds())
            ahead += timedelta(seconds=found[-1] + 0.001)
    raise AssertionError("it never dies")


def test_n_delays_mean_one_attempt_more_and_then_it_is_dead(declare: Declare, work: Work) -> None:
    made = declare(_fails, retry=Delays("10s 1m 5m")).enqueue().id
    waits = _waits(made, work)
    assert len(waits) == 3
    for waited, step in zip(waits, (10, 60, 300), strict=True):
        assert step * (1 - JITTER) - 0.1 <= waited <= step * (1 + JITTER)
    row = play.job(made)
    assert (row.state, row.attempt, row.max_attempts) == ("dead", 4, 4)
    assert [tried.outcome for tried in play.tries(made)] == ["retried"] * 3 + ["dead"]
    assert play.lease() == []


def test_without_a_ladder_the_first_failure_is_the_last(declare: Declare, work: Work) -> None:
    made = declare(_fails).enqueue().id
    assert _waits(made, work) == []


def test_a_job_may_have_a_ladder_of_its_own(declare: Declare, work: Work) -> None:
    made = declare(_fails, retry=Delays("1s 1s 1s 1s")).enqueue(retry=["100s", 200]).id
    waits = _waits(made, work)
    assert [round(waited, -2) for waited in waits] == [100, 200]


def test_retry_after_of_the_service_is_honoured_without_jitter(
    declare: Declare, work: Work
) -> None:
    class TooMany(Exception):
        retry_after = timedelta(seconds=77)

    def act() -> None:
        raise TooMany

    made = declare(act, retry=Delays("1s 1s")).enqueue().id
    work()
    waits = (play.job(made).run_at - play.tries(made)[0].finished_at).total_seconds()
    assert waits == pytest.approx(77, abs=0.01)


@pytest.mark.parametrize(("after", "expected"), [(timedelta(hours=1), 3600), (timedelta(-1), 0)])
def test_a_job_may_say_itself_when(
    declare: Declare, work: Work, after: timedelta, expected: float
) -> None:
    made = declare(lambda: Retry("later", after), retry=Delays("5s")).enqueue().id
    work(turns=1)
    waited = (play.job(made).run_at - play.tries(made)[0].finished_at).total_seconds()
    assert waited == pytest.approx(expected, abs=0.01)


def test_retry_after_does_not_make_a_ladder_longer(declare: Declare, work: Work) -> None:
    made = declare(lambda: Retry("later", timedelta(seconds=1)), retry=Delays("5s")).enqueue().id
    assert len(_waits(made, work)) == 1


def test_attempts_that_a_person_added_stay_on_the_last_rung(declare: Declare, work: Work) -> None:
    made = declare(_fails, retry=Delays("1s 100s")).enqueue().id
    Job.objects.filter(pk=made).update(max_attempts=5)
    assert [round(waited, -2) for waited in _waits(made, work)] == [0, 100, 100, 100]


def test_a_ladder_that_a_deploy_made_shorter_still_has_its_attempts(
    declare: Declare, work: Work
) -> None:
    made = declare(_fails, retry=Delays("1s 1s 1s")).enqueue().id
    declare(_fails, retry=Delays(()))
    work()
    assert (play.state(made), play.job(made).attempt) == ("dead", 4)


def test_a_snooze_in_between_spends_nothing(declare: Declare, work: Work) -> None:
    turns: list[int] = []

    def act() -> Any:
        turns.append(1)
        return Snooze(timedelta(seconds=1)) if len(turns) % 2 else Retry("no")

    made = declare(act, retry=Delays("1s 1s")).enqueue().id
    assert len(_waits(made, work)) == 5
    assert len(turns) == 6
    assert play.job(made).attempt == 3


def test_a_success_after_failures_is_a_success(declare: Declare, work: Work) -> None:
    tried: list[int] = []

    def act() -> None:
        tried.append(1)
        if len(tried) < 3:
            raise ValueError("no")

    made = declare(act, retry=Delays([0, 0])).enqueue().id
    work()
    assert (play.state(made), play.past(made).attempt) == ("completed", 3)
    assert [one.outcome for one in play.tries(made)] == ["retried", "retried"]
