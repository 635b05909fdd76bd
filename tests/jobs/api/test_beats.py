"""Heartbeats: of one job, and of a worker with all its jobs."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from jobs import stats
from jobs.console import worker_direct
from jobs.models import AttemptLine, Job, Worker
from jobs.remote.lines import lines_forget
from jobs.selectors.workers import workers_list
from lib import clock
from tests.jobs import play
from tests.jobs.api.caller import Caller


def left(moment: str) -> float:
    """Seconds from now."""
    return (datetime.fromisoformat(moment) - clock.now()).total_seconds()


def test_a_beat_extends_from_now_by_what_was_leased_or_asked(api: Caller) -> None:
    api.make()
    job = api.lease_one(lease_s=40)
    Job.objects.update(lease_until=clock.now() + timedelta(seconds=5))

    by_lease = api.end("heartbeat", job).body
    asked = api.end("heartbeat", job, extend_s=300).body

    assert 38 < left(by_lease["lease_expires_at"]) <= 40
    assert 298 < left(asked["lease_expires_at"]) <= 300
    assert (asked["cancel_requested"], asked["timed_out"], asked["directive"]) == (
        False, False, "run",
    )  # fmt: skip


def test_a_beat_never_shortens(api: Caller) -> None:
    api.make()
    job = api.lease_one(lease_s=500)

    assert (
        api.end("heartbeat", job, extend_s=10).body["lease_expires_at"] == (job["lease_expires_at"])
    )


def test_a_beat_does_not_pass_the_deadline(api: Caller) -> None:
    deadline = clock.now() + timedelta(seconds=50)
    api.make(deadline_at=deadline.isoformat())
    job = api.lease_one(lease_s=10)

    reply = api.end("heartbeat", job, extend_s=300)

    assert datetime.fromisoformat(reply.body["lease_expires_at"]) == deadline


def test_a_worker_that_only_beats_holds_no_job_for_ever(api: Caller) -> None:
    api.make(timeout_s=100)
    job = api.lease_one(lease_s=10)
    started = Job.objects.get().started_at
    assert started is not None

    reply = api.end("heartbeat", job, extend_s=900)
    assert datetime.fromisoformat(reply.body["lease_expires_at"]) == started + timedelta(
        seconds=100
    )
    assert not reply.body["timed_out"]

    Job.objects.update(started_at=started - timedelta(seconds=200), lease_until=clock.now())
    reply = api.end("heartbeat", job, extend_s=900)
    assert reply.body["timed_out"]
    assert left(reply.body["lease_expires_at"]) <= 0


def test_what_a_beat_tells_is_seen_at_once(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    at = (clock.now() - timedelta(seconds=3)).isoformat()

    api.end("heartbeat", job, progress={"pct": 10, "msg": "page 1"}, checkpoint=[1])
    api.end("heartbeat", job, logs=[{"level": "error", "message": "x" * 3000, "at": at}])

    seen = api.job(job_id)
    assert (seen["progress"], seen["checkpoint"]) == ({"pct": 10, "msg": "page 1"}, [1])
    (line,) = seen["logs"]
    assert (line["level"], len(line["message"]), line["attempt"]) == ("ERROR", 1000, 1)
    assert datetime.fromisoformat(line["at"]) == datetime.fromisoformat(at)


def test_of_many_lines_the_latest_200_are_kept(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    for part in range(3):
        api.end("heartbeat", job, logs=[f"{part}-{n}" for n in range(150)])

    lines = api.get(f"worker/jobs/{job_id}/logs").body["items"]

    assert len(lines) == AttemptLine.objects.count() == 200
    assert (lines[0]["message"], lines[-1]["message"]) == ("1-100", "2-149")


def test_lines_of_a_worker_that_never_came_back_are_kept_a_day(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    api.end("heartbeat", job, logs=["last words"])
    Job.objects.update(lease_until=clock.now() + play.PAST)
    api.lease_one("w:2:b")

    lines = api.get(f"jobs/{job_id}/logs").body["items"]
    assert [(line["fence"], line["message"]) for line in lines] == [(1, "last words")]
    with clock.shift(timedelta(hours=25)):
        assert lines_forget() == 1


def test_a_wished_cancel_comes_with_the_beat(api: Caller) -> None:
    job_id = api.make()
    job = api.lease_one()
    api.post(f"ops/jobs/{job_id}/cancel")

    assert api.end("heartbeat", job).body["cancel_requested"] is True
    body = {
        "worker_id": "w:1:a",
        "jobs": [{"id": job_id, "lease_token": job["lease_token"]}],
    }
    assert api.post("worker/heartbeat", body).body["cancel"] == [job_id]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"extend_s": 9}, 422),
        ({"extend_s": 901}, 422),
        ({"progress": 5}, 422),
        ({"logs": "x"}, 422),
        ({"logs": [{"level": "INFO"}]}, 422),
        ({"progress": {"x": "y" * 20_000}}, 413),
        ({"checkpoint": "y" * 300_000}, 413),
    ],
)
def test_a_beat_that_makes_no_sense_changes_nothing(
    api: Caller, body: dict[str, Any], status: int
) -> None:
    api.make()
    job = api.lease_one()
    before = Job.objects.values().get()

    assert api.end("heartbeat", job, **body).status == status
    assert Job.objects.values().get() == before


def test_one_beat_keeps_all_jobs_of_a_worker(api: Caller) -> None:
    ids = [api.make(payload={"message": n}) for n in range(5)]
    first, second, passed_on, ended, forged = api.lease(max_jobs=5, lease_s=60)
    api.end("complete", ended)
    Job.objects.filter(pk=passed_on["id"]).update(lease_until=clock.now() + play.PAST)
    api.lease_one("w:2:b")
    Job.objects.update(lease_until=clock.now() + timedelta(seconds=1))

    reply = api.post(
        "worker/heartbeat",
        {
            "worker_id": "w:1:a",
            "worker": {"rss_mb": 80},
            "state": "running",
            "jobs": [
                {"id": first["id"], "lease_token": first["lease_token"], "progress": {"pct": 50}},
                {"id": second["id"], "lease_token": second["lease_token"]},
                {"id": passed_on["id"], "lease_token": passed_on["lease_token"]},
                {"id": ended["id"], "lease_token": ended["lease_token"]},
                {"id": forged["id"], "lease_token": first["lease_token"]},
            ],
        },
    )

    assert reply.status == 200
    assert reply.body["directive"] == "run"
    assert {each["id"] for each in reply.body["renewed"]} == {first["id"], second["id"]}
    assert {each["id"]: each["code"] for each in reply.body["lost"]} == {
        passed_on["id"]: "fenced",
        ended["id"]: "gone",
        forged["id"]: "fenced",
    }
    assert all(left(each["lease_expires_at"]) > 58 for each in reply.body["renewed"])
    assert Job.objects.get(pk=first["id"]).progress == {"pct": 50}
    assert Worker.objects.get(pk="w:1:a").rss_bytes == 80 * 1024 * 1024
    assert len(ids) == 5


def test_a_worker_hears_what_it_shall_do(api: Caller) -> None:
    assert api.post("worker/heartbeat", {"worker_id": "w:1:a"}).body["directive"] == "run"
    worker_direct(worker_id="w:1:a", directive="quiet", by=None)

    assert api.post("worker/heartbeat", {"worker_id": "w:1:a"}).body["directive"] == "quiet"


def test_the_last_beat_says_that_the_worker_stops(api: Caller) -> None:
    api.lease()
    worker_direct(worker_id="w:1:a", directive="terminate", by=None)

    api.post("worker/heartbeat", {"worker_id": "w:1:a", "state": "stopped"})
    assert [view.condition for view in workers_list()] == ["stopped"]

    # Under the same name again it starts anew.
    assert api.post("worker/heartbeat", {"worker_id": "w:1:a"}).body["directive"] == "run"
    assert [view.condition for view in workers_list()] == ["alive"]


def test_after_three_missed_beats_a_worker_is_silent_and_keeps_its_leases(api: Caller) -> None:
    api.make()
    job = api.lease_one(lease_s=300)

    with clock.shift(timedelta(seconds=46)):
        assert [view.condition for view in workers_list()] == ["silent"]
    assert api.lease("w:2:b") == []
    assert api.end("complete", job).status == 200


def fenced() -> Counter[tuple[str, str, str]]:
    """What is counted and not written yet."""
    return stats._pending & Counter({key: 99 for key in stats._pending if key[2] == "fenced"})


def test_beats_of_a_lease_that_has_passed_on_are_counted(api: Caller) -> None:
    for _ in range(2):
        api.make()
    first, second = api.lease(max_jobs=2)
    Job.objects.update(lease_until=clock.now() + play.PAST)
    api.lease("w:2:b", max_jobs=2)
    key = ("external.echo", "external", "fenced")

    assert api.end("heartbeat", first).body["code"] == "fenced"
    assert fenced() == {key: 1}

    jobs = [{"id": job["id"], "lease_token": job["lease_token"]} for job in (first, second)]
    reply = api.post("worker/heartbeat", {"worker_id": "w:1:a", "jobs": jobs})
    assert [each["code"] for each in reply.body["lost"]] == ["fenced", "fenced"]
    assert fenced() == {key: 3}


def test_beats_of_what_has_ended_are_not_counted_as_fenced(api: Caller) -> None:
    api.make()
    job = api.lease_one()
    api.end("complete", job)

    assert api.end("heartbeat", job).status == 410
    reply = api.post(
        "worker/heartbeat",
        {"worker_id": "w:1:a", "jobs": [{"id": job["id"], "lease_token": job["lease_token"]}]},
    )
    assert [each["code"] for each in reply.body["lost"]] == ["gone"]
    assert fenced() == {}
