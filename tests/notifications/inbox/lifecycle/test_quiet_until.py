"""When quiet hours end: on the wall clock of the person, on the days on which clocks change, too."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import sql

BERLIN = "Europe/Berlin"  # clocks went forward on 2026-03-29 at 01:00 UTC, back on 2026-10-25
NIGHT = (time(22), time(7))


def until(at: str | datetime, window: tuple[time, time], zone: str = BERLIN) -> datetime | None:
    """at: a moment, or wall time in the zone."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    found = sql.row("SELECT inbox_quiet_until(%s, %s, %s, %s)", [moment, *window, zone])
    assert found is not None
    return None if found[0] is None else found[0].astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-07-01T21:59:59", None),
        ("2026-07-01T22:00:00", "2026-07-02T05:00"),
        ("2026-07-01T23:30:00", "2026-07-02T05:00"),
        ("2026-07-02T00:00:00", "2026-07-02T05:00"),
        ("2026-07-02T06:59:59", "2026-07-02T05:00"),
        ("2026-07-02T07:00:00", None),
        ("2026-01-01T23:00:00", "2026-01-02T06:00"),  # an hour from UTC in winter, two in summer
    ],
)
def test_a_night(at: str, end: str | None) -> None:
    assert until(at, NIGHT) == (end and utc(end))


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-07-01T12:59:59", None),
        ("2026-07-01T13:00:00", "2026-07-01T13:00"),
        ("2026-07-01T14:59:00", "2026-07-01T13:00"),
        ("2026-07-01T15:00:00", None),
    ],
)
def test_an_afternoon(at: str, end: str | None) -> None:
    assert until(at, (time(13), time(15))) == (end and utc(end))


def test_no_window() -> None:
    found = sql.row("SELECT inbox_quiet_until(now(), NULL, NULL, 'UTC')")
    assert found == (None,)


def test_the_zone_decides() -> None:
    at = utc("2026-07-01T21:00")
    assert until(at, NIGHT, "UTC") is None
    assert until(at, NIGHT, "Asia/Tokyo") == utc("2026-07-01T22:00")
    assert until(at, NIGHT, "America/New_York") is None


def test_the_night_in_which_clocks_go_forward_is_shorter() -> None:
    assert until("2026-03-28T23:00:00", NIGHT) == utc("2026-03-29T05:00")


def test_the_night_in_which_clocks_go_back_is_longer() -> None:
    assert until("2026-10-24T23:00:00", NIGHT) == utc("2026-10-25T06:00")


@pytest.mark.parametrize("at", ["2026-03-29T01:30:00", "2026-03-28T23:00:00"])
def test_an_end_that_no_clock_shows_is_the_moment_they_go_forward(at: str) -> None:
    assert until(at, (time(22), time(2, 30))) == utc("2026-03-29T01:00")


def test_after_the_leap_it_is_no_longer_quiet() -> None:
    assert until(utc("2026-03-29T01:00"), (time(22), time(2, 30))) is None


def test_an_end_that_comes_twice_is_the_second() -> None:
    window = (time(22), time(2, 30))
    second = utc("2026-10-25T01:30")
    assert until(utc("2026-10-24T23:00"), window) == second
    assert until(utc("2026-10-25T00:15"), window) == second  # 02:15 for the first time
    assert until(utc("2026-10-25T01:15"), window) == second  # and for the second
    assert until(second, window) is None


START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 366 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
ZONES = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
CLOCK = st.times().map(lambda t: t.replace(second=0, microsecond=0))


def is_quiet(wall: time, begin: time, end: time) -> bool:
    return begin <= wall < end if begin < end else wall >= begin or wall < end


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOMENTS, CLOCK, CLOCK, ZONES)
def test_it_is_quiet_until_the_end_and_not_at_the_end(
    db: None, at: datetime, begin: time, end: time, zone: str
) -> None:
    if begin == end:
        return
    wall = at.astimezone(ZoneInfo(zone))
    found = until(at, (begin, end), zone)
    assert (found is not None) == is_quiet(wall.time(), begin, end)
    if found is not None:
        assert at < found <= at + timedelta(hours=26)
        shown = found.astimezone(ZoneInfo(zone))
        assert shown.time() >= end or shown.date() > _end_day(wall, begin)


def _end_day(wall: datetime, begin: time) -> date:
    return wall.date() + timedelta(days=wall.time() >= begin)
