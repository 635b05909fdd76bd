"""Jobs of one key run one after the other in the order of their commits, retries included."""

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site

pytestmark = pytest.mark.process


def test_a_retry_holds_up_its_key_and_no_other(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    key = {"key": "fails-twice", "partition": "fails-twice"}
    first = ("effects.step", {**key, "n": 1, "fails": 2, "retry": "1s 1s"})
    jobs.add_all([first, *[("effects.step", {**key, "n": n}) for n in (2, 3)]])
    others = jobs.add_all(
        [
            ("effects.step", {"key": f"other-{n % 5}", "n": n, "partition": f"other-{n % 5}"})
            for n in range(50)
        ]
    )
    jobs.end({"completed": 53})
    assert _tries(site, "fails-twice") == [1, 1, 1, 2, 3]
    last_of_others = site.value(
        "SELECT max(id) FROM effects_trace WHERE job_id = ANY(%s::uuid[])", [others]
    )
    second_try = site.rows(
        "SELECT id FROM effects_trace WHERE key = 'fails-twice' AND mark = 'start' ORDER BY id"
    )[1][0]
    assert last_of_others < second_try


def test_a_kind_that_skips_ahead_lets_its_key_go_on_while_it_waits(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    key = {"key": "skips", "partition": "skips"}
    first = ("effects.step_ahead", {**key, "n": 1, "fails": 1})
    jobs.add_all([first, *[("effects.step_ahead", {**key, "n": n}) for n in (2, 3)]])
    jobs.end({"completed": 3})
    assert _tries(site, "skips") == [1, 2, 3, 1]


def test_a_dead_job_lets_its_key_go_on(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    key = {"key": "dies", "partition": "dies"}
    jobs.add("effects.step", **key, n=1, fails=9)
    jobs.add_all([("effects.step", {**key, "n": n}) for n in (2, 3)])
    jobs.end({"completed": 2, "dead": 1})
    assert _tries(site, "dies") == [1, 1, 1, 1, 2, 3]


def test_many_keys_with_failures_all_over_keep_their_order(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add_all(
        [
            (
                "effects.write",
                {
                    "key": f"many-{n % 12}",
                    "n": n,
                    "partition": f"many-{n % 12}",
                    "fails": n % 7 // 5,
                },
            )
            for n in range(360)
        ]
    )
    jobs.end({"completed": 360})  # the checker has looked at the order


def _tries(site: Site, key: str) -> list[int]:
    query = "SELECT n FROM effects_trace WHERE key = %s AND mark = 'start' ORDER BY id"
    return [n for (n,) in site.rows(query, [key])]
