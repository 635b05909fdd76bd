"""The processes around the workers: killed or frozen, one after the other."""

import os
import signal

import pytest

from tests.processes.cluster import Cluster
from tests.processes.invariants import assert_silent_since
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

HEALED_S = 30.0


@pytest.mark.parametrize("role", ["pusher", "monitor"])
def test_a_killed_pusher_or_monitor_is_replaced_and_no_job_notices(
    site: Site, pool: Cluster, role: str
) -> None:
    jobs = Jobs(site)
    jobs.add("effects.sleep", seconds=1.5)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    killed = pool.kill(role)
    jobs.add_all([("effects.write", {"n": n}) for n in range(50)])
    jobs.end({"completed": 51})
    assert jobs.sum("attempt") == 51
    until(lambda: pool.is_whole() and pool.pid_of(role) != killed, "the heir is there")


def test_a_killed_sentinel_takes_its_children_along_and_the_pool_starts_anew(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    jobs.add("effects.tick", seconds=3)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    before = pool.roles()
    pool.kill("sentinel")
    killed_at = site.value("SELECT clock_timestamp()")
    jobs.end({"completed": 1})
    assert jobs.sum("crash_count") == 1
    assert_silent_since(site, before["worker"], killed_at)
    until(pool.is_whole, "the pool is whole")
    assert pool.roles()["parent"] == before["parent"]


def test_a_frozen_worker_loses_its_job_to_another(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add("effects.sleep", seconds=1)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    os.kill(jobs.worker_pid(jobs.ids[0]), signal.SIGSTOP)
    jobs.end({"completed": 1}, within_s=HEALED_S)
    assert jobs.sum("crash_count") == 1
    until(pool.is_whole, "the pool is whole")


def test_a_job_that_seizes_the_interpreter_is_ended_with_its_worker(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    jobs.add("effects.seize", times=1)
    jobs.end({"completed": 1}, within_s=HEALED_S)
    assert jobs.sum("crash_count") == 1
    until(pool.is_whole, "the pool is whole")
