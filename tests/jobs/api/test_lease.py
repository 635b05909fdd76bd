"""POST /v1/worker/lease: who gets which job, and what holds one back."""

from datetime import timedelta
from typing import Any

import pytest

from jobs import breakers
from jobs.console import queue_pause, worker_direct
from jobs.ladders import Delays
from jobs.models import Job, JobStat, Worker
from jobs.registry import Rate
from jobs.workers import worker_start
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller, together
from tests.jobs.api.conftest import MakeCaller
from tests.jobs.conftest import Declare


def test_a_leased_job_says_all_that_its_worker_needs(api: Caller) -> None:
    job_id = api.make(payload={"message": "hi"}, trace="trace-12345", part_key="k", delays=[1])

    reply = api.post("worker/lease", {"worker_id": "w:1:a", "lease_s": 60})

    row = Job.objects.get()
    assert reply.status == 200
    assert (reply.body["directive"], reply.body["poll_after_s"]) == ("run", 0)
    (job,) = reply.body["jobs"]
    token = job.pop("lease_token")
    expires = job.pop("lease_expires_at")
    assert job == {
        "id": job_id,
        "kind": "external.echo",
        "queue": "external",
        "priority": 2,
        "payload": {"message": "hi"},
        "attempt": 1,
        "max_attempts": 2,
        "fence": 1,
        "lease_s": 60,
        "timeout_s": 600,
        "deadline_at": None,
        "part_key": "k",
        "progress": None,
        "checkpoint": None,
        "trace": "trace-12345",
    }
    assert (row.state, row.worker, row.fence) == ("running", "w:1:a", 1)
    assert row.lease_until is not None
    assert expires == row.lease_until.isoformat().replace("+00:00", "Z")
    assert timedelta(seconds=50) < row.lease_until - clock.now() <= timedelta(seconds=60)
    assert len(token) == 56


def test_without_a_due_job_the_answer_is_empty(api: Caller) -> None:
    api.make(delay_s=60)

    reply = api.post("worker/lease", {"worker_id": "w:1:a"})

    assert (reply.status, reply.raw) == (204, b"")
    assert reply.headers["Retry-After"] == "1"
    with clock.shift(timedelta(seconds=61)):
        assert len(api.lease()) == 1


def test_the_most_urgent_job_goes_first(api: Caller) -> None:
    for priority in (3, 1, 0, 2):
        api.make(payload={"message": priority}, priority=priority)

    jobs = api.lease(max_jobs=10)

    assert [job["priority"] for job in jobs] == [0, 1, 2, 3]


def test_no_more_than_asked_for_and_only_kinds_asked_for(api: Caller) -> None:
    for _ in range(3):
        api.make()
        api.make("jobs.noop", queue="external")

    assert [job["kind"] for job in api.lease(max_jobs=2, kinds=["jobs.noop"])] == ["jobs.noop"] * 2
    assert api.lease(kinds=["no.such"]) == []


def test_of_a_key_only_the_head_is_given_until_it_has_ended(api: Caller) -> None:
    for n in range(3):
        api.make(part_key="chat:1", payload={"message": n})
    api.make(part_key="chat:2", payload={"message": "other"})

    first = api.lease(max_jobs=10)
    assert sorted(str(job["payload"]["message"]) for job in first) == ["0", "other"]
    assert api.lease(max_jobs=10) == []

    head = next(job for job in first if job["part_key"] == "chat:1")
    api.end("fail", head, retry_after_s=0)
    assert api.lease_one(max_jobs=10)["payload"] == {"message": 0}


def test_queues_inside_take_a_permission_of_their_own(caller: MakeCaller, api: Caller) -> None:
    api.make("jobs.noop")
    api.make()
    outside = caller("jobs.lease_job", name="outside")
    inside = caller("jobs.lease_any_queue", name="inside")

    refused = outside.post("worker/lease", {"worker_id": "w:1:a", "queues": ["default"]})
    mixed = outside.post("worker/lease", {"worker_id": "w:1:a", "queues": ["external", "default"]})
    assert (refused.status, mixed.status) == (403, 403)
    assert "jobs.lease_any_queue" in refused.body["detail"]
    assert not Job.objects.filter(state="running").exists()
    assert outside.lease_one(max_jobs=10)["queue"] == "external"
    assert inside.lease_one(queues=["default"])["queue"] == "default"
    nobody = caller("jobs.enqueue_job", name="nobody")
    assert nobody.post("worker/lease", {"worker_id": "w:1:a"}).status == 403
    assert Caller(None).post("worker/lease", {"worker_id": "w:1:a"}).status == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"queues": ["nowhere"]}, "unknown_queue"),
        ({"queues": []}, "invalid"),
        ({"max_jobs": 0}, "invalid"),
        ({"max_jobs": 101}, "invalid"),
        ({"lease_s": 9}, "invalid"),
        ({"lease_s": 901}, "invalid"),
        ({"lease_s": "nan"}, "invalid"),
        ({"wait_s": 26}, "invalid"),
        ({"wait_s": -1}, "invalid"),
        ({"worker_id": ""}, "invalid"),
        ({"worker_id": "a b"}, "worker_id_invalid"),
        ({"worker_id": "x" * 121}, "invalid"),
        ({"worker": {"pid": -1}}, "invalid"),
        ({"worker": []}, "invalid"),
    ],
)
def test_a_lease_that_makes_no_sense_is_refused(
    api: Caller, body: dict[str, Any], code: str
) -> None:
    api.make()

    reply = api.post("worker/lease", {"worker_id": "w:1:a", **body})

    assert (reply.status, reply.body["code"]) == (422, code)
    assert not Job.objects.filter(state="running").exists()


def test_a_paused_queue_gives_nothing(api: Caller) -> None:
    api.make()
    queue_pause(name="external", by=None)

    assert api.lease() == []


def test_an_open_breaker_puts_jobs_off_unspent(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", breaker="camera")
    first, other = api.make(kind.name), api.make()
    breakers.force("camera", is_open=True, reason="test")

    assert [job["id"] for job in api.lease(max_jobs=10)] == [other]
    row = Job.objects.get(pk=first)
    assert (row.state, row.attempt) == ("scheduled", 0)
    assert timedelta(minutes=50) < row.run_at - clock.now()


def test_a_rate_holds_for_outside_workers_too(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", rate=Rate(2, per="1h"))
    for _ in range(5):
        api.make(kind.name)

    assert len(api.lease(max_jobs=10)) == 2
    assert Job.objects.filter(state="scheduled", attempt=0).count() == 3


def test_a_job_past_its_deadline_is_dead_and_not_given(api: Caller) -> None:
    job_id = api.make(deadline_at=(clock.now() + timedelta(seconds=60)).isoformat())

    with clock.shift(timedelta(seconds=61)):
        assert api.lease() == []
    assert api.job(job_id)["state"] == "dead"


def test_no_lease_goes_beyond_the_deadline(api: Caller) -> None:
    deadline = clock.now() + timedelta(seconds=40)
    api.make(deadline_at=deadline.isoformat())

    job = api.lease_one(lease_s=900)

    assert job["lease_expires_at"] == job["deadline_at"]
    assert Job.objects.get().lease_until == deadline


def test_a_kind_that_vanished_is_dead_and_not_given(api: Caller) -> None:
    job_id = api.make()
    Job.objects.update(kind="gone.kind")

    assert api.lease() == []
    assert "vanished" in api.job(job_id)["last_error"]


def test_a_job_whose_worker_died_is_given_again_and_alone(api: Caller) -> None:
    lost = api.make()
    api.lease_one()
    Job.objects.update(lease_until=clock.now() + play.PAST)
    for _ in range(3):
        api.make()

    jobs = api.lease("w:2:b", max_jobs=10)

    assert [job["id"] for job in jobs] == [lost]
    assert (jobs[0]["attempt"], jobs[0]["fence"]) == (2, 2)
    assert len(api.lease("w:2:b", max_jobs=10)) == 3
    assert set(Job.objects.values_list("attempt", flat=True)) == {1, 2}


def test_three_lost_workers_make_a_job_dead(api: Caller) -> None:
    job_id = api.make(delays=[1] * 9)
    for _ in range(3):
        api.lease_one()
        Job.objects.update(lease_until=clock.now() + play.PAST)

    assert api.lease() == []
    job = api.job(job_id)
    assert (job["state"], job["crash_count"]) == ("dead", 3)
    assert "poison" in job["last_error"]


def test_the_next_attempt_reads_progress_and_checkpoint_of_the_one_before(api: Caller) -> None:
    api.make(delays=[0])
    job = api.lease_one()
    api.end("heartbeat", job, progress={"pct": 40}, checkpoint={"page": 3})
    api.end("fail", job)

    job = api.lease_one()

    assert (job["progress"], job["checkpoint"]) == ({"pct": 40}, {"page": 3})


def test_a_worker_is_known_by_its_calls(api: Caller) -> None:
    api.make(delays=[60])
    api.make()
    said = {
        "host": "pi-4",
        "pid": 7,
        "version": "2.1",
        "slots": 4,
        "rss_mb": 1.5,
        "labels": {"a": 1},
    }
    body = {"worker_id": "w:1:a", "worker": said, "max_jobs": 2}
    jobs = api.post("worker/lease", body).body["jobs"]
    api.end("complete", jobs[0])
    api.end("fail", jobs[1])

    row = Worker.objects.get()
    assert (row.pk, row.host, row.pid, row.version) == ("w:1:a", "pi-4", 7, "2.1")
    assert (row.slots, row.rss_bytes, row.labels) == (4, 1024 * 1536, {"a": 1})
    assert (row.is_external, row.queues) == (True, ["external"])
    assert (row.jobs_started, row.jobs_completed, row.jobs_failed) == (2, 1, 1)


def test_a_worker_cannot_take_the_name_of_one_of_ours(api: Caller) -> None:
    worker_start("pod:1:abc", host="here", pid=1, queues=["default"])
    api.make()

    reply = api.post("worker/lease", {"worker_id": "pod:1:abc"})

    assert (reply.status, reply.body["code"]) == (409, "worker_id_taken")
    assert not Worker.objects.get().is_external


@pytest.mark.parametrize("directive", ["quiet", "terminate"])
def test_a_worker_that_shall_stop_gets_no_jobs(api: Caller, directive: str) -> None:
    api.lease()
    worker_direct(worker_id="w:1:a", directive=directive, by=None)
    api.make()

    reply = api.post("worker/lease", {"worker_id": "w:1:a", "wait_s": 20})

    assert (reply.status, reply.body["jobs"]) == (200, [])
    assert reply.body["directive"] == directive


def test_what_happens_is_counted_as_inside(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", retry=Delays("1h"))
    for _ in range(3):
        api.make(kind.name)
    first, second, third = api.lease(max_jobs=3)
    api.end("complete", first)
    api.end("fail", second)
    api.end("fail", third, dead=True)

    counts = {row.event: row.count for row in JobStat.objects.filter(kind=kind.name)}
    assert counts == {"completed": 1, "retried": 1, "dead": 1}


@pytest.mark.usefixtures("committed")
def test_many_callers_get_each_job_once(api: Caller) -> None:
    api.post("worker/jobs:batch", [{"kind": "external.echo"}] * 40)

    def take(name: str) -> list[str]:
        mine: list[str] = []
        twin = api.twin()
        while jobs := twin.lease(name, max_jobs=3):
            mine += [job["id"] for job in jobs]
        return mine

    taken = together(*[lambda name=f"w:{n}:a": take(name) for n in range(8)])

    found = [job_id for mine in taken for job_id in mine]
    assert len(found) == len(set(found)) == 40
