"""Kinds that let others of their key go first while they wait for a retry."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.operations import job_run_now
from jobs.registry import JobKind
from jobs.testing import drain
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(skip_ahead=True)


def _stand(kind: JobKind[Any], *numbers: int) -> dict[int, Any]:
    return {n: kind.enqueue(n=n, partition="a").id for n in numbers}


def _fail_head(run_in: timedelta) -> None:
    play.finish(play.lease_one(), name="retried", run_in=run_in)


def _unblocked() -> list[int]:
    return [n for n, _, blocked in play.line("a") if not blocked]


def test_others_overtake_a_head_that_waits_and_it_comes_last(kind: JobKind[Any]) -> None:
    _stand(kind, 1, 2, 3)
    _fail_head(HOUR)
    assert play.line("a") == [
        (2, "available", False), (3, "available", True), (1, "scheduled", True),
    ]  # fmt: skip
    assert drain() == 2
    with clock.shift(2 * HOUR):
        assert drain() == 1


def test_a_job_that_comes_later_overtakes_too(kind: JobKind[Any]) -> None:
    _stand(kind, 1)
    _fail_head(HOUR)
    _stand(kind, 2)
    assert _unblocked() == [2]
    assert drain() == 1
    assert _unblocked() == [1]


def test_a_job_of_a_strict_kind_overtakes_one_that_lets_others_go(
    kind: JobKind[Any], declare: Declare
) -> None:
    strict = declare(name="tests.strict")
    _stand(kind, 1)
    _fail_head(HOUR)
    _stand(strict, 2)
    assert _unblocked() == [2]


def test_a_strict_head_lets_nobody_go(kind: JobKind[Any], declare: Declare) -> None:
    strict = declare(name="tests.strict")
    _stand(strict, 1)
    _fail_head(HOUR)
    _stand(kind, 2)
    assert _unblocked() == [1]
    assert play.lease() == []


@pytest.mark.parametrize(("first", "second"), [(MINUTE, HOUR), (HOUR, MINUTE)])
def test_of_several_that_wait_the_first_to_wake_goes_first(
    kind: JobKind[Any], first: timedelta, second: timedelta
) -> None:
    _stand(kind, 1, 2)
    _fail_head(first)
    _fail_head(second)
    assert len(_unblocked()) == 1
    with clock.shift(2 * MINUTE):
        assert drain() == 1
    with clock.shift(2 * HOUR):
        assert drain() == 1
    assert play.line("a") == []


def test_one_that_is_run_now_does_not_wait_for_those_that_sleep(kind: JobKind[Any]) -> None:
    jobs = _stand(kind, 1, 2)
    _fail_head(MINUTE)
    _fail_head(HOUR)
    job_run_now(job_id=jobs[2], by=None)
    assert _unblocked() == [2]
    assert drain() == 1


def test_one_runs_at_a_time_all_the_same(kind: JobKind[Any]) -> None:
    _stand(kind, 1, 2, 3)
    _fail_head(HOUR)
    play.lease_one()
    assert play.lease() == []
    _stand(kind, 4)
    assert play.lease() == []


def test_a_chain_never_contains_them(kind: JobKind[Any]) -> None:
    _stand(kind, 1, 2, 3)
    assert len(play.lease(chain=9)) == 1


def test_a_snooze_lets_others_go_first_and_keeps_its_place_among_those_that_wait(
    kind: JobKind[Any],
) -> None:
    _stand(kind, 1, 2)
    play.finish(play.lease_one(), name="snoozed", run_in=HOUR)
    assert _unblocked() == [2]
    assert [n for n, _, _ in play.line("a")] == [2, 1]
