"""Reading jobs: as people see them, and for what it costs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller
from tests.jobs.api.conftest import MakeCaller

AUTHENTICATION = 4  # queries for the token and the permissions of its account


@pytest.mark.parametrize("address", ["jobs", "worker/jobs"])
def test_a_job_tells_all_that_is_kept_of_it(api: Caller, address: str) -> None:
    job_id = api.make(payload={"message": "hi"}, delays=[0, 60], unique={"key": "u"}, trace="t1")
    api.end("fail", api.lease_one(), error="first")
    api.end("complete", api.lease_one("w:2:b"), result={"ok": True})

    job = api.get(f"{address}/{job_id}").body

    assert (job["state"], job["payload"], job["result"]) == (
        "completed", {"message": "hi"}, {"ok": True},
    )  # fmt: skip
    assert (job["attempt"], job["max_attempts"], job["fence"]) == (2, 3, 2)
    assert (job["unique_key"], job["delays"], job["trace"]) == ("u", [0, 60], "t1")
    assert (job["worker"], job["last_error"], job["result_expired"]) == ("w:2:b", "first", False)
    assert [
        (each["attempt"], each["outcome"], each["worker"], each["error"])
        for each in job["attempts"]
    ] == [(1, "retried", "w:1:a", "first"), (2, "completed", "w:2:b", None)]
    assert api.get(f"{address}/{job_id}/attempts").body["items"] == job["attempts"]
    assert api.get(f"{address}/{job_id}/logs").body == {"items": []}


def test_the_state_is_as_people_see_it(api: Caller) -> None:
    job_id = api.make(delay_s=60)
    assert api.job(job_id)["state"] == "scheduled"

    with clock.shift(timedelta(seconds=61)):
        assert api.job(job_id)["state"] == "available"
        assert len(api.get("jobs", state="available").body["items"]) == 1
        assert api.get("jobs", state="scheduled").body["items"] == []
        api.lease_one()
    job = api.job(job_id)
    assert (job["state"], job["attempts"][0]["outcome"]) == ("running", "running")
    assert job["lease_expires_at"] is not None


def test_a_result_is_shown_for_its_time(api: Caller) -> None:
    job_id = api.make()
    api.end("complete", api.lease_one(), result="secret")

    with clock.shift(settings.JOBS["result_ttl"] - timedelta(seconds=5)):
        assert api.job(job_id)["result"] == "secret"
    with clock.shift(settings.JOBS["result_ttl"] + timedelta(seconds=5)):
        job = api.job(job_id)
        assert (job["result"], job["result_expired"], job["state"]) == (None, True, "completed")


def test_a_lost_lease_is_a_crashed_attempt(api: Caller) -> None:
    job_id = api.make()
    api.lease_one()
    Job.objects.update(lease_until=clock.now() + play.PAST)
    api.lease("w:2:b", kinds=["jobs.noop"])

    (attempt,) = api.job(job_id)["attempts"]
    assert (attempt["outcome"], attempt["worker"], attempt["fence"]) == ("crashed", "w:1:a", 1)


def test_jobs_are_listed_newest_first_page_by_page(api: Caller) -> None:
    made = [api.make(payload={"message": n}) for n in range(7)]
    api.end("complete", api.lease_one())

    seen: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = api.get("jobs", **query).body
        assert len(page["items"]) == size
        seen += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]

    assert seen == made[::-1]
    assert cursor is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "jobs.noop"}, {"noop"}),
        ({"queue": "external"}, {"echo", "done", "dead"}),
        ({"state": "dead"}, {"dead"}),
        ({"state": "completed"}, {"done"}),
        ({"state": "dead", "error": "CAMERA"}, {"dead"}),
        ({"error": "no such text"}, set()),
        ({"key": "chat:7"}, {"echo"}),
        ({"worker": "w:1:a", "state": "completed"}, {"done"}),
        ({"correlation_id": "trace-1"}, {"noop"}),
        ({"created_from": "2020-01-01T00:00:00Z", "kind": "jobs.noop"}, {"noop"}),
        ({"created_to": "2020-01-01T00:00:00Z"}, set()),
    ],
)
def test_a_filter_finds_what_it_says(
    api: Caller, query: dict[str, str], expected: set[str]
) -> None:
    names = {api.make(): "done", api.make(): "dead"}
    for job in api.lease(max_jobs=2):
        verb = "complete" if names[job["id"]] == "done" else "fail"
        body: dict[str, Any] = {} if verb == "complete" else {"dead": True, "error": "no camera"}
        assert api.end(verb, job, **body).status == 200
    names[api.make("jobs.noop", trace="trace-1")] = "noop"
    names[api.make(part_key="chat:7")] = "echo"

    found = api.get("jobs", **query)

    assert found.status == 200, found.body
    assert {names[job["id"]] for job in found.body["items"]} == expected


@pytest.mark.parametrize(
    "query",
    [
        {"state": "lost"},
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"limit": "٣"},
        {"cursor": "x"},
        {"created_from": "yesterday"},
        {"created_from": "2026-11-22T10:00:00"},
        {"created_to": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_a_filter_that_says_nothing_is_refused(api: Caller, query: dict[str, Any]) -> None:
    reply = api.get("jobs", **query)

    assert (reply.status, reply.body["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("path", "query", "queries"),
    [
        ("jobs", {}, 1),
        ("jobs", {"state": "dead"}, 1),
        ("jobs", {"queue": "default"}, 2),  # a window of rows, and what matches in it
        ("ops/dead", {}, 1),
    ],
)
def test_a_list_costs_the_same_however_long(
    api: Caller, path: str, query: dict[str, str], queries: int
) -> None:
    for count in (1, 60):
        api.post("worker/jobs:batch", [{"kind": "jobs.noop"}] * count)
        with CaptureQueriesContext(connection) as seen:
            assert api.get(path, limit=50, **query).status == 200
        assert len(seen) == AUTHENTICATION + queries


def test_one_job_costs_three_queries(api: Caller) -> None:
    job_id = api.make()
    with CaptureQueriesContext(connection) as seen:
        api.job(job_id)
    assert len(seen) == AUTHENTICATION + 3


def test_jobs_are_shown_to_who_may_see_them(caller: MakeCaller, api: Caller) -> None:
    job_id = api.make()
    maker, worker = caller("jobs.enqueue_job", name="m"), caller("jobs.lease_job", name="w")
    nobody = caller(name="nobody")

    for path in (f"worker/jobs/{job_id}", f"jobs/{job_id}", f"jobs/{job_id}/logs"):
        assert maker.get(path).status == worker.get(path).status == 200
        assert nobody.get(path).status == 403
    for path in ("jobs", "ops/dead", "ops/queues", "ops/workers"):
        assert maker.get(path).status == 403
        assert caller("jobs.view_jobrecord", name=f"r{path}").get(path).status == 200


def test_a_job_that_is_not_there_is_404(api: Caller) -> None:
    for tail in ("", "/attempts", "/logs"):
        reply = api.get(f"jobs/{uuid4()}{tail}")
        assert (reply.status, reply.body["code"]) == (404, "job_not_found")
