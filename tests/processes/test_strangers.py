"""Jobs that are not ours: of a kind that vanished, of libraries; and queues that are paused."""

import pytest

from tests.processes.cluster import Cluster
from tests.processes.jobs import Jobs
from tests.processes.site import Site
from tests.processes.waiting import until

pytestmark = pytest.mark.process

LIBRARY = "tests.processes.effects.library"


def test_async_task_of_a_library_works_and_its_result_can_be_read(
    site: Site, pool: Cluster
) -> None:
    task = site.call("start_task", f"{LIBRARY}.add", 2, 3)
    assert until(lambda: site.call("task_result", task), "its result is there") == 5


def test_async_task_of_a_library_that_fails_keeps_its_reason(site: Site, pool: Cluster) -> None:
    task = site.call("start_task", f"{LIBRARY}.fail", "not today")
    said = until(lambda: site.call("task_result", task), "its failure is there")
    assert "not today" in said
    query = "SELECT last_error FROM jobs_job WHERE kind = 'django_q.task' AND state = 'dead'"
    assert "not today" in until(lambda: site.value(query), "the job is dead")


def test_nothing_is_taken_from_a_paused_queue_and_others_go_on(site: Site, pool: Cluster) -> None:
    jobs = Jobs(site)
    site.call("pause", "maintenance")
    held = jobs.add_all([("effects.step", {"n": n, "queue": "maintenance"}) for n in range(5)])
    jobs.add_all([("effects.step", {"n": n}) for n in range(50)])
    until(lambda: jobs.sum("(state = 'completed')::int") == 50, "the others are done")
    assert [jobs.field(job_id, "attempt") for job_id in held] == [0] * 5
    site.call("resume", "maintenance")
    jobs.end({"completed": 55})
