"""The autoscale hint: the formula, its bounds, and its calm."""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django.fixtures import Settings

from jobs import sql, stats
from jobs.models import JobStat
from jobs.scale import scale_hints
from lib import clock
from tests.jobs.api.caller import Caller
from tests.jobs.api.conftest import MakeCaller


@pytest.fixture(autouse=True)
def no_memory(clean_redis: None) -> Iterator[None]:
    """No hint of another test."""
    yield
    cache.clear()


def ran(count: int, *, each_s: float, arrived: int = 0, minutes_ago: int = 0) -> None:
    """Jobs of the queue `external` that came in and that were run."""
    at = "date_trunc('minute', clock_timestamp()) - make_interval(mins => %s)"
    for event, number, run_ms in (
        ("enqueued", arrived, 0.0),
        ("completed", count, count * each_s * 1000),
    ):
        sql.run(
            f"""INSERT INTO jobs_jobstat (at, kind, queue, event, count, wait_ms, run_ms)
            VALUES ({at}, 'external.echo', 'external', %s, %s, 0, %s)""",
            [minutes_ago, event, number, run_ms],
        )


def hint(api: Caller) -> Any:
    return api.get("scale", queue="external").body


def test_a_quiet_queue_wants_nobody(api: Caller) -> None:
    found = hint(api)

    assert (found["backlog"], found["busy"], found["desired"]) == (0, 0, 0)
    assert (found["oldest_age_s"], found["arrival_per_s"], found["open_keys"]) == (0, 0, None)


def test_a_backlog_wants_enough_to_clear_it_in_time(api: Caller, settings: Settings) -> None:
    api.post("worker/jobs:batch", [{"kind": "external.echo"}] * 60)
    api.make(delay_s=600)
    stats.flush()
    JobStat.objects.all().delete()
    ran(10, each_s=4.0)

    found = hint(api)

    assert (found["backlog"], found["service_s"], found["target_s"]) == (60, 4.0, 30.0)
    assert found["desired"] == math.ceil(60 * 4 / 30 / 0.8) == 10


def test_what_comes_in_wants_workers_even_without_a_backlog(api: Caller) -> None:
    ran(100, each_s=3.0, arrived=600, minutes_ago=2)
    ran(5000, each_s=99.0, arrived=5000, minutes_ago=9)  # too long ago

    found = hint(api)

    assert 600 / 360 <= found["arrival_per_s"] <= 600 / 300
    assert found["service_s"] == 3.0
    expected = found["arrival_per_s"] * 3 / 0.8
    assert abs(found["desired"] - expected) <= 1


def test_of_a_keyed_queue_no_more_than_its_open_keys(api: Caller) -> None:
    ran(10, each_s=60.0)
    api.post(
        "worker/jobs:batch",
        [{"kind": "external.echo", "part_key": f"chat:{n % 3}"} for n in range(90)],
    )

    found = hint(api)
    assert (found["backlog"], found["open_keys"], found["desired"]) == (90, 3, 3)

    api.make()
    assert hint(api)["open_keys"] is None
    assert hint(api)["desired"] > 100


def test_the_bounds_of_the_settings_hold(api: Caller, settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "scale_min": 2, "scale_max": 5}
    assert hint(api)["desired"] == 2

    ran(10, each_s=60.0)
    api.post("worker/jobs:batch", [{"kind": "external.echo"}] * 90)
    assert hint(api)["desired"] == 5


def test_the_hint_rises_at_once_and_falls_after_two_minutes(api: Caller) -> None:
    ran(10, each_s=4.0)
    api.post("worker/jobs:batch", [{"kind": "external.echo"}] * 60)
    high = hint(api)["desired"]
    for job in api.lease(max_jobs=100):
        api.end("complete", job)
    JobStat.objects.all().delete()

    with clock.shift(timedelta(seconds=110)):
        assert hint(api)["desired"] == high
    with clock.shift(timedelta(seconds=125)):
        assert hint(api)["desired"] < high


def test_without_redis_the_hint_is_what_is_wanted_now(api: Caller, redis_away: None) -> None:
    ran(10, each_s=4.0)
    api.post("worker/jobs:batch", [{"kind": "external.echo"}] * 60)

    assert hint(api)["desired"] >= 10


def test_it_says_who_serves_the_queue(api: Caller) -> None:
    api.make()
    api.make(part_key="k")
    for name, slots in (("w:1:a", 4), ("w:2:b", 2)):
        body = {"worker_id": name, "worker": {"slots": slots}, "queues": ["external"]}
        assert api.post("worker/lease", body).status == 200

    found = hint(api)

    assert (found["workers"], found["slots"], found["busy"], found["backlog"]) == (2, 6, 2, 0)
    with clock.shift(timedelta(seconds=46)):
        assert (hint(api)["workers"], hint(api)["slots"]) == (0, 0)


def test_all_queues_or_one_for_who_may(api: Caller, caller: MakeCaller) -> None:
    names = {each["queue"] for each in api.get("scale").body["items"]}

    assert {"default", "external", "maintenance", "notifications"} <= names
    assert api.get("scale", queue="nowhere").body["code"] == "unknown_queue"
    assert caller("config.view_metrics", name="keda").get("scale", queue="external").status == 200
    assert caller(name="nobody").get("scale").status == 403
    assert connection.in_atomic_block
    assert [each.queue for each in scale_hints("default")] == ["default"]
