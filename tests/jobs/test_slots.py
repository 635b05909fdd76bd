"""Places for kinds that run only so many at once."""

from typing import Any

import pytest

from jobs.lease import Lease, leases_reap
from jobs.models import Job
from jobs.registry import JobKind
from jobs.slots import slot_take
from tests.jobs import play
from tests.jobs.conftest import Declare

NAME = "kind:tests.kind"


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


def _held(kind: JobKind[Any], count: int) -> list[Lease]:
    for n in range(count):
        kind.enqueue(n=n)
    return play.lease(limit=count)


def _takes(held: Lease, count: int) -> bool:
    return slot_take(NAME, count, held.id, held.fence)


def test_there_are_as_many_places_as_said(kind: JobKind[Any]) -> None:
    held = _held(kind, 4)
    assert [_takes(one, 2) for one in held] == [True, True, False, False]


@pytest.mark.parametrize(
    "name", ["completed", "retried", "snoozed", "released", "dead", "cancelled"]
)
def test_a_place_is_free_when_its_job_has_ended(kind: JobKind[Any], name: str) -> None:
    first, second = _held(kind, 2)
    assert _takes(first, 1)
    assert not _takes(second, 1)
    play.finish(first, name=name)
    assert _takes(second, 1)


def test_a_place_is_free_when_its_worker_is_gone(kind: JobKind[Any]) -> None:
    first, second = _held(kind, 2)
    _takes(first, 1)
    play.lapse(first)
    leases_reap()
    assert _takes(second, 1)


def test_a_job_that_was_leased_again_needs_a_place_again(kind: JobKind[Any]) -> None:
    first, other = _held(kind, 2)
    _takes(first, 1)
    play.finish(first, name="retried")
    again = play.lease_one()
    assert (again.id, again.fence) == (first.id, first.fence + 1)
    assert _takes(other, 1)
    assert not _takes(again, 1)


def test_a_limit_may_grow_and_shrink(kind: JobKind[Any]) -> None:
    held = _held(kind, 6)
    assert [_takes(one, 3) for one in held[:3]] == [True] * 3
    assert not _takes(held[3], 2)
    assert [_takes(one, 4) for one in held[3:5]] == [True, False]


def test_names_do_not_share_their_places(kind: JobKind[Any]) -> None:
    first, second = _held(kind, 2)
    assert _takes(first, 1)
    assert slot_take("kind:tests.other", 1, second.id, second.fence)


def test_places_of_deleted_jobs_are_free(kind: JobKind[Any]) -> None:
    first, second = _held(kind, 2)
    _takes(first, 1)
    Job.objects.filter(pk=first.id).delete()
    assert _takes(second, 1)
