"""What one cluster leaves behind another takes over: after a death, and after a sleep."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.invariants import assert_silent_since
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

PATIENT = {"JOB_WATCHDOG": "10m"}  # or the first cluster would kill its frozen worker


def test_a_killed_parent_takes_all_along_and_its_jobs_come_back_by_lease(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs, clusters = Jobs(site), [start("left"), start("right")]
    jobs.add("effects.tick", seconds=3)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    clusters.sort(key=lambda each: jobs.worker_pid(jobs.ids[0]) not in each.roles()["worker"])
    victim, other = clusters
    workers = victim.roles()["worker"]
    os.kill(victim.pid, signal.SIGKILL)
    killed_at = site.value("SELECT clock_timestamp()")
    victim.assert_gone()
    jobs.end({"completed": 1})
    assert jobs.sum("crash_count") == 1
    assert jobs.is_of(jobs.ids[0], other)
    assert_silent_since(site, workers, killed_at)


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("effects.write", {"pause_ms": 3000}),
        ("effects.sleep", {"seconds": 3}),
        ("effects.sleep_threaded", {"seconds": 3}),
    ],
    ids=["atomic", "main lane", "threaded lane"],
)
def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    site: Site, start: Callable[..., Cluster], kind: str, args: dict[str, Any]
) -> None:
    jobs, first = Jobs(site), start("first", 1, **PATIENT)
    jobs.add(kind, **args)
    sleeper = jobs.worker_pid(jobs.ids[0])
    os.kill(sleeper, signal.SIGSTOP)
    second = start("second", 1)
    jobs.end({"completed": 1})
    row = _row(site, jobs.ids[0])
    assert jobs.worker_pid(jobs.ids[0]) != sleeper
    os.kill(sleeper, signal.SIGCONT)
    until(lambda: first.lines("fenced"), "it says that it was fenced")
    assert _row(site, jobs.ids[0]) == row
    second.stop()
    jobs.add("effects.write")  # and it goes on as if nothing had been
    jobs.end({"completed": 2})
    assert jobs.worker_pid(jobs.ids[1]) == sleeper


def test_a_line_in_the_pocket_of_a_frozen_worker_is_not_run_by_it_any_more(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs, first = Jobs(site), start("first", 1, **PATIENT)
    # Seen a key, a worker takes what stands behind the head of a line along.
    jobs.add_all(
        [("effects.step", {"key": "line-0", "n": n, "partition": "line-0"}) for n in range(9)]
    )
    jobs.end({"completed": 9})
    line = [("effects.step", {"key": "line-1", "n": n, "partition": "line-1"}) for n in range(1, 6)]
    head = ("effects.sleep", {"seconds": 3, "key": "line-1", "partition": "line-1"})
    ids = jobs.add_all([head, *line])
    until(lambda: jobs.marks(ids[0]), "the head runs")
    sleeper = jobs.worker_pid(ids[0])
    os.kill(sleeper, signal.SIGSTOP)
    start("second", 1)
    jobs.end({"completed": 15})
    os.kill(sleeper, signal.SIGCONT)
    until(lambda: first.lines("fenced"), "it says that it was fenced")
    jobs.add("effects.step", key="line-1", n=6, partition="line-1")
    jobs.end({"completed": 16})
    tried = site.rows("SELECT n FROM effects_trace WHERE key = 'line-1' AND pid = %s", [sleeper])
    assert [n for (n,) in tried if 0 < n < 6] == []


def _row(site: Site, job_id: str) -> list[tuple[Any, ...]]:
    return site.rows("SELECT * FROM jobs_jobrecord WHERE id = %s", [job_id])
