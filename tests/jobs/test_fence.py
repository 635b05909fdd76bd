"""Whoever lost a lease changes nothing any more, whatever he says."""

from typing import Any

import pytest

from jobs.ending import outcomes_write
from jobs.lease import Lease, leases_reap
from jobs.models import Job, JobAttempt, JobHistory, JobStat, UniqueKey
from tests.jobs import play
from tests.jobs.conftest import Declare

OUTCOMES = ["completed", "retried", "snoozed", "crashed", "released", "dead", "cancelled"]


@pytest.fixture
def lost(declare: Declare) -> Lease:
    """A lease that ran out; its job was given to another worker."""
    declare().enqueue(n=1, partition="a", unique="u")
    first = play.lease_one(worker="slow")
    play.lapse(first)
    leases_reap()
    second = play.lease_one(worker="quick")
    assert second.fence > first.fence
    return first


def _everything() -> list[list[Any]]:
    rows: list[list[Any]] = [list(UniqueKey.objects.values_list("key", "job_id"))]
    for table in (Job, JobHistory, JobAttempt, JobStat):
        rows.append(list(table.objects.order_by("pk").values_list()))  # noqa: PERF401 - types
    return rows


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_stale_end_changes_nothing(lost: Lease, name: str) -> None:
    before = _everything()
    assert play.finish(lost, name=name, error="too late") == set()
    assert _everything() == before


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_second_end_changes_nothing(declare: Declare, name: str) -> None:
    declare().enqueue()
    held = play.lease_one()
    play.finish(held)
    before = _everything()
    assert play.finish(held, name=name) == set()
    assert _everything() == before


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_fenced_end_does_not_take_its_neighbours_with_it(
    lost: Lease, declare: Declare, name: str
) -> None:
    other = declare(name="tests.other").enqueue(n=2).id
    held = play.lease_one()
    assert outcomes_write([play.ended(lost, name), play.ended(held, name)]) == {other}
    assert play.job(lost.id).worker == "quick"


def test_the_holder_can_still_end_it(lost: Lease) -> None:
    play.finish(lost, name="dead")
    assert play.finish(
        Lease(**{field: getattr(lost, field) for field in Lease.__slots__} | {"fence": lost.fence + 1})
    ) == {lost.id}  # fmt: skip
    assert (play.state(lost.id), play.past(lost.id).worker) == ("completed", "quick")


@pytest.mark.parametrize("name", ["completed", "retried"])
def test_two_ends_of_one_lease_in_one_call_count_once(declare: Declare, name: str) -> None:
    made = declare().enqueue().id
    end = play.ended(play.lease_one(), name)
    assert outcomes_write([end, end]) == {made}
    assert [(stat.event, stat.count) for stat in JobStat.objects.all()] == [(name, 1)]
    assert len(play.tries(made)) == (name == "retried")


def test_a_token_from_the_future_is_no_better(declare: Declare) -> None:
    declare().enqueue()
    held = play.lease_one()
    held.fence += 1
    assert play.finish(held) == set()
