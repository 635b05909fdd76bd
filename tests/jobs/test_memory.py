"""What the processes of a cluster tell each other of the death of one."""

from jobs.pool.memory import PoolMemory
from lib.ids import uuid7


def test_whoever_is_at_a_job_is_a_suspect() -> None:
    slot, jobs = PoolMemory(1).slot(0), [uuid7() for _ in range(3)]
    for lane, job in enumerate(jobs):
        slot.enter(lane, job)
    assert slot.culprits() == jobs
    slot.leave(1)
    assert slot.culprits() == [jobs[0], jobs[2]]


def test_one_that_is_blamed_is_the_only_suspect_whatever_the_others_begin() -> None:
    memory = PoolMemory(1)
    slot, jobs = memory.slot(0), [uuid7() for _ in range(3)]
    for lane, job in enumerate(jobs):
        slot.enter(lane, job)
    slot.blame(2)
    slot.enter(0, uuid7())  # the other lanes go on until the process is gone
    assert slot.culprits() == [jobs[2]]
    memory.clear(0)
    slot.enter(0, jobs[0])
    assert slot.culprits() == [jobs[0]]
