"""Rows that tell which workers live."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.models import Worker
from jobs.workers import (
    external_job_counted,
    worker_beat,
    worker_gone,
    worker_start,
    workers_forget,
)
from lib import clock

HERE: dict[str, Any] = {"host": "here", "pid": 7, "queues": ["default"], "cluster": "pod:1"}


def _row() -> Worker:
    return Worker.objects.get(pk="w1")


@pytest.fixture
def started() -> None:
    worker_start("w1", **HERE)


def test_a_start_is_registered(started: None, settings: Any) -> None:
    row = _row()
    assert (row.host, row.pid, row.queues, row.cluster, row.is_external, row.version) == (
        "here", 7, ["default"], "pod:1", False, settings.VERSION,
    )  # fmt: skip
    assert (row.stopped_at, row.directive) == (None, "run")
    assert row.started_at == row.beat_at


def test_a_second_start_of_a_name_lives_again_and_keeps_its_beginning(started: None) -> None:
    first = _row().started_at
    worker_gone("w1", "died")
    with clock.shift(timedelta(minutes=1)):
        worker_start("w1", **HERE | {"pid": 8})
    row = _row()
    assert (row.started_at, row.stopped_at, row.pid) == (first, None, 8)
    assert row.beat_at > first


def test_a_beat_tells_numbers_and_a_last_one_why(started: None) -> None:
    with clock.shift(timedelta(minutes=1)):
        assert worker_beat("w1", rss_bytes=5, started=4, completed=3, failed=1) == "run"
        row = _row()
        assert (row.rss_bytes, row.jobs_started, row.jobs_completed, row.jobs_failed) == (
            5,
            4,
            3,
            1,
        )
        assert row.beat_at > row.started_at
        assert row.stopped_at is None
        worker_beat("w1", stop_reason="stopped")
        assert (_row().stop_reason, _row().stopped_at is not None) == ("stopped", True)


def test_a_beat_of_an_unknown_worker_is_harmless() -> None:
    assert worker_beat("nobody") == "run"
    assert not Worker.objects.exists()


def test_who_is_gone_is_noted_once(started: None) -> None:
    worker_gone("w1", "died")
    before = _row()
    worker_gone("w1", "seen again")
    assert (_row().stopped_at, _row().stop_reason) == (before.stopped_at, "died")


def test_outcomes_of_outside_workers_are_added_up(started: None) -> None:
    external_job_counted("w1", completed=2)
    external_job_counted("w1", completed=1, failed=1)
    assert (_row().jobs_completed, _row().jobs_failed) == (3, 1)


def test_long_gone_workers_are_forgotten(started: None) -> None:
    assert workers_forget() == 0
    with clock.shift(timedelta(hours=25)):
        worker_start("w2", **HERE)
        assert workers_forget() == 1
    assert list(Worker.objects.values_list("pk", flat=True)) == ["w2"]
