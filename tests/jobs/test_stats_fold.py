"""Counts of earlier minutes are added up, and nothing is lost on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import sql, stats
from jobs.models import JobStat

PLACES = len(stats.BOUNDS_MS) + 1
AGES = st.one_of(
    st.integers(0, 15), st.integers(60, 300), st.integers(1000, 5000), st.integers(20_000, 50_000)
)  # minutes
ROWS = st.lists(
    st.tuples(AGES, st.sampled_from("ab"), st.integers(1, 1000), st.booleans()), max_size=30
)


def _now() -> datetime:
    found = sql.row("SELECT date_trunc('minute', clock_timestamp())")
    assert found is not None
    moment: datetime = found[0]
    return moment


def _make(age_min: int, kind: str = "a", count: int = 1, has_hist: bool = True) -> JobStat:
    hist = [count, *[0] * (PLACES - 1)] if has_hist else None
    return JobStat.objects.create(
        at=_now() - timedelta(minutes=age_min), kind=kind, queue="default", event="completed",
        count=count, wait_ms=count * 2, run_ms=count * 3, wait_hist=hist, run_hist=hist,
    )  # fmt: skip


def _totals() -> dict[str, tuple[Any, ...]]:
    found = JobStat.objects.values_list("kind").annotate(
        Sum("count"), Sum("wait_ms"), Sum("run_ms")
    )
    hists: dict[str, int] = {}
    for stat in JobStat.objects.all():
        hists[stat.kind] = hists.get(stat.kind, 0) + sum(stat.wait_hist or [])
    return {kind: (*sums, hists[kind]) for kind, *sums in found}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.integers(1, 3))
def test_totals_never_shrink(db: None, rows: list[tuple[int, str, int, bool]], times: int) -> None:
    JobStat.objects.all().delete()
    for row in rows:
        _make(*row)
    before = _totals()
    for _ in range(times):
        stats.fold()
        assert _totals() == before


def test_rows_of_one_minute_become_one() -> None:
    for _ in range(3):
        _make(3, count=2)
    _make(3, kind="b")
    _make(4)
    stats.fold()
    found = sorted((stat.kind, stat.count) for stat in JobStat.objects.all())
    assert found == [("a", 1), ("a", 6), ("b", 1)]
    stat = JobStat.objects.get(count=6)
    assert stat.run_hist == [6, *[0] * (PLACES - 1)]


def test_the_present_minute_and_the_one_before_are_left_alone() -> None:
    for age in (0, 0, 1, 1):
        _make(age)
    stats.fold()
    assert JobStat.objects.count() == 4


def test_after_two_hours_minutes_become_hours() -> None:
    hour = _now().replace(minute=0) - timedelta(hours=5)
    for minute in (1, 2, 59):
        JobStat.objects.filter(pk=_make(0).pk).update(at=hour + timedelta(minutes=minute))
    stats.fold()
    assert [(stat.at, stat.count) for stat in JobStat.objects.all()] == [(hour, 3)]


def test_after_two_weeks_all_become_one_total() -> None:
    for age_min in (30_000, 40_000, 50_000):
        _make(age_min, count=5)
    stats.fold()
    _make(30_001)
    stats.fold()
    (stat,) = JobStat.objects.all()
    assert (stat.at, stat.count) == (datetime(2000, 1, 1, tzinfo=UTC), 16)


def test_rows_without_a_histogram_are_added_too() -> None:
    _make(3, has_hist=False)
    _make(3, count=4)
    _make(3, kind="b", has_hist=False)
    stats.fold()
    found = {
        stat.kind: (stat.count, stat.wait_hist and sum(stat.wait_hist))
        for stat in JobStat.objects.all()
    }
    assert found == {"a": (5, 4), "b": (1, None)}


def test_histograms_of_different_length_are_added_place_by_place() -> None:
    found = sql.row(
        "SELECT jobs_hist_add('[1, 2, 3]', '[10]')::text, jobs_hist_add(NULL, '[1]')::text"
    )
    assert found == ("[11, 2, 3]", "[1]")
