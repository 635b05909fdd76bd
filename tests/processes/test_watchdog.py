"""The watchdog: replaces what is silent, and has patience where silence means nothing."""

import os
import signal
from collections.abc import Callable

import pytest
import requests

from config import embedded
from tests.ports import free_port
from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.load import Load
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

HEALED_S = 30.0


def health(port: int) -> str:
    """What the health check of a container hears: the pool's word, or nothing within a while."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=3)
    except requests.RequestException:
        return "no answer"
    return str(answer.json()["status"])


@pytest.mark.parametrize("role", ["pusher", "worker", "sentinel"])
def test_a_frozen_process_is_replaced_by_the_watchdog(
    site: Site, start: Callable[..., Cluster], role: str
) -> None:
    pool, jobs = start("frozen"), Jobs(site)
    jobs.add("effects.write")
    jobs.end({"completed": 1})
    frozen = pool.roles()[role]
    for pid in frozen:  # all workers, or there would be one that goes on
        os.kill(pid, signal.SIGSTOP)
    jobs.add_all([("effects.write", {"n": n}) for n in range(20)])
    jobs.end({"completed": 21}, within_s=HEALED_S)
    until(lambda: not set(frozen) & set(pool.roles().get(role, [])), "they are replaced")
    until(pool.is_whole, "the pool is whole")


def test_a_frozen_pusher_is_replaced_without_harm_to_what_runs(
    site: Site, start: Callable[..., Cluster]
) -> None:
    pool, jobs = start("frozen"), Jobs(site)
    jobs.add("effects.sleep", seconds=10)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    pusher = pool.kill("pusher", signal.SIGSTOP)
    until(lambda: pool.roles().get("pusher", [pusher]) != [pusher], "it is replaced", HEALED_S)
    jobs.end({"completed": 1})
    assert jobs.sum("crash_count") == 0


def test_a_cluster_that_was_frozen_as_a_whole_goes_on_where_it_was(
    site: Site, start: Callable[..., Cluster]
) -> None:
    port = free_port()
    pool = start("thawed", JOB_WATCHDOG="3s", JOB_LEASE="30s", METRICS_PORT=str(port))
    jobs = Jobs(site)
    jobs.add("effects.sleep", seconds=2)
    until(lambda: jobs.marks(jobs.ids[0]), "it runs")
    assert health(port) == "ok"
    before = pool.roles()
    pool.signal_all(signal.SIGSTOP)
    assert health(port) == "no answer"
    frozen_at = site.value("SELECT clock_timestamp()")
    until(
        lambda: site.value("SELECT clock_timestamp() > %s + interval '6 s'", [frozen_at]),
        "more than the patience of the watchdog has passed",
    )
    pool.signal_all(signal.SIGCONT)
    jobs.end({"completed": 1})
    assert jobs.sum("crash_count") == 0
    jobs.add("effects.write")
    jobs.end({"completed": 2})
    assert pool.roles() == before
    assert health(port) == "ok"


def test_servers_that_stay_away_longer_than_the_watchdog_waits_are_waited_for(
    site: Site, start: Callable[..., Cluster]
) -> None:
    pool, load = start("patient", JOB_WATCHDOG="3s"), Load(site, "away")
    load.start()
    before = pool.keepers()
    load.go_on()
    warnings = len(pool.lines("waiting for the database"))
    embedded.stop(site.data_dir)
    # The pusher asks twice a second: 16 times is long after the watchdog has lost its patience.
    until(lambda: len(pool.lines("waiting for the database")) > warnings + 16, "8 s are over")
    embedded.ensure(site.data_dir, postgres=True, redis=True)
    load.go_on()
    load.end()
    assert pool.keepers() == before
    assert pool.lines("after death") == []
