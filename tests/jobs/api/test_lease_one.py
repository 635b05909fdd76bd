"""POST /v1/worker/jobs/{id}/lease: one known job."""

from uuid import uuid4

import pytest

from jobs import breakers
from jobs.console import queue_pause
from jobs.models import Job
from tests.jobs.api.caller import Caller, Reply, together
from tests.jobs.api.conftest import MakeCaller
from tests.jobs.conftest import Declare


def take(api: Caller, job_id: str) -> Reply:
    return api.post(f"worker/jobs/{job_id}/lease", {"worker_id": "w:1:a", "lease_s": 20})


def test_a_known_job_is_leased_and_no_other(api: Caller) -> None:
    api.make()
    job_id = api.make(payload={"message": "this"})

    reply = take(api, job_id)

    assert reply.status == 200
    (job,) = reply.body["jobs"]
    assert (job["id"], job["fence"], job["lease_s"]) == (job_id, 1, 20)
    assert api.end("complete", job).status == 200


def test_a_job_that_cannot_be_leased_says_why(api: Caller) -> None:
    running, late, behind = api.make(part_key="k"), api.make(delay_s=60), api.make(part_key="k")
    take(api, running)

    for job_id, word in ((running, "running"), (late, "its time"), (behind, "behind others of k")):
        reply = take(api, job_id)
        assert (reply.status, reply.body["code"]) == (409, "not_available")
        assert word in reply.body["detail"]
    assert take(api, str(uuid4())).status == 404


def test_an_ended_job_is_not_available(api: Caller) -> None:
    job_id = api.make()
    api.end("complete", api.lease_one())

    assert take(api, job_id).body["code"] == "not_available"


def test_of_a_paused_queue_it_is_423(api: Caller) -> None:
    job_id = api.make()
    queue_pause(name="external", by=None)

    reply = take(api, job_id)

    assert (reply.status, reply.body["code"]) == (423, "queue_paused")


def test_a_closed_gate_puts_it_off_unspent(api: Caller, declare: Declare) -> None:
    job_id = api.make(declare(queue="external", breaker="camera").name)
    breakers.force("camera", is_open=True, reason="test")

    reply = take(api, job_id)

    assert (reply.status, reply.body["code"]) == (409, "not_available")
    assert "breaker camera is open" in reply.body["detail"]
    assert Job.objects.get().attempt == 0


def test_a_job_of_a_queue_inside_takes_its_permission(api: Caller, caller: MakeCaller) -> None:
    job_id = api.make("jobs.noop")

    assert take(caller("jobs.lease_job", name="outside"), job_id).status == 403
    assert take(api, job_id).status == 200


@pytest.mark.usefixtures("committed")
def test_one_of_many_wins(api: Caller) -> None:
    job_id = api.make()

    replies = together(*[lambda: take(api.twin(), job_id)] * 8)

    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    assert Job.objects.get().fence == 1
