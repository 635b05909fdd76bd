"""Telemetry of workers: counted in tables, the same whichever process is asked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from jobs import sql
from jobs.models import JobStat
from jobs.registry import kind_get
from jobs.testing import drain
from jobs.workers import worker_beat, worker_start
from lib.errors import InputInvalid
from monitoring.telemetry.counting import stages, summary
from monitoring.telemetry.exposition import exposition

SUMMARY = "/v1/admin/telemetry/summary"
PROMETHEUS = "/v1/admin/telemetry/prometheus"


def stat(
    event: str, count: int, kind: str = "tests.kind", minutes_ago: int = 0, **times: float
) -> None:
    at = sql.rows(
        "SELECT date_trunc('minute', clock_timestamp()) - %s * interval '1 minute'", [minutes_ago]
    )[0][0]
    JobStat.objects.create(at=at, kind=kind, queue="default", event=event, count=count, **times)


@pytest.fixture
def reader(account: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(account("reader", "jobs.view_worker"))
    return client


def scraped(body: bytes) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(body.decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_started_is_what_completed_and_what_failed() -> None:
    stat("completed", 8, run_ms=800.0, wait_ms=80.0)
    stat("retried", 3)
    stat("dead", 1)
    stat("crashed", 1)
    stat("snoozed", 50)
    stat("enqueued", 100)
    told = summary()
    assert (told.started, told.completed, told.failed) == (13, 8, 5)
    (stage,) = told.stages
    assert (stage.name, stage.avg_ms, stage.wait_avg_ms) == ("tests.kind", 100, 10)


def test_a_job_that_ran_is_counted_with_its_time() -> None:
    for _ in range(3):
        kind_get("jobs.noop").enqueue()
    drain()
    found = {stage.name: stage for stage in stages()}
    noop = found["jobs.noop"]
    assert (noop.started, noop.completed, noop.failed) == (3, 3, 0)
    assert noop.avg_ms is not None
    assert noop.p95_ms is not None
    assert noop.p95_ms >= 1


def test_the_95th_of_a_hundred_stands_in_its_bucket() -> None:
    hist = [90, 0, 0, 0, 10] + [0] * 12
    stat("completed", 100, run_ms=100.0)
    JobStat.objects.update(run_hist=hist)
    assert stages()[0].p95_ms == 25


def test_a_stage_that_never_ended_well_has_no_time() -> None:
    stat("dead", 2)
    (stage,) = stages()
    assert (stage.avg_ms, stage.p95_ms, stage.failed) == (None, None, 2)


def test_a_window_leaves_out_what_was_before() -> None:
    stat("completed", 5, minutes_ago=2)
    stat("completed", 7, minutes_ago=90)
    assert summary(timedelta(hours=1)).completed == 5
    assert summary().completed == 12


@pytest.mark.parametrize("window", [timedelta(0), timedelta(days=15)])
def test_a_window_that_cannot_be_is_refused(window: timedelta) -> None:
    with pytest.raises(InputInvalid):
        summary(window)


def test_the_summary_has_the_counters_of_the_contract_and_each_worker(reader: Client) -> None:
    stat("completed", 8, kind="notifications.broadcast", run_ms=800.0)
    stat("dead", 2, kind="notifications.broadcast")
    worker_start("w1", host="h", pid=1, queues=["default"])
    worker_beat("w1", rss_bytes=1000, started=10, completed=8, failed=2)
    with CaptureQueriesContext(connection) as asked:
        body = reader.get(SUMMARY).json()
    assert len(asked) <= 8  # the session, permissions, and four of ours
    assert body["workers"]["jobs"] == {"started": 10, "completed": 8, "failed": 2, "running": 0}
    (stage,) = body["workers"]["stages"]
    assert (stage["stage"], stage["avg_ms"]) == ("notifications.broadcast", 100)
    (worker,) = body["workers"]["items"]
    assert (worker["id"], worker["started"], worker["completed"], worker["failed"]) == (
        "w1", 10, 8, 2,
    )  # fmt: skip
    assert body["workers"]["alive"] == 1
    assert reader.get(f"{SUMMARY}?window=1h").json()["window_s"] == 3600


@pytest.mark.parametrize("window", ["soon", "0s", "15d"])
def test_a_window_that_cannot_be_is_422(reader: Client, window: str) -> None:
    answer = reader.get(f"{SUMMARY}?window={window}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/openmetrics-text;version=1.0.0", "application/json"]
)
def test_prometheus_reads_the_names_of_the_contract(reader: Client, accept: str) -> None:
    stat("completed", 8, kind="notifications.broadcast", run_ms=812.0)
    stat("retried", 2, kind="notifications.broadcast")
    worker_start("w1", host="h", pid=1, queues=["default"])
    worker_beat("w1", started=10, completed=8, failed=2)
    answer = reader.get(PROMETHEUS, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    numbers = scraped(answer.content)
    assert numbers["ai_worker_jobs_total", "started"] == 10
    assert numbers["ai_worker_jobs_total", "completed"] == 8
    assert numbers["ai_worker_jobs_total", "failed"] == 2
    assert numbers["ai_worker_stage_avg_ms", "notifications.broadcast"] == 101.5
    assert numbers["ai_worker_stage_jobs_total", "failed", "notifications.broadcast"] == 2
    assert numbers["ai_worker_worker_jobs_total", "completed", "w1"] == 8
    assert numbers["ai_worker_workers", "alive"] == 1


def test_before_the_first_job_the_counters_stand_at_zero() -> None:
    numbers = scraped(exposition(summary()))
    assert numbers["ai_worker_jobs_total", "completed"] == 0
    assert not [name for name, *_ in numbers if name == "ai_worker_stage_avg_ms"]


def test_the_named_worker_of_broadcasts_is_a_stage() -> None:
    kind_get("notifications.broadcast").enqueue()
    drain()
    numbers = scraped(exposition(summary()))
    assert numbers["ai_worker_stage_jobs_total", "completed", "notifications.broadcast"] == 1
    assert ("ai_worker_stage_avg_ms", "notifications.broadcast") in numbers


@pytest.mark.parametrize("path", [SUMMARY, PROMETHEUS])
def test_telemetry_is_for_those_who_may_see_workers(
    account: Callable[..., User], path: str
) -> None:
    assert Client().get(path).status_code == 401
    client = Client()
    client.force_login(account("nobody", "payments.view_payment"))
    assert client.get(path).status_code == 403
    client.force_login(account("scraper", "config.view_metrics"))
    assert client.get(path).status_code == 200
    assert client.post(path).status_code in {403, 405}
