"""What a cluster may find when it starts."""

from collections.abc import Callable

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site

pytestmark = pytest.mark.process


def test_a_kind_that_vanished_between_two_deploys_is_dead_and_the_pool_unharmed(
    site: Site, start: Callable[..., Cluster]
) -> None:
    jobs = Jobs(site)
    ids = [jobs.add("effects.vanish"), jobs.add("effects.write", n=1), jobs.add("effects.vanish")]
    pool = start("newer", EFFECTS_VANISHED="1")
    before = pool.roles()
    jobs.end({"dead": 2, "completed": 1})
    assert "vanished between two deploys" in jobs.field(ids[0], "last_error")
    assert pool.roles() == before


def test_a_pool_that_is_woken_through_redis_starts_and_works_without_it(
    site: Site, start: Callable[..., Cluster]
) -> None:
    with site.without_redis():
        start("woken", JOB_WAKE="redis")
        jobs = Jobs(site)
        jobs.add_all([("effects.write", {"n": n}) for n in range(20)])
        jobs.end({"completed": 20})
