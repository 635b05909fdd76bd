"""Rates: how much may go in any window, over all workers."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import rates, sql
from jobs.models import RateBucket
from jobs.registry import Rate

NAME = "kind:tests.kind"
SPANS = st.sampled_from([timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1)])


def _pass(span: timedelta) -> None:
    """Let time pass for the bucket: it follows the clock of the database, so its marks move back."""
    RateBucket.objects.update(tat=_tat() - span)


def _tat() -> datetime:
    return RateBucket.objects.get(pk=NAME).tat


def _moment() -> datetime:
    found = sql.row("SELECT clock_timestamp()")
    assert found is not None
    moment: datetime = found[0]
    return moment


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.integers(1, 20),
    SPANS,
    st.data(),
    st.lists(st.tuples(st.floats(0, 1.5), st.integers(1, 6)), min_size=1, max_size=12),
)
def test_no_window_ever_lets_more_through_than_the_burst_and_the_rate(
    db: None, count: int, per: timedelta, data: st.DataObject, steps: list[tuple[float, int]]
) -> None:
    """steps: (how much time passes, in spans of the rate; how many ask then)."""
    RateBucket.objects.all().delete()
    burst = data.draw(st.integers(1, count))
    rate, passed = Rate(count, per, burst), timedelta(0)
    taken: list[tuple[datetime, datetime]] = []
    for share, askers in steps:
        if taken:
            _pass(per * share)
            passed += per * share
        for _ in range(askers * max(1, burst // 3)):
            before = _moment()
            if rates.take(NAME, rate) is None:
                taken.append((before + passed, _moment() + passed))
    for first, (_, begin) in enumerate(taken):
        for last in range(first + 1, len(taken)):
            window = taken[last][1] - begin + (begin - taken[first][0])
            assert last - first + 1 <= burst + window / per * count + 1e-6


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.integers(1, 12), SPANS)
def test_who_waits_as_long_as_told_is_served(db: None, count: int, per: timedelta) -> None:
    RateBucket.objects.all().delete()
    rate = Rate(count, per)
    for _ in range(count):
        assert rates.take(NAME, rate) is None
    for _ in range(5):
        wait = rates.take(NAME, rate)
        assert wait is not None
        assert timedelta(0) < wait <= per
        _pass(wait)
        assert rates.take(NAME, rate) is None


def test_a_burst_may_go_at_once_and_then_one_by_one() -> None:
    rate = Rate(60, "1m", burst=3)
    assert [rates.take(NAME, rate) is None for _ in range(5)] == [True] * 3 + [False] * 2
    _pass(timedelta(seconds=1))
    assert [rates.take(NAME, rate) is None for _ in range(2)] == [True, False]


def test_a_full_bucket_holds_no_more_than_its_burst() -> None:
    rate = Rate(5, "1s")
    rates.take(NAME, rate)
    _pass(timedelta(days=1))
    assert [rates.take(NAME, rate) is None for _ in range(7)].count(True) == 5


def test_a_call_may_cost_several() -> None:
    rate = Rate(10, "1m")
    assert rates.take(NAME, rate, cost=8) is None
    wait = rates.take(NAME, rate, cost=4)
    assert wait is not None
    assert timedelta(seconds=11) < wait <= timedelta(seconds=12)
    assert rates.take(NAME, rate, cost=2) is None


def test_a_call_that_costs_more_than_the_burst_goes_when_the_bucket_is_full() -> None:
    rate = Rate(10, "1m")
    assert rates.take(NAME, rate, cost=25) is None
    assert rates.take(NAME, rate) is not None


def test_a_refused_call_takes_nothing() -> None:
    rate = Rate(1, "1h")
    rates.take(NAME, rate)
    before = _tat()
    for _ in range(10):
        rates.take(NAME, rate)
    assert _tat() == before


def test_buckets_are_independent() -> None:
    rate = Rate(1, "1h")
    assert rates.take(NAME, rate) is None
    assert rates.take("another", rate) is None


def test_a_pause_holds_everybody_and_ends() -> None:
    rate = Rate(100)
    rates.pause(NAME, timedelta(seconds=30))
    wait = rates.take(NAME, rate)
    assert wait is not None
    assert timedelta(seconds=29) < wait <= timedelta(seconds=30)
    until = rates.paused_until(NAME)
    assert until is not None
    RateBucket.objects.update(paused_until=_moment())
    assert rates.paused_until(NAME) is None
    assert rates.take(NAME, rate) is None


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    rates.pause(NAME, timedelta(minutes=10))
    long = rates.paused_until(NAME)
    rates.pause(NAME, timedelta(seconds=1))
    assert rates.paused_until(NAME) == long


@pytest.mark.parametrize(("given_burst", "burst"), [(None, 30), (5, 5)])
def test_the_burst_is_the_count_unless_it_is_said(given_burst: int | None, burst: int) -> None:
    assert Rate(30, "1s", given_burst).burst == burst
