"""Ladders: delays as data."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import ladders
from jobs.ladders import Delays, jittered
from lib.durations import DurationInvalid

pytestmark = pytest.mark.unit


def test_a_ladder_is_a_text_or_a_list() -> None:
    steps = (timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=5))
    assert Delays("30s 1m 5m").steps == steps
    assert Delays(["30s", 60, timedelta(minutes=5)]).steps == steps
    assert Delays(()).steps == Delays("").steps == ()


def test_n_delays_mean_one_attempt_more() -> None:
    assert (Delays("30s 1m 5m").attempts, ladders.NEVER.attempts) == (4, 1)


@pytest.mark.parametrize("steps", ["30s soon", [-1], ["1 y"], [None]])
def test_a_step_that_is_no_span_is_refused(steps: str) -> None:
    with pytest.raises(DurationInvalid):
        Delays(steps)


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=6), st.data())
def test_each_failure_has_its_delay_within_ten_percent(
    steps: list[int], data: st.DataObject
) -> None:
    failures = data.draw(st.integers(1, len(steps)))
    delay = Delays(list(steps)).after(failures)
    assert delay is not None
    expected = timedelta(seconds=steps[failures - 1])
    assert abs(delay - expected) <= expected * ladders.JITTER + timedelta(microseconds=1)


def test_a_ladder_is_used_up_after_its_last_delay() -> None:
    assert Delays("1s 2s").after(3) is None
    assert ladders.NEVER.after(1) is None


def test_jitter_goes_both_ways() -> None:
    delays = {jittered(timedelta(seconds=100)) > timedelta(seconds=100) for _ in range(200)}
    assert delays == {True, False}


@pytest.mark.parametrize(
    ("ladder", "seconds"),
    [
        (ladders.PROCESS_QUEUE, [30, 60, 300, 900, 3600]),
        (ladders.SEND_NOW, [10, 30, 90]),
        (ladders.SUBSCRIPTIONS, [60, 60, 60]),
        (ladders.HEALTH, [15, 15]),
        (ladders.PAYMENTS, [30, 120, 600]),
        (ladders.ANALYTICS, []),
        (ladders.CLEANUP, [300, 300]),
        (ladders.SYNC, [120, 120, 120]),
        (ladders.REPORTS, [600, 600]),
        (ladders.QUEUE, [1, 2, 4, 8, 16]),
    ],
)
def test_the_ladders_are_those_of_the_requirements(ladder: Delays, seconds: list[int]) -> None:
    """Requirement J4."""
    assert [step.total_seconds() for step in ladder.steps] == seconds
