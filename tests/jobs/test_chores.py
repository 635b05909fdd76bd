"""What the pusher knows when a lease runs out before its worker is buried."""

import time
from typing import Any
from uuid import UUID

import pytest

from jobs.models import Job
from jobs.pool.chores import Chores
from jobs.pool.memory import PoolMemory, Slot
from jobs.registry import JobKind
from tests.jobs import play
from tests.jobs.conftest import Declare

pytestmark = pytest.mark.django_db


@pytest.fixture
def kind(declare: Declare) -> JobKind[Any]:
    return declare()


@pytest.fixture
def pool() -> PoolMemory:
    return PoolMemory(2)


@pytest.fixture
def slot(pool: PoolMemory) -> Slot:
    """One worker, who beats."""
    found = pool.slot(0)
    found.pid, found.beat, found.name = 4711, time.monotonic(), b"ours"
    return found


def _held_too_long(kind: JobKind[Any], worker: str, count: int = 3) -> list[UUID]:
    for n in range(count):
        kind.enqueue(n=n)
    held = play.lease(worker=worker)
    play.lapse(*held)
    return [one.id for one in held]


def _crashed() -> set[UUID]:
    assert set(Job.objects.values_list("state", flat=True)) == {"available"}
    return set(Job.objects.filter(crash_count=1).values_list("id", flat=True))


def test_a_worker_that_beats_has_not_crashed(
    kind: JobKind[Any], pool: PoolMemory, slot: Slot
) -> None:
    jobs = _held_too_long(kind, "ours")
    slot.enter(0, jobs[0])
    Chores(pool).run()
    assert _crashed() == set()


def test_a_silent_worker_is_blamed_for_what_it_is_at(
    kind: JobKind[Any], pool: PoolMemory, slot: Slot
) -> None:
    jobs = _held_too_long(kind, "ours")
    slot.enter(0, jobs[0])
    slot.enter(1, jobs[1])
    slot.beat -= 3600
    Chores(pool).run()
    assert _crashed() == set(jobs[:2])


def test_a_worker_that_is_ended_for_one_job_is_blamed_for_that_one(
    kind: JobKind[Any], pool: PoolMemory, slot: Slot
) -> None:
    jobs = _held_too_long(kind, "ours")
    slot.enter(0, jobs[0])
    slot.enter(1, jobs[1])
    slot.blame(1)
    Chores(pool).run()
    assert _crashed() == {jobs[1]}


def test_of_strangers_nothing_is_known(kind: JobKind[Any], pool: PoolMemory, slot: Slot) -> None:
    jobs = _held_too_long(kind, "somebody else's")
    Chores(pool).run()
    assert _crashed() == set(jobs)


def test_a_worker_that_is_dead_is_buried_once(
    kind: JobKind[Any], pool: PoolMemory, slot: Slot
) -> None:
    jobs = _held_too_long(kind, "ours")
    slot.enter(0, jobs[2])
    slot.is_dead = 1
    chores = Chores(pool)
    chores.run()
    chores.run()
    assert _crashed() == {jobs[2]}
    assert (slot.is_dead, slot.worker_id()) == (0, "")
