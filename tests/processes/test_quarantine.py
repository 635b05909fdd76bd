"""Jobs whose worker once died, and long jobs: they harm nobody, and nobody waits for them."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

LONG = [("effects.sleep", {"seconds": 300}), ("effects.sleep_threaded", {"seconds": 300})]


def _suspects(site: Site, jobs: Jobs) -> list[str]:
    """Two of each lane, whose worker died once."""
    ids = jobs.add_all([*LONG, *LONG])
    site.rows("UPDATE jobs_job SET crash_count = 1, attempt = 1 WHERE id = ANY(%s::uuid[])", [ids])
    return ids


def _running(jobs: Jobs, ids: list[str]) -> list[str]:
    return [job_id for job_id in ids if jobs.field(job_id, "state") == "running"]


def test_nobody_waits_for_suspects_and_nobody_dies_with_them(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs = Jobs(site)
    suspects = _suspects(site, jobs)
    pool = start()
    # As many as there are workers, each in a process of its own.
    until(lambda: len(_running(jobs, suspects)) == 2, "two of them run")
    others = Jobs(site)
    others.add_all([("effects.write", {"n": n}) for n in range(20)])
    others.add_all([("effects.sleep_threaded", {"seconds": 0.1, "n": n}) for n in range(10)])
    others.end({"completed": 30})
    assert len(_running(jobs, suspects)) == 2
    victim, survivor = _running(jobs, suspects)
    pids = {jobs.worker_pid(job_id) for job_id in (victim, survivor)}
    assert sorted(pids) == sorted(pool.roles()["quarantine"])
    os.kill(jobs.worker_pid(victim), signal.SIGKILL)
    until(lambda: jobs.field(victim, "crash_count") == 2, "its death is counted")
    assert jobs.sum("crash_count") == len(suspects) + 1
    assert jobs.field(survivor, "state") == "running"
    for job_id in suspects:
        jobs.cancel(job_id)
    jobs.end({"cancelled": 4})
    until(lambda: "quarantine" not in pool.roles(), "nobody is kept for nothing")
    assert pool.is_whole()


def test_a_stop_gives_suspects_back_unspent(site: Site, start: Callable[..., Cluster]) -> None:
    jobs = Jobs(site)
    suspects = _suspects(site, jobs)
    pool = start()
    until(lambda: len(_running(jobs, suspects)) == 2, "two of them run")
    assert pool.stop() == 0
    pool.assert_gone()
    assert (jobs.sum("attempt"), jobs.sum("crash_count")) == (4, 4)
    for job_id in suspects:
        jobs.cancel(job_id)
    jobs.end({"cancelled": 4})


def test_threads_get_jobs_while_the_main_lane_is_at_a_long_one(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs = Jobs(site)
    long = jobs.add("effects.sleep", seconds=300)
    pool = start(workers=1)
    until(lambda: jobs.marks(long), "it runs")
    others = Jobs(site)
    others.add_all([("effects.sleep_threaded", {"seconds": 0.1, "n": n}) for n in range(20)])
    others.end({"completed": 20})
    assert jobs.marks(long) == ["start"]
    assert {jobs.worker_pid(long)} == set(pool.roles()["worker"])
    jobs.cancel(long)
    jobs.end({"cancelled": 1})


def test_a_long_job_in_a_thread_leaves_the_other_threads_free(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs = Jobs(site)
    long = jobs.add("effects.sleep_threaded", seconds=300)
    start(workers=1)
    until(lambda: jobs.marks(long), "it runs")
    # Longer than a ticket takes where nothing prolongs it.
    query = "SELECT clock_timestamp() > started_at + interval '4 s' FROM jobs_job WHERE id = %s"
    until(lambda: site.value(query, [long]), "it has run for a while")
    for n in range(3):
        others = Jobs(site)
        others.add("effects.sleep_threaded", seconds=0.1, n=n)
        others.end({"completed": 1})
    jobs.cancel(long)
    jobs.end({"cancelled": 1})
