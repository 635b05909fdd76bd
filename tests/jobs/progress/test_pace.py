"""Rates and times to go."""

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.progress.pace import Pace
from jobs.progress.snapshot import Progress, Stage, snapshot_body, whole_rate
from lib import clock
from lib.ids import uuid7

pytestmark = pytest.mark.unit

RUNNING = Progress(
    id=uuid7(), kind="digging", title="", state="digging", stage=Stage.RUNNING, total=100
)


def test_the_rate_is_that_of_the_last_seconds() -> None:
    pace = Pace(span_s=10)
    pace.rate(RUNNING, 0.0)
    assert pace.rate(replace(RUNNING, done=10), 10.0) == (1.0, 90.0)
    # Ten seconds later the slow beginning is forgotten.
    assert pace.rate(replace(RUNNING, done=60), 20.0) == (5.0, 8.0)


def test_failures_count_as_work_done() -> None:
    pace = Pace()
    pace.rate(RUNNING, 0.0)
    assert pace.rate(replace(RUNNING, done=2, failed=1, skipped=1, unknown=1), 1.0) == (5.0, 19.0)


def test_a_pause_begins_anew() -> None:
    pace = Pace()
    pace.rate(RUNNING, 0.0)
    pace.rate(replace(RUNNING, done=50), 1.0)
    assert pace.rate(replace(RUNNING, done=50, stage=Stage.PAUSED), 2.0) == (None, None)
    assert pace.rate(replace(RUNNING, done=50), 3.0) == (None, None)
    assert pace.rate(replace(RUNNING, done=51), 4.0) == (1.0, 49.0)


def test_a_count_that_goes_back_begins_anew() -> None:
    pace = Pace()
    pace.rate(replace(RUNNING, done=50), 0.0)
    assert pace.rate(replace(RUNNING, done=10), 1.0) == (None, None)


def test_nothing_done_is_a_rate_of_nothing_and_no_time_to_go() -> None:
    pace = Pace()
    pace.rate(RUNNING, 0.0)
    assert pace.rate(RUNNING, 5.0) == (0.0, None)


def test_what_the_kind_says_itself_counts() -> None:
    told = replace(RUNNING, rate_per_s=30.0, eta_s=3.0)
    assert Pace().rate(told, 0.0) == (30.0, 3.0)


def test_one_look_alone_tells_the_average() -> None:
    now = clock.now()
    over = replace(
        RUNNING, done=100, stage=Stage.OVER, started_at=now - timedelta(seconds=50), finished_at=now
    )
    assert whole_rate(over) == (2.0, None)
    assert whole_rate(RUNNING) == (None, None)


@pytest.mark.parametrize(
    ("total", "done", "stage", "percent"),
    [
        (None, 0, Stage.WAITING, None),
        (0, 0, Stage.RUNNING, 0.0),
        (0, 0, Stage.OVER, 100.0),
        (10_000, 9_999, Stage.RUNNING, 99.9),  # never 100 before all are through
        (3, 1, Stage.RUNNING, 33.3),
        (3, 3, Stage.RUNNING, 100.0),
        (2, 3, Stage.RUNNING, 100.0),  # more than there are, while the total is still growing
    ],
)
def test_the_percentage(total: int | None, done: int, stage: Stage, percent: float | None) -> None:
    assert replace(RUNNING, total=total, done=done, stage=stage).percent == percent


def test_the_body_of_a_snapshot_is_rounded() -> None:
    body = snapshot_body(RUNNING, rate_per_s=29.416, eta_s=215.6)
    assert (body["rate_per_s"], body["eta_s"], body["stage"]) == (29.42, 216, "running")
