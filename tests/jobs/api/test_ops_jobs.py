"""/v1/ops: what operators do to jobs. What the services do is proved with them; here are the doors."""

from typing import Any
from uuid import uuid4

import pytest

from jobs.models import AuditEntry, Job, JobHistory
from tests.jobs.api.caller import Caller
from tests.jobs.api.conftest import MakeCaller


def dead(api: Caller, **options: Any) -> str:
    """Make a job that is dead."""
    job_id = api.make(**options)
    job = next(job for job in api.lease(max_jobs=100) if job["id"] == job_id)
    assert api.end("fail", job, dead=True, error="no camera 7").body["state"] == "dead"
    return job_id


def acts() -> list[tuple[str, str]]:
    """What the audit log says: (who, what), oldest first."""
    return list(AuditEntry.objects.order_by("id").values_list("account_name", "action"))


def test_a_waiting_job_is_cancelled_at_once(api: Caller) -> None:
    job_id = api.make()

    reply = api.post(f"ops/jobs/{job_id}/cancel", {"reason": "not needed"})

    assert (reply.status, reply.body) == (200, {"id": job_id, "state": "cancelled"})
    assert api.job(job_id)["state"] == "cancelled"
    assert api.lease() == []
    again = api.post(f"ops/jobs/{job_id}/cancel")
    assert (again.status, again.body["code"]) == (409, "job_not_cancellable")
    assert acts() == [("machine", "jobs.cancel")]


def test_a_dead_job_is_retried_with_a_fresh_ladder(api: Caller) -> None:
    job_id = dead(api)

    assert api.post(f"ops/jobs/{job_id}/retry").body == {"id": job_id, "state": "available"}

    job = api.lease_one()
    assert (job["id"], job["attempt"]) == (job_id, 1)
    api.end("complete", job)
    assert api.post(f"ops/jobs/{job_id}/retry").status == 409


def test_a_job_is_replayed_with_other_args(api: Caller) -> None:
    job_id = dead(api, payload={"message": "old"})

    reply = api.post(f"ops/jobs/{job_id}/replay", {"payload": {"message": "new"}})

    assert (reply.status, reply.body["replay_of"]) == (201, job_id)
    job = api.lease_one()
    assert (job["id"], job["payload"]) == (reply.body["id"], {"message": "new"})
    assert api.job(job["id"])["replay_of"] == job_id
    assert f"replayed as {job['id']}" in api.job(job_id)["resolution"]


def test_args_that_do_not_fit_replay_nothing(api: Caller) -> None:
    job_id = dead(api)

    reply = api.post(f"ops/jobs/{job_id}/replay", {"payload": {"massage": 1}})

    assert (reply.status, reply.body["code"]) == (422, "invalid_args")
    assert api.job(job_id)["state"] == "dead"


def test_a_dead_job_is_put_away(api: Caller) -> None:
    job_id = dead(api)

    assert api.post(f"ops/jobs/{job_id}/discard", {"reason": "known"}).status == 200

    assert JobHistory.objects.get(pk=job_id).resolution == "discarded: known"
    assert api.get("ops/dead").body["items"] == []
    assert api.post(f"ops/jobs/{job_id}/discard").status == 409


def test_a_waiting_job_goes_earlier(api: Caller) -> None:
    job_id = api.make()

    reply = api.post(f"ops/jobs/{job_id}/reprioritize", {"priority": 0})

    assert reply.body == {"id": job_id, "priority": 0}
    assert Job.objects.get().priority == 0
    assert api.post(f"ops/jobs/{job_id}/reprioritize", {"priority": 4}).status == 422


@pytest.mark.parametrize("act", ["cancel", "retry", "replay", "discard"])
def test_a_job_that_is_not_there_is_404(api: Caller, act: str) -> None:
    reply = api.post(f"ops/jobs/{uuid4()}/{act}")

    assert (reply.status, reply.body["code"]) == (404, "job_not_found")


def test_who_may_not_operate_changes_nothing(api: Caller, caller: MakeCaller) -> None:
    job_id = api.make()
    worker = caller("jobs.lease_job", "jobs.view_jobrecord", name="worker")

    for act in ("cancel", "retry", "replay", "discard", "reprioritize"):
        assert worker.post(f"ops/jobs/{job_id}/{act}", {"priority": 0}).status == 403
    bulk = {"filter": {"kind": "external.echo"}, "action": "cancel", "dry_run": False}
    assert worker.post("ops/jobs:bulk", bulk).status == 403
    assert api.job(job_id)["state"] == "available"


def test_bulk_counts_first_and_acts_when_told(api: Caller) -> None:
    ids = {dead(api) for _ in range(3)}
    other = api.make("jobs.noop")
    body = {"filter": {"state": "dead", "error": "camera"}, "action": "replay"}

    dry = api.post("ops/jobs:bulk", body).body
    assert (dry["matched"], dry["done"], dry["dry_run"], set(dry["sample"])) == (3, 0, True, ids)
    part = api.post("ops/jobs:bulk", {**body, "limit": 2, "dry_run": False}).body
    assert (part["matched"], part["done"], part["more"]) == (2, 2, True)
    rest = api.post("ops/jobs:bulk", {**body, "dry_run": False}).body
    assert (rest["done"], rest["more"]) == (1, False)

    assert len(api.lease(max_jobs=10)) == 3
    assert api.job(other)["state"] == "available"
    assert ("machine", "jobs.bulk_replay") in acts()


def test_bulk_takes_ids_and_says_what_was_refused(api: Caller) -> None:
    running = api.make()
    api.lease_one()
    waiting = api.make()
    body = {"filter": {"ids": [waiting, running]}, "action": "retry", "dry_run": False}

    reply = api.post("ops/jobs:bulk", body).body

    assert (reply["done"], [each["id"] for each in reply["refused"]]) == (1, [running])


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {}, "action": "cancel"},
        {"filter": {"ids": []}, "action": "cancel"},
        {"filter": {"kimd": "external.echo"}, "action": "cancel"},
        {"filter": {"state": "lost"}, "action": "cancel"},
        {"filter": {"kind": "external.echo"}, "action": "explode"},
        {"filter": {"kind": "external.echo"}, "action": "cancel", "dryrun": False},
        {"filter": {"kind": "external.echo"}, "action": "cancel", "limit": 0},
        {"filter": {"args": [1]}, "action": "cancel"},
        {"action": "cancel"},
        [],
    ],
)
def test_a_bulk_that_says_too_little_is_refused(api: Caller, body: Any) -> None:
    job_id = api.make()
    if isinstance(body, dict):
        body = {"dry_run": False, **body}

    reply = api.post("ops/jobs:bulk", body)

    assert (reply.status, reply.body["code"]) == (422, "invalid")
    assert api.job(job_id)["state"] == "available"


def test_dead_letters_are_listed_page_by_page(api: Caller) -> None:
    ids = [dead(api) for _ in range(3)]

    first = api.get("ops/dead", limit=2).body
    rest = api.get("ops/dead", limit=2, cursor=first["next_cursor"]).body

    assert [job["id"] for job in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert first["items"][0]["last_error"] == "no camera 7"
    assert api.get("ops/dead", kind="jobs.noop").body["items"] == []
    assert len(api.get("ops/dead", error="CAMERA", queue="external").body["items"]) == 3
