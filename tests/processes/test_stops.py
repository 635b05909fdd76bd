"""SIGTERM: short jobs end, long ones go back with their attempt unspent, nothing is left behind."""

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

GRACE_S = 4.0  # WORKER_GRACE of the site
KILL_S = 5.0  # what the parent waits beyond it before it kills


@pytest.mark.parametrize("to_group", [False, True], ids=["to the parent", "to the group"])
def test_a_stop_lets_short_jobs_end_and_gives_long_ones_back(
    site: Site, start: Callable[..., Cluster], to_group: bool
) -> None:
    jobs, pool = Jobs(site), start("stopped")
    long = [("effects.sleep", {"seconds": 300}), ("effects.sleep_threaded", {"seconds": 300})]
    short = [("effects.sleep", {"seconds": 1}), ("effects.sleep_threaded", {"seconds": 1})]
    ids = jobs.add_all([*long, *short])
    until(lambda: all(jobs.marks(job_id) for job_id in ids), "all four run")
    waiting = jobs.add_all([("effects.sleep", {"seconds": 300}) for _ in range(5)])
    if to_group:
        os.killpg(pool.pid, signal.SIGTERM)
    else:
        pool.process.send_signal(signal.SIGTERM)
    assert pool.process.wait(GRACE_S + KILL_S + 20) == 0
    pool.assert_gone()
    assert [jobs.field(job_id, "state") for job_id in ids] == [
        *("available", "available", "completed", "completed")
    ]
    assert jobs.sum("attempt") == 2
    assert jobs.sum("crash_count") == 0
    assert not pool.lines("killed"), "the grace was enough"
    assert _unstopped_workers(site, pool) == []
    for job_id in [*ids[:2], *waiting]:
        jobs.cancel(job_id)
    jobs.end({"completed": 2, "cancelled": 7})


def test_stops_under_load_spend_no_attempt(site: Site, start: Callable[..., Cluster]) -> None:
    jobs = Jobs(site)
    jobs.add_all([("effects.write", {"n": n, "pause_ms": 2}) for n in range(1500)])
    for turn in range(1, 4):
        pool = start(f"turn-{turn}")
        target = site.value("SELECT count(*) FROM effects_effect") + 300
        until(partial(_has_effects, site, target), "some are done")
        assert pool.stop() == 0
        pool.assert_gone()
        assert jobs.running() == 0
        assert jobs.sum("attempt") == jobs.sum("(state = 'completed')::int")
        assert jobs.sum("crash_count") == 0
    start("last")
    jobs.end({"completed": 1500})
    assert jobs.sum("attempt") == 1500


def test_a_stop_while_the_sentinel_is_frozen_ends_after_the_grace(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs, pool = Jobs(site), start("stuck")
    jobs.add("effects.sleep", seconds=300)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    pool.kill("sentinel", signal.SIGSTOP)
    pool.process.send_signal(signal.SIGTERM)
    pool.process.wait(GRACE_S + KILL_S + 20)
    pool.assert_gone()
    assert jobs.field(jobs.ids[0], "state") == "available"
    assert jobs.sum("attempt") == 0
    jobs.cancel(jobs.ids[0])
    jobs.end({"cancelled": 1})


def _has_effects(site: Site, count: int) -> bool:
    return bool(site.value("SELECT count(*) >= %s FROM effects_effect", [count]))


def _unstopped_workers(site: Site, pool: Cluster) -> list[tuple[str]]:
    return site.rows(
        "SELECT id FROM jobs_worker WHERE id LIKE %s AND stopped_at IS NULL", [f"{pool.name}:%"]
    )
