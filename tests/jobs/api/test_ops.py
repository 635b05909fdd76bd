"""/v1/ops: queues, schedules, breakers, workers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry, Breaker, Job, Queue, ScheduleEntry, Worker
from lib import clock
from tests.jobs.api.caller import Caller
from tests.jobs.api.conftest import MakeCaller
from tests.jobs.conftest import Declare

SCHEDULE = "jobs.keep_history"


def one(items: list[Any], **fields: Any) -> Any:
    """The only item with these fields."""
    (found,) = [item for item in items if all(item[k] == v for k, v in fields.items())]
    return found


def last_act() -> tuple[str, str]:
    """(what, to whom) of the newest audit entry."""
    entry = AuditEntry.objects.latest("id")
    assert entry.account_name == "machine"
    return entry.action, entry.object_id


def test_queues_tell_how_deep_and_how_old(api: Caller) -> None:
    for options in ({}, {"priority": 0}, {"delay_s": 60}, {"part_key": "k"}, {"part_key": "k"}):
        api.make(**options)
    api.lease_one()
    Job.objects.filter(state="available", partition_key=None).update(
        run_at=clock.now() - timedelta(seconds=90)
    )

    queue = one(api.get("ops/queues").body["items"], name="external")

    assert queue["depth"] == {
        "available": 2,
        "scheduled": 1,
        "running": 1,
        "blocked": 1,
        "dead": 0,
    }
    assert (queue["is_external"], queue["paused"], queue["depth_capped"]) == (True, False, [])
    assert 90 <= queue["oldest_age_s"] < 120


def test_the_list_of_queues_costs_the_same_however_deep(api: Caller) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            api.get("ops/queues")
        return len(seen)

    few = queries()
    api.post("worker/jobs:batch", [{"kind": "jobs.noop", "part_key": f"k{n}"} for n in range(50)])
    assert queries() == few == 8  # four of them for the token and its permissions


def test_a_queue_is_paused_and_resumed(api: Caller) -> None:
    api.make()

    reply = api.post("ops/queues/external/pause", {"reason": "camera is moved"})
    assert reply.body == {"name": "external", "paused": True}
    assert last_act() == ("queues.pause", "external")
    queue = one(api.get("ops/queues").body["items"], name="external")
    assert (queue["paused_by"], queue["pause_reason"]) == ("machine", "camera is moved")
    assert api.lease() == []

    assert api.post("ops/queues/external/resume").body == {"name": "external", "paused": False}
    assert len(api.lease()) == 1
    assert api.post("ops/queues/nowhere/pause").body["code"] == "unknown_queue"


def test_a_schedule_is_run_paused_and_resumed(api: Caller) -> None:
    reply = api.post(f"ops/schedules/{SCHEDULE}/run")
    assert reply.status == 201
    job = api.job(reply.body["job_id"])
    assert (job["kind"], job["state"]) == (SCHEDULE, "available")
    # While it waits, that one is answered.
    assert api.post(f"ops/schedules/{SCHEDULE}/run").body == reply.body

    assert api.post(f"ops/schedules/{SCHEDULE}/pause").body["paused"] is True
    shown = one(api.get("ops/schedules").body["items"], name=SCHEDULE)
    assert (shown["condition"], shown["kind"]) == ("paused", SCHEDULE)
    assert shown["last_job_id"] == reply.body["job_id"]
    assert last_act() == ("schedules.pause", SCHEDULE)

    assert api.post(f"ops/schedules/{SCHEDULE}/resume").body["paused"] is False
    assert ScheduleEntry.objects.get(name=SCHEDULE).paused_at is None
    for act in ("run", "pause", "resume"):
        assert api.post(f"ops/schedules/no.such/{act}").status == 404


def test_a_breaker_is_opened_and_closed_by_hand(api: Caller, declare: Declare) -> None:
    kind = declare(queue="external", breaker="camera")
    assert one(api.get("ops/breakers").body["items"], name="camera")["state"] == "closed"

    assert api.post("ops/breakers/camera/open").body == {"name": "camera", "state": "open"}
    shown = one(api.get("ops/breakers").body["items"], name="camera")
    assert (shown["state"], shown["kinds"]) == ("open", [kind.name])
    assert shown["events"][0]["reason"] == "set by machine"
    assert last_act() == ("breakers.open", "camera")

    assert api.post("ops/breakers/camera/close").body["state"] == "closed"


def test_a_misspelt_breaker_is_not_made(api: Caller) -> None:
    assert api.post("ops/breakers/camrea/open").status == 404
    assert not Breaker.objects.exists()


def test_workers_are_listed_and_told_what_to_do(api: Caller) -> None:
    job_id = api.make()
    api.post("worker/lease", {"worker_id": "w:1:a", "worker": {"slots": 3, "labels": {"gpu": 1}}})

    shown = one(api.get("ops/workers").body["items"], id="w:1:a")
    assert (shown["condition"], shown["is_external"], shown["slots"]) == ("alive", True, 3)
    assert (shown["held"], shown["running"][0]["id"]) == (1, job_id)
    assert shown["labels"] == {"gpu": 1}

    for directive in ("quiet", "terminate", "run"):
        reply = api.post(f"ops/workers/w:1:a/{directive}")
        assert reply.body == {"id": "w:1:a", "directive": directive}
        assert Worker.objects.get().directive == directive
        assert last_act() == (f"workers.{directive}", "w:1:a")
    assert api.post("ops/workers/nobody/quiet").status == 404


@pytest.mark.parametrize(
    ("permission", "path"),
    [
        ("jobs.pause_queue", "ops/queues/external/pause"),
        ("jobs.pause_queue", "ops/queues/external/resume"),
        ("jobs.operate_schedule", f"ops/schedules/{SCHEDULE}/run"),
        ("jobs.operate_schedule", f"ops/schedules/{SCHEDULE}/pause"),
        ("jobs.operate_breaker", "ops/breakers/camera/open"),
        ("jobs.direct_worker", "ops/workers/w:1:a/quiet"),
    ],
)
def test_each_act_takes_its_own_permission(
    api: Caller, caller: MakeCaller, declare: Declare, permission: str, path: str
) -> None:
    declare(breaker="camera")
    api.lease()

    refused = caller("jobs.view_jobrecord", "jobs.operate_job", name="other").post(path)

    assert refused.status == 403
    assert permission in refused.body["detail"]
    assert caller(permission, name="operator").post(path).status in {200, 201}
    assert Queue.objects.filter(name="external").exists()
