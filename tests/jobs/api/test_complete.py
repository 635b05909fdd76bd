"""POST .../complete: the same token twice, a token too late, a token that is none."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobs import breakers, stats
from jobs.console import worker_direct
from jobs.models import AttemptLine, Breaker, Job, JobHistory, JobStat
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller, together
from tests.jobs.conftest import Declare


def lapse() -> None:
    """Let all leases run out now."""
    Job.objects.filter(state="running").update(lease_until=clock.now() + play.PAST)


def test_a_completed_job_keeps_its_result(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()

    reply = api.end("complete", job, result={"width": 640, "parts": [1, None]})

    assert reply.status == 200
    assert reply.body == {
        "id": job_id,
        "state": "completed",
        "attempt": 1,
        "max_attempts": 4,
        "run_at": None,
    }
    row = JobHistory.objects.get()
    assert (row.state, row.result, row.worker) == (
        "completed",
        {"width": 640, "parts": [1, None]},
        "w:1:a",
    )
    assert not Job.objects.exists()


def test_the_same_token_again_gets_the_same_answer(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    first = api.end("complete", job, result=1)

    again = api.end("complete", job, result=2)

    assert (again.status, again.raw) == (200, first.raw)
    assert JobHistory.objects.get().result == 1
    assert JobStat.objects.filter(event="completed").count() == 1


def test_a_lease_that_passed_on_changes_nothing(api: Caller) -> None:
    job_id = api.make()
    old = api.lease_one("w:1:a")
    lapse()
    new = api.lease_one("w:2:b")

    for verb in ("complete", "fail", "release", "heartbeat"):
        reply = api.end(verb, old)
        assert (reply.status, reply.body["code"]) == (409, "fenced"), verb
        assert reply.body["current_fence"] == 2
    row = Job.objects.get()
    assert (row.state, row.worker, row.fence, row.attempt) == ("running", "w:2:b", 2, 2)
    assert api.end("complete", new).status == 200
    reply = api.end("complete", old)
    assert (reply.status, reply.body["code"], reply.body["state"]) == (410, "gone", "completed")
    assert api.job(job_id)["worker"] == "w:2:b"


def test_a_lease_that_was_taken_back_is_fenced_even_if_nobody_has_it(api: Caller) -> None:
    api.make()
    old = api.lease_one()
    lapse()
    assert api.lease("w:2:b", kinds=["jobs.noop"]) == []  # the upkeep took it back

    for verb in ("complete", "fail", "release", "heartbeat"):
        assert api.end(verb, old).status == 409, verb
    row = Job.objects.get()
    assert (row.state, row.attempt, row.crash_count) == ("available", 1, 1)


def test_a_lease_just_over_is_good_while_nobody_took_the_job_back(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    lapse()

    assert api.end("heartbeat", job).status == 200
    lapse()
    assert api.end("complete", job).status == 200


@pytest.mark.parametrize(
    "token", ["", "x", None, "A" * 56, "é", 7, "a\nb", "=" * 56, "../../etc/passwd"]
)
@pytest.mark.parametrize("verb", ["complete", "fail", "release", "heartbeat"])
def test_what_is_no_token_is_fenced(api: Caller, verb: str, token: Any) -> None:
    api.make()
    job = api.lease_one()
    before = Job.objects.values().get()

    reply = api.end(verb, job, lease_token=token)

    assert (reply.status, reply.body["code"], reply.body["current_fence"]) == (409, "fenced", 1)
    assert Job.objects.values().get() == before


def test_the_token_of_another_job_is_fenced(api: Caller) -> None:
    api.make()
    api.make()
    one, other = api.lease(max_jobs=2)

    reply = api.end("complete", one, lease_token=other["lease_token"])

    assert (reply.status, reply.body["code"]) == (409, "fenced")
    assert Job.objects.filter(state="running").count() == 2


def test_a_missing_token_and_a_missing_job_are_told_apart(api: Caller) -> None:
    api.make()
    job = api.lease_one()

    assert api.post(f"worker/jobs/{job['id']}/complete", {"result": 1}).status == 422
    reply = api.post(f"worker/jobs/{uuid4()}/complete", {"lease_token": job["lease_token"]})
    assert (reply.status, reply.body["code"]) == (404, "job_not_found")
    assert api.post("worker/jobs/7/complete", {}).status == 404


def test_a_job_that_history_forgot_is_gone(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    Job.objects.all().delete()

    assert api.end("complete", job).status == 410


def test_a_cancel_does_not_undo_work_that_is_done(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    assert api.post(f"ops/jobs/{job_id}/cancel").body["state"] == "cancelling"

    assert api.end("complete", job).body["state"] == "completed"


def test_a_large_result_is_refused_and_the_lease_stands(api: Caller) -> None:
    api.make()
    job = api.lease_one()

    reply = api.end("complete", job, result="x" * (256 * 1024))

    assert (reply.status, reply.body["code"]) == (413, "result_too_large")
    assert Job.objects.get().state == "running"
    assert api.end("complete", job, result="x" * (256 * 1024 - 2)).status == 200


def test_a_result_that_is_nested_too_deeply_is_refused(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    body = b'{"lease_token": "%s", "result": %s}' % (
        job["lease_token"].encode(),
        b"[" * 400 + b"]" * 400,
    )

    assert api.post(f"worker/jobs/{job['id']}/complete", body).status == 422
    assert Job.objects.get().state == "running"


def test_log_lines_and_metrics_stay_with_the_attempt(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    api.end("heartbeat", job, logs=[{"level": "warning", "message": "slow"}, "plain"])

    api.end("complete", job, logs=[{"message": "done"}], metrics={"pages": 12, "s": 1.25})

    lines = api.get(f"jobs/{job_id}/logs").body["items"]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("WARNING", "slow"),
        ("INFO", "plain"),
        ("INFO", "done"),
        ("INFO", "metrics: pages=12, s=1.25"),
    ]
    assert not AttemptLine.objects.exists()


def test_what_hangs_on_the_end_of_a_job_goes_on(api: Caller) -> None:
    first = api.make(unique={"key": "u"})
    assert api.post("worker/jobs", {"kind": "external.echo", "unique": {"key": "u"}}).status == 200

    api.end("complete", api.lease_one())

    assert api.make(unique={"key": "u"}) != first


def test_an_answer_closes_the_breaker_of_its_kind(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", breaker="camera")
    breakers.force("camera", is_open=True, reason="test")
    with clock.shift(timedelta(hours=2)):
        api.make(kind.name)
        job = api.lease_one()  # the probe
        assert Breaker.objects.get().state == "half_open"
        api.end("complete", job)
    assert Breaker.objects.get().state == "closed"


def test_a_worker_that_was_told_to_stop_may_still_end_its_jobs(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    worker_direct(worker_id="w:1:a", directive="terminate", by=None)

    assert api.end("heartbeat", job).body["directive"] == "terminate"
    assert api.end("complete", job).status == 200


@pytest.mark.usefixtures("committed")
def test_ten_at_once_complete_a_job_once(api: Caller) -> None:
    api.make()
    job = api.lease_one()

    replies = together(*[lambda: api.twin().end("complete", job, result="r")] * 10)

    assert {reply.status for reply in replies} == {200}
    assert len({reply.raw for reply in replies}) == 1
    assert JobHistory.objects.count() == 1
    assert JobStat.objects.filter(event="completed").count() == 1


@pytest.mark.usefixtures("committed")
def test_of_complete_and_fail_at_once_one_counts(api: Caller) -> None:
    for _ in range(10):
        api.make(delays=[60])
    jobs = api.lease(max_jobs=10)

    for job in jobs:
        done, failed = together(
            lambda job=job: api.twin().end("complete", job),  # type: ignore[misc]
            lambda job=job: api.twin().end("fail", job),  # type: ignore[misc]
        )
        assert sorted([done.status, failed.status]) in ([200, 409], [200, 410])
        assert api.job(job["id"])["state"] == ("completed" if done.status == 200 else "scheduled")


@pytest.mark.parametrize("verb", ["complete", "fail", "release"])
def test_a_late_end_is_counted_and_a_repeated_or_forged_one_is_not(api: Caller, verb: str) -> None:
    api.make()
    late = api.lease_one()
    Job.objects.update(lease_until=clock.now() + play.PAST)
    job = api.lease_one("w:2:b")

    assert api.end(verb, late).body["code"] == "fenced"
    assert api.end(verb, job, lease_token="nonsense").body["code"] == "fenced"
    for _ in range(2):
        assert api.end("complete", job).status == 200

    counted = {event: count for (*_, event), count in stats._pending.items() if event == "fenced"}
    assert counted == {"fenced": 1}
