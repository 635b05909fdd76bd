"""Schedules on several clusters, and rows that cannot be fired."""

from collections.abc import Callable, Iterator

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def no_schedules(site: Site) -> Iterator[None]:
    yield
    site.call("forget_schedules")


def test_two_clusters_fire_each_slot_once_and_a_bad_row_holds_up_nobody(
    site: Site, start: Callable[..., Cluster]
) -> None:
    start("left", 1)
    start("right", 1)
    good = [site.call("schedule", f"good-{n}", "effects.step", every_s=1, n=n) for n in range(3)]
    site.call("schedule", "unknown", "effects.no_such_kind", every_s=1)
    site.call("schedule", "misfit", "effects.step", every_s=1, nobody=1)
    others = [{"kwargs": "1"}, {"args": "foo"}, {"kwargs": "a, b"}, {"kwargs": "x=1=2"}]
    for n, fields in enumerate(others):
        site.call("schedule_of_others", f"bad-{n}", "tests.processes.effects.library.add", **fields)
    until(lambda: _fires(site, good[0]) >= 5, "the good ones fire")
    quarantined = "SELECT name FROM jobs_scheduleentry WHERE quarantined_at IS NOT NULL"
    bad = {"unknown", "misfit", *(f"bad-{n}" for n in range(len(others)))}
    until(lambda: {name.split(" #")[0] for (name,) in site.rows(quarantined)} == bad, "all of them")
    for entry in good:
        doubled = """SELECT slot_at FROM jobs_schedulefire WHERE entry_id = %s
            GROUP BY slot_at HAVING count(*) > 1"""
        assert site.rows(doubled, [entry]) == []
    site.rows("UPDATE jobs_scheduleentry SET paused_at = now()")
    # A slot made one job, and the other cluster made none besides.
    until(lambda: _strays(site) == 0, "each job has its slot")
    jobs = Jobs(site)
    jobs.ids = [str(row[0]) for row in site.rows(_FIRED)]
    jobs.end({"completed": len(jobs.ids)})


_FIRED = """SELECT id FROM jobs_jobrecord
    WHERE kind = 'effects.step' AND unique_key LIKE 'schedule:%'"""


def _fires(site: Site, entry: int) -> int:
    query = "SELECT count(*) FROM jobs_schedulefire WHERE entry_id = %s"
    return int(site.value(query, [entry]))


def _strays(site: Site) -> int:
    """Jobs of a schedule that no slot knows."""
    return int(
        site.value(
            f"SELECT count(*) FROM ({_FIRED}) j (id)"
            " WHERE NOT EXISTS (SELECT FROM jobs_schedulefire f WHERE f.job_id = j.id)"
        )
    )
