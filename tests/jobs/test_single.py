"""Single kinds: one runs, at most one more waits, whoever calls."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.enqueue import enqueue_many
from jobs.models import Job
from jobs.registry import JobKind
from jobs.testing import drain
from lib import clock
from tests.jobs import play
from tests.jobs.conftest import Declare


def _sweep() -> None: ...


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare(_sweep, single=True)


def test_calls_fold_into_the_one_that_waits(kind: JobKind[Any]) -> None:
    first = kind.enqueue()
    again = [kind.enqueue() for _ in range(3)]
    assert {one.id for one in again} == {first.id}
    assert all(one.deduplicated for one in again)
    assert play.job(first.id).debounced == 3


@pytest.mark.parametrize("delays", [("1h", "1m"), ("1m", "1h")])
def test_the_earliest_time_counts(kind: JobKind[Any], delays: tuple[str, str]) -> None:
    for delay in delays:
        kind.enqueue(delay=delay)
    row = Job.objects.get()
    assert timedelta(seconds=59) < row.run_at - clock.now() <= timedelta(seconds=60)


def test_one_runs_and_one_more_waits_behind_it(kind: JobKind[Any]) -> None:
    kind.enqueue()
    held = play.lease_one()
    following = [kind.enqueue() for _ in range(3)]
    assert len({one.id for one in following}) == 1
    assert play.line("tests.kind") == [(None, "running", False), (None, "available", True)]
    assert play.lease() == []
    play.finish(held)
    assert play.lease_one().id == following[0].id


def test_it_runs_once_for_many_calls(kind: JobKind[Any]) -> None:
    for _ in range(5):
        kind.enqueue()
    assert drain() == 1
    assert not Job.objects.exists()


def test_calls_of_one_batch_fold_at_their_earliest_time(kind: JobKind[Any]) -> None:
    enqueue_many([(kind, {"delay": delay}) for delay in ("1h", "1m", "2h")])
    row = Job.objects.get()
    assert timedelta(seconds=59) < row.run_at - row.created_at <= timedelta(minutes=1)
    assert row.debounced == 2
