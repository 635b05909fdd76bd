"""Counts of the inbox are folded, and none is lost on the way."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import folding
from lib import clock
from notifications.inbox.models import Stat
from notifications.inbox.stats import EVENTS, count, fold, totals

AGES = st.one_of(
    st.integers(0, 15), st.integers(60, 300), st.integers(1000, 5000), st.integers(20_000, 50_000)
)  # minutes
ROWS = st.lists(st.tuples(AGES, st.sampled_from(EVENTS), st.integers(1, 1000)), max_size=30)


def minute(age_min: int = 0) -> datetime:
    return clock.now().replace(second=0, microsecond=0) - timedelta(minutes=age_min)


def make(age_min: int, event: str = "sent", times: int = 1) -> Stat:
    return Stat.objects.create(at=minute(age_min), event=event, count=times)


def rows() -> list[tuple[str, int]]:
    return sorted(Stat.objects.values_list("event", "count"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(1, 3))
def test_totals_never_shrink(db: None, made: list[tuple[int, str, int]], times: int) -> None:
    Stat.objects.all().delete()
    for row in made:
        make(*row)
    before = totals()
    for _ in range(times):
        fold()
        assert totals() == before


def test_what_never_happened_is_counted_as_zero() -> None:
    assert totals() == dict.fromkeys(EVENTS, 0)
    count("fallback", 2)
    assert totals()["fallback"] == 2


def test_rows_of_a_minute_that_is_over_become_one() -> None:
    for _ in range(3):
        make(3, times=2)
    make(3, "acked")
    make(4)
    assert fold() == 3
    assert rows() == [("acked", 1), ("sent", 1), ("sent", 6)]


def test_the_present_minute_is_left_alone() -> None:
    for _ in range(2):
        make(0)
    fold()
    assert rows() == [("sent", 1), ("sent", 1)]


def test_after_two_hours_minutes_become_hours() -> None:
    hour = minute().replace(minute=0) - timedelta(hours=5)
    for each in (1, 2, 59):
        Stat.objects.create(at=hour + timedelta(minutes=each), event="sent", count=1)
    fold()
    (row,) = Stat.objects.all()
    assert (row.at, row.count) == (hour, 3)


def test_after_two_weeks_all_become_one_total() -> None:
    for age_min in (30_000, 40_000, 50_000):
        make(age_min, times=5)
    fold()
    make(30_001)
    fold()
    (row,) = Stat.objects.all()
    assert (row.at, row.count) == (datetime(2000, 1, 1, tzinfo=UTC), 16)


def test_more_rows_than_one_transaction_takes_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST", 3)
    for _ in range(7):
        make(3)
    fold()
    assert rows() == [("sent", 7)]
