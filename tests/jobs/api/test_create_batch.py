"""POST /v1/worker/jobs:batch: each job stands by itself."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from tests.jobs.api.caller import Caller


def test_what_fits_is_made_and_what_does_not_is_told_apart(api: Caller) -> None:
    unique = {"key": "one", "mode": "reject"}
    reply = api.post(
        "worker/jobs:batch",
        {
            "jobs": [
                {"kind": "jobs.noop", "payload": {"n": 1}},
                {"kind": "no.such"},
                {"kind": "jobs.noop", "queue": "nowhere"},
                {"kind": "jobs.noop", "delay_s": -1},
                {"kind": "jobs.noop", "unique": unique},
                {"kind": "jobs.noop", "unique": unique},
                {"kind": "jobs.noop", "unique": {"key": "one"}},
                7,
                {"kind": "external.echo", "payload": {"message": "x" * 300_000}},
            ]
        },
    )

    assert reply.status == 207
    results = reply.body["results"]
    assert [(each["status"], each.get("code")) for each in results] == [
        (201, None),
        (422, "unknown_kind"),
        (422, "unknown_queue"),
        (422, "invalid_option"),
        (201, None),
        (409, "unique_conflict"),
        (200, None),
        (422, "invalid_option"),
        (413, "args_too_large"),
    ]
    assert results[5]["id"] == results[6]["id"] == results[4]["id"]
    assert {str(pk) for pk in Job.objects.values_list("pk", flat=True)} == {
        results[0]["id"],
        results[4]["id"],
    }


def test_a_thousand_jobs_cost_as_many_queries_as_ten(api: Caller) -> None:
    def queries(count: int) -> int:
        jobs = [{"kind": "jobs.noop", "payload": {"n": n}} for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert api.post("worker/jobs:batch", {"jobs": jobs}).status == 207
        return len(seen)

    queries(1)  # fills what a process remembers
    assert queries(1000) <= queries(10)
    assert Job.objects.count() == 1011


def test_the_list_may_come_bare_or_empty_but_not_too_long(api: Caller) -> None:
    assert (
        api.post("worker/jobs:batch", [{"kind": "jobs.noop"}]).body["results"][0]["status"] == 201
    )
    assert api.post("worker/jobs:batch", []).body == {"results": []}
    for body in ([{"kind": "jobs.noop"}] * 1001, {"jobs": "all"}, {}):
        reply = api.post("worker/jobs:batch", body)
        assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert Job.objects.count() == 1


def test_jobs_of_a_key_stand_in_the_order_of_the_batch(api: Caller) -> None:
    jobs = [{"kind": "external.echo", "payload": {"message": n}, "part_key": "k"} for n in range(3)]
    api.post("worker/jobs:batch", {"jobs": jobs})

    seen = []
    for _ in range(3):
        job = api.lease_one(max_jobs=10)
        seen.append(job["payload"]["message"])
        assert api.end("complete", job).status == 200

    assert seen == [0, 1, 2]
