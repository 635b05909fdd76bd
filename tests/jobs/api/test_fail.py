"""POST .../fail and .../release, and batches of ends."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.ladders import Delays
from jobs.models import Breaker, Job, JobAttempt, JobHistory
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller
from tests.jobs.conftest import Declare


def again_in(reply: Any) -> float:
    """Seconds from now until the job is tried again."""
    return (datetime.fromisoformat(reply.body["run_at"]) - clock.now()).total_seconds()


def test_a_failed_attempt_climbs_the_ladder_until_the_job_is_dead(api: Caller) -> None:
    job_id = api.make(delays=["30s", 60])
    for number, delay in ((1, 30), (2, 60)):
        reply = api.end("fail", api.lease_one(), error={"type": "Timeout", "message": "no camera"})
        assert (reply.status, reply.body["state"]) == (200, "scheduled")
        assert (reply.body["attempt"], reply.body["max_attempts"]) == (number, 3)
        assert delay * 0.89 - 1 < again_in(reply) < delay * 1.11
        assert datetime.fromisoformat(reply.body["run_at"]) == Job.objects.get().run_at
        api.post(f"ops/jobs/{job_id}/retry")

    reply = api.end("fail", api.lease_one(), error="gave up")

    assert (reply.body["state"], reply.body["run_at"], reply.body["attempt"]) == ("dead", None, 3)
    assert api.job(job_id)["last_error"] == "gave up"


def test_the_third_failure_of_two_delays_is_the_end(api: Caller) -> None:
    job_id = api.make(delays=[0, 0])

    states = [api.end("fail", api.lease_one()).body["state"] for _ in range(3)]

    assert states == ["available", "available", "dead"]
    job = api.job(job_id)
    assert (job["state"], job["attempt"]) == ("dead", 3)
    assert [each["outcome"] for each in job["attempts"]] == ["retried", "retried", "dead"]
    assert api.lease() == []


def test_the_ladder_of_the_kind_holds_where_the_job_has_none(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", retry=Delays("5m"))
    api.make(kind.name)

    reply = api.end("fail", api.lease_one())

    assert 269 < again_in(reply) < 331


def test_the_worker_may_say_when(api: Caller) -> None:
    api.make(delays=[60])

    assert 6 < again_in(api.end("fail", api.lease_one(), retry_after_s=7)) <= 7


@pytest.mark.parametrize("body", [{"retryable": False}, {"dead": True}])
def test_the_worker_may_give_up(api: Caller, body: dict[str, Any]) -> None:
    job_id = api.make(delays=[60])

    reply = api.end("fail", api.lease_one(), error={"message": "no such file"}, **body)

    assert (reply.body["state"], reply.body["run_at"]) == ("dead", None)
    assert api.job(job_id)["last_error"] == "no such file"


def test_an_error_reads_like_a_traceback(api: Caller) -> None:
    job_id = api.make(delays=[60])
    error = {"type": "ValueError", "message": "bad page", "stack": "at page.py:12\n"}

    api.end("fail", api.lease_one(), error=error)

    job = api.job(job_id)
    assert job["last_error"] == "at page.py:12\nValueError: bad page"
    assert job["attempts"][0]["error"] == job["last_error"]


def test_the_same_token_again_gets_the_same_answer(api: Caller) -> None:
    api.make(delays=[60, 60])
    job = api.lease_one()
    first = api.end("fail", job)

    again = api.end("fail", job)

    assert (again.status, again.raw) == (200, first.raw)
    with clock.shift(timedelta(minutes=2)):
        assert api.end("fail", job).raw == first.raw
        assert api.lease_one()["fence"] == 2
    assert api.end("fail", job).status == 409
    assert JobAttempt.objects.count() == 1


def test_the_same_token_again_after_death_gets_the_same_answer(api: Caller) -> None:
    api.make(delays=[])
    job = api.lease_one()
    first = api.end("fail", job)

    assert api.end("fail", job).raw == first.raw
    assert api.end("complete", job).status == 410


def test_a_worker_that_was_buried_does_not_take_the_credit(api: Caller) -> None:
    api.make(delays=[1] * 5)
    for _ in range(3):
        job = api.lease_one()
        Job.objects.update(lease_until=clock.now() + play.PAST)
    assert api.lease() == []

    assert api.end("fail", job).status == 410


def test_a_job_that_shall_be_cancelled_is_cancelled(api: Caller) -> None:
    for verb in ("fail", "release"):
        job_id = api.make(delays=[60])
        job = api.lease_one()
        api.post(f"ops/jobs/{job_id}/cancel")

        first = api.end(verb, job)

        assert (first.status, first.body["state"]) == (200, "cancelled")
        assert api.end(verb, job).raw == first.raw
        assert JobHistory.objects.get(pk=job_id).state == "cancelled"


def test_a_failing_service_opens_the_breaker_of_the_kind(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", breaker="camera", retry=Delays("1s"))
    for _ in range(3):
        api.make(kind.name)

    for job in api.lease(max_jobs=3):
        api.end("fail", job, error={"message": "503"}, service_failed=True)

    assert Breaker.objects.get(name="camera").state == "open"


def test_a_released_job_is_available_with_its_attempt_unspent(api: Caller) -> None:
    job_id = api.make(delays=[])
    job = api.lease_one()

    first = api.end("release", job)

    assert (first.body["state"], first.body["attempt"]) == ("available", 0)
    assert api.end("release", job).raw == first.raw
    again = api.lease_one()
    assert (again["id"], again["attempt"], again["fence"]) == (job_id, 1, 2)
    assert api.end("release", job).status == 409


def test_a_release_may_say_for_how_long(api: Caller) -> None:
    api.make(delays=[])
    job = api.lease_one()

    reply = api.end("release", job, delay_s=120, reason="the disk is full")

    assert (reply.body["state"], reply.body["attempt"]) == ("scheduled", 0)
    assert 118 < again_in(reply) <= 120
    assert api.end("release", job, delay_s=120).raw == reply.raw
    assert JobAttempt.objects.get().error == "the disk is full"
    assert api.lease() == []


@pytest.mark.parametrize("field", ["retry_after_s", "delay_s"])
@pytest.mark.parametrize("value", [-1, "soon", True, 1e300, [], "nan"])
def test_a_span_that_is_none_is_refused(api: Caller, field: str, value: Any) -> None:
    api.make()
    job = api.lease_one()

    reply = api.end("fail" if field == "retry_after_s" else "release", job, **{field: value})

    assert reply.status == 422
    assert Job.objects.get().state == "running"


def test_a_batch_of_ends_has_an_answer_for_each(api: Caller) -> None:
    for _ in range(4):
        api.make(delays=[60])
    one, two, three, four = api.lease(max_jobs=4)
    api.end("complete", four)
    items = [
        {"id": one["id"], "lease_token": one["lease_token"], "result": 1},
        {"id": two["id"], "lease_token": one["lease_token"]},
        {"id": three["id"], "lease_token": three["lease_token"], "result": "x" * 300_000},
        {"id": four["id"], "lease_token": four["lease_token"]},
        {"id": one["id"], "lease_token": one["lease_token"]},
        {"lease_token": one["lease_token"]},
        {"id": two["id"]},
        "nothing",
    ]

    reply = api.post("worker/jobs/complete:batch", {"jobs": items})

    assert reply.status == 207
    assert [(each["status"], each.get("code")) for each in reply.body["results"]] == [
        (200, None),
        (409, "fenced"),
        (413, "result_too_large"),
        (200, None),
        (200, None),
        (422, "invalid"),
        (422, "invalid"),
        (422, "invalid"),
    ]
    assert reply.body["results"][0]["state"] == "completed"
    failed = api.post(
        "worker/fail:batch",
        [
            {"id": job["id"], "lease_token": job["lease_token"], "dead": dead}
            for job, dead in ((two, True), (three, False))
        ],
    )
    assert [each["state"] for each in failed.body["results"]] == ["dead", "scheduled"]


def test_a_hundred_ends_cost_as_many_queries_as_two(api: Caller) -> None:
    def queries(count: int) -> int:
        api.post("worker/jobs:batch", [{"kind": "external.echo"}] * count)
        items = [
            {"id": job["id"], "lease_token": job["lease_token"]}
            for job in api.lease(max_jobs=count)
        ]
        with CaptureQueriesContext(connection) as seen:
            reply = api.post("worker/jobs/complete:batch", items)
        assert {each["status"] for each in reply.body["results"]} == {200}
        return len(seen)

    assert queries(100) == queries(2)


def test_more_than_a_hundred_ends_are_refused(api: Caller) -> None:
    assert api.post("worker/jobs/complete:batch", [{}] * 101).status == 422
    assert api.post("worker/jobs/fail:batch", {"jobs": [{}] * 101}).status == 422
