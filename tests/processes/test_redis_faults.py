"""Redis holds nothing that we cannot lose: emptied, gone or hanging, jobs go on."""

import os
import signal

import pytest

from config import embedded
from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

GONE_S = 13  # more than twice the patience of the watchdog
HANGS_S = 8  # a stopped Redis costs each of its clients a second per call


def test_an_emptied_redis_loses_nothing(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    with site.redis() as client:
        for turn in range(10):
            _add_some(jobs, f"flushed-{turn}")
            client.flushall()
    jobs.end({"completed": len(jobs.ids)})
    assert jobs.sum("attempt") == len(jobs.ids)


def test_jobs_are_taken_and_run_while_redis_is_gone(site: Site, pool: Cluster) -> None:
    with site.without_redis():
        _go_on(site, pool, GONE_S)
    _assert_untouched(site, pool)


def test_jobs_are_taken_and_run_while_redis_hangs(site: Site, pool: Cluster) -> None:
    pid = embedded.status(site.data_dir).redis_pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        _go_on(site, pool, HANGS_S)
    finally:
        os.kill(pid, signal.SIGCONT)
    _assert_untouched(site, pool)


def _go_on(site: Site, pool: Cluster, outage_s: float) -> None:
    """Enqueue and run for as long as the outage takes; the pool stays what it was."""
    before, jobs = pool.keepers(), Jobs(site)
    began_at = site.value("SELECT clock_timestamp()")

    def one_more_turn() -> bool:
        _add_some(jobs, f"{began_at:%H%M%S}-{len(jobs.ids)}")
        jobs.end({"completed": len(jobs.ids)})
        query = "SELECT clock_timestamp() > %s + make_interval(secs => %s)"
        return bool(site.value(query, [began_at, outage_s]))

    until(one_more_turn, "the outage is over")
    assert pool.keepers() == before
    assert pool.lines("after death") == []
    assert jobs.sum("attempt") == len(jobs.ids)


def _add_some(jobs: Jobs, key: str) -> None:
    jobs.add_all([("effects.write", {"key": key, "n": n, "partition": key}) for n in range(20)])


def _assert_untouched(site: Site, pool: Cluster) -> None:
    assert pool.lines("started anew") == []
    jobs = Jobs(site)
    jobs.add("effects.write")
    jobs.end({"completed": 1})
