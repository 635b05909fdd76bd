"""Jobs that take too long or are not wanted any more, in the main lane and in a thread."""

from functools import partial

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

BOTH_LANES = pytest.mark.parametrize("lane", ["", "_threaded"], ids=["main lane", "threaded lane"])


@BOTH_LANES
def test_a_job_over_its_time_is_interrupted_and_tried_again(
    site: Site, pool: Cluster, lane: str
) -> None:
    jobs = Jobs(site)
    before = pool.roles()["worker"]
    for _ in range(2):
        jobs.add(f"effects.sleep{lane}", seconds=60, timeout="200ms", retry="50ms")
    jobs.end({"dead": 2})
    for job_id in jobs.ids:
        assert jobs.marks(job_id) == ["start", "JobTimeout"] * 2
        assert jobs.field(job_id, "last_error") == "timed out after 0.2 s"
    assert pool.roles()["worker"] == before


def test_a_job_that_never_waits_is_interrupted_too(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add("effects.spin", seconds=60, timeout="200ms", retry=[])
    jobs.end({"dead": 1})
    assert jobs.field(jobs.ids[0], "last_error") == "timed out after 0.2 s"


def test_an_interrupt_amid_a_transaction_leaves_the_worker_sound(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    # Each is interrupted at another moment between BEGIN and COMMIT.
    jobs.add_all(
        [
            ("effects.nest", {"seconds": 60, "timeout": f"{20 + n % 37}ms", "retry": []})
            for n in range(40)
        ]
    )
    jobs.add_all([("effects.write", {"n": n}) for n in range(50)])
    jobs.end({"dead": 40, "completed": 50})
    assert jobs.count("dead", "last_error NOT LIKE 'timed out after%%'") == 0
    assert pool.lines("failed during a ticket") == []


@BOTH_LANES
def test_a_job_that_ignores_its_time_is_ended_with_its_worker(
    site: Site, pool: Cluster, lane: str
) -> None:
    jobs = Jobs(site)
    stubborn = jobs.add(f"effects.ignore{lane}", times=1)
    until(lambda: jobs.marks(stubborn), "it runs")
    # Beside it and behind it, in the same processes; they must not pay for it.
    jobs.add_all([("effects.sleep_threaded", {"seconds": 7, "n": n}) for n in range(6)])
    jobs.add_all([("effects.write", {"n": n}) for n in range(30)])
    jobs.end({"completed": 37})
    assert jobs.sum("crash_count") == jobs.field(stubborn, "crash_count") == 1
    assert jobs.outcomes(stubborn) == ["crashed"]
    until(pool.is_whole, "the pool is whole")


@BOTH_LANES
def test_a_running_job_is_cancelled(site: Site, pool: Cluster, lane: str) -> None:
    jobs = Jobs(site)
    for _ in range(2):
        jobs.add(f"effects.sleep{lane}", seconds=60)
    for job_id in jobs.ids:
        until(partial(jobs.marks, job_id), "it runs")
        assert jobs.cancel(job_id) == "cancelling"
    jobs.end({"cancelled": 2})
    assert [jobs.marks(job_id) for job_id in jobs.ids] == [["start", "JobCancelled"]] * 2


def test_a_waiting_job_that_is_cancelled_never_runs(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add("effects.step", delay="1s")
    assert jobs.cancel(jobs.ids[0]) == "cancelled"
    jobs.add("effects.step", delay="1s")
    jobs.end({"cancelled": 1, "completed": 1})
    assert jobs.marks(jobs.ids[0]) == []
