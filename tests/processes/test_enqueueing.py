"""What a caller was told holds: rolled back, unique, debounced, while others do the same."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

CALLERS = 4
THREADS = 25
CALLS = 10  # of each thread


@pytest.fixture(scope="module")
def callers(scratch_site: Site) -> Iterator[list["subprocess.Popen[str]"]]:
    made = [scratch_site.new_caller() for _ in range(CALLERS)]
    yield made
    for caller in made:
        scratch_site.hang_up(caller)


def test_what_is_rolled_back_never_runs_and_what_is_committed_does(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    site.call("begin")
    undone = [site.call("enqueue", "effects.step", n=n) for n in range(3)]
    site.call("rollback")
    site.call("begin")
    jobs.add("effects.step")
    jobs.add_all([("effects.step", {"n": n}) for n in range(5)])
    assert jobs.marks(jobs.ids[0]) == []
    site.call("commit")
    jobs.end({"completed": 6})
    assert site.rows("SELECT * FROM effects_trace WHERE job_id = ANY(%s::uuid[])", [undone]) == []
    assert site.rows("SELECT * FROM jobs_jobrecord WHERE id = ANY(%s::uuid[])", [undone]) == []


def test_a_thousand_parallel_calls_of_one_unique_key_make_one_row(
    site: Site, pool: Cluster, callers: list["subprocess.Popen[str]"]
) -> None:
    call = ("effects.step", {"unique": ["one-of", "a-thousand"], "delay": "1h"})
    ids = _from_all_sides(site, callers, call)
    assert len(ids) == CALLERS * THREADS * CALLS
    assert len(set(ids)) == 1
    query = "SELECT count(*) FROM jobs_job WHERE unique_key = 'one-of:a-thousand'"
    assert site.value(query) == 1
    jobs = Jobs(site)
    jobs.ids = [ids[0]]
    jobs.cancel(ids[0])
    jobs.end({"cancelled": 1})


def test_a_unique_key_that_is_let_go_all_the_time_is_always_held_by_an_open_job(
    site: Site, pool: Cluster, callers: list["subprocess.Popen[str]"]
) -> None:
    ids = _from_all_sides(site, callers, ("effects.step", {"unique": "let-go"}))
    jobs = Jobs(site)
    jobs.ids = sorted(set(ids))
    jobs.end({"completed": len(jobs.ids)})
    overlaps = site.rows(
        """SELECT a.id, b.id FROM jobs_jobhistory a JOIN jobs_jobhistory b
            ON a.seq < b.seq AND a.finished_at > b.started_at
        WHERE a.id = ANY(%(ids)s::uuid[]) AND b.id = ANY(%(ids)s::uuid[])""",
        {"ids": jobs.ids},  # type: ignore[arg-type]
    )
    assert overlaps == []


def test_five_hundred_debounced_calls_make_one_row_with_the_latest_args(
    site: Site, pool: Cluster
) -> None:
    calls = [("effects.step", {"n": n, "debounce": ["many", "5s", "1h"]}) for n in range(500)]
    ids = site.call("enqueue_each", calls)
    assert len(set(ids)) == 1
    jobs = Jobs(site)
    jobs.ids = [ids[0]]
    jobs.end({"completed": 1})
    assert jobs.field(ids[0], "debounced") == 499
    assert site.rows("SELECT n FROM effects_trace WHERE job_id = %s", [ids[0]]) == [(499,), (499,)]


def test_a_debounced_job_waits_no_longer_than_it_was_said_however_many_calls_come(
    site: Site, pool: Cluster
) -> None:
    jobs = Jobs(site)
    first = jobs.add("effects.step", n=0, debounce=["endless", "2s", "3s"])

    def call_again() -> bool:
        jobs.add("effects.step", n=len(jobs.ids), debounce=["endless", "2s", "3s"])
        return bool(jobs.marks(first))

    until(call_again, "it runs while calls keep coming")
    query = "SELECT run_at <= first_enqueued_at + interval '3 s' FROM jobs_jobrecord WHERE id = %s"
    jobs.end({"completed": len(set(jobs.ids))})
    assert site.value(query, [first])


def test_a_scheduled_job_runs_within_a_second_of_its_time(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    jobs.add_all([("effects.step", {"n": n, "delay": f"{1 + n * 0.3:.1f}s"}) for n in range(10)])
    due_at_once = Jobs(site)

    def another_one_now() -> bool:
        due_at_once.add("effects.step")
        return jobs.count("completed") == 10

    until(another_one_now, "all have run")
    due_at_once.end({"completed": len(due_at_once.ids)})
    late = _late(site, jobs)
    assert min(late) >= 0, "none starts early"
    # A loaded machine holds up all, those too for which nobody had to watch the clock.
    assert median(late) < 1 + median(_late(site, due_at_once))


def _late(site: Site, jobs: Jobs) -> list[float]:
    """How many seconds after its time each was started."""
    query = """SELECT date_part('epoch', started_at - run_at) FROM jobs_jobhistory
        WHERE id = ANY(%s::uuid[])"""
    return [late for (late,) in site.rows(query, [jobs.ids])]


def _from_all_sides(
    site: Site, callers: list["subprocess.Popen[str]"], call: tuple[str, dict[str, Any]]
) -> list[str]:
    """Make the same call from many threads of several processes at once."""
    with ThreadPoolExecutor(CALLERS) as sides:
        answers = sides.map(
            lambda caller: site.ask(
                caller, "enqueue_each", [call] * (THREADS * CALLS), threads=THREADS
            ),
            callers,
        )
        return [job_id for answer in answers for job_id in answer]
