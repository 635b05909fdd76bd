"""Workers that die: while they work, while they wait, by the hand of their job."""

import os
import signal
from functools import partial

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process


def test_the_job_of_a_killed_worker_runs_again_and_its_neighbours_are_innocent(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    # One after the other in one pocket: a worker leases them all before it starts the first.
    jobs.add_all([("effects.sleep", {"seconds": 0.3 if n else 30, "n": n}) for n in range(8)])
    victim = jobs.ids[0]
    until(lambda: jobs.marks(victim) == ["start"], "the long one runs")
    os.kill(jobs.worker_pid(victim), signal.SIGKILL)
    until(lambda: jobs.marks(victim) == ["start", "start"], "it runs again")
    assert jobs.field(victim, "crash_count") == 1
    jobs.cancel(victim)
    jobs.end({"completed": 7, "cancelled": 1})
    assert jobs.sum("crash_count") == 1


def test_a_killed_idle_worker_does_not_hold_up_the_pool(site: Site, pool: Cluster) -> None:
    for _ in range(2):
        before = pool.roles()["worker"]
        os.kill(before[0], signal.SIGKILL)
        jobs = Jobs(site)
        jobs.add_all([("effects.write", {"n": n}) for n in range(20)])
        jobs.end({"completed": 20})
        until(partial(_is_replaced, pool, before[0]), "the heir is there")


def _is_replaced(pool: Cluster, pid: int) -> bool:
    return pool.is_whole() and pid not in pool.roles()["worker"]


@pytest.mark.parametrize("kind", ["effects.die", "effects.die_threaded"])
def test_a_job_that_kills_its_worker_each_time_is_poison_and_others_are_unaffected(
    site: Site, pool: Cluster, kind: str
) -> None:
    jobs = Jobs(site)
    threaded = "_threaded" if kind.endswith("threaded") else ""
    others = [(f"effects.sleep{threaded}", {"seconds": 0.4, "n": n}) for n in range(6)]
    jobs.add_all([*others, (kind, {}), *others])
    until(lambda: jobs.field(jobs.ids[6], "state") == "dead", "it is dead")
    assert "poison" in jobs.field(jobs.ids[6], "last_error")
    assert jobs.field(jobs.ids[6], "crash_count") == 3
    jobs.end({"completed": 12, "dead": 1})
    until(pool.is_whole, "the pool is whole")


def test_a_job_that_kills_its_worker_once_is_done_by_the_next(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add("effects.die", times=1)
    jobs.end({"completed": 1})
    assert jobs.sum("crash_count") == 1
    assert jobs.outcomes(jobs.ids[0]) == ["crashed"]


def test_a_job_that_exits_fails_and_its_worker_lives_on(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    before = pool.roles()["worker"]
    jobs.add("effects.leave")
    jobs.end({"dead": 1})
    assert "exit(3)" in jobs.field(jobs.ids[0], "last_error")
    assert pool.roles()["worker"] == before


def test_a_job_that_ends_its_process_without_a_word_is_poison(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add("effects.leave", at_once=True)
    jobs.end({"dead": 1})
    assert "poison" in jobs.field(jobs.ids[0], "last_error")


def test_what_postgres_cannot_store_is_the_failure_of_one_job_only(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    jobs.add_all([("effects.write", {"n": n}) for n in range(10)])
    jobs.add("effects.babble")
    jobs.add_all([("effects.write", {"n": n}) for n in range(10)])
    jobs.end({"completed": 20, "dead": 1})
    assert "half a pair" in jobs.field(jobs.ids[10], "last_error")
    assert jobs.sum("crash_count") == 0
