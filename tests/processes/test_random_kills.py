"""Everything at once: random kills from outside and from inside while keys keep their order."""

from collections.abc import Callable

import pytest

from tests.processes.cluster import Cluster
from tests.processes.invariants import leases_in_time
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.storm import Storm
from tests.processes.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]

JOBS = 2000
KEYS = 12
KILLS = 45
FLUSHES = 5
# Chances per passage; about one job in 150 loses its worker from inside.
FAULTS = "after_lease=kill:0.004 before_run=kill:0.002 after_run=kill:0.002 before_write=kill:0.004"


def test_two_thousand_jobs_on_twelve_keys_survive_forty_five_kills(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs = Jobs(site)
    keys = [f"kills-{n}" for n in range(KEYS)]
    jobs.add_all(
        [
            (
                "effects.write",
                {"key": key, "n": n, "partition": key, "pause_ms": 3, "fails": n % 50 // 49},
            )
            for n in range(JOBS)
            for key in [keys[n % KEYS]]
        ]
    )
    storm = Storm(site, lambda name: start(name, SWITCHBOARD_FAULTS=FAULTS), seed=2026)
    with leases_in_time(site):
        for strike in range(KILLS):
            storm.kill()
            if strike % (KILLS // FLUSHES) == 0:
                storm.flush()
            done = JOBS * (strike + 1) // (KILLS + 5)
            until(lambda: jobs.count("completed") + jobs.count("dead") >= done, "jobs go on")  # noqa: B023
        found = jobs.over()
    # One in a million is killed three times by chance; then it is dead as poison, which is a promise too.
    assert found.get("completed", 0) + jobs.count("dead", "crash_count = 3") == JOBS
    assert sum(storm.struck.values()) >= KILLS
