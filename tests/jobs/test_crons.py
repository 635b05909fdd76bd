"""When a schedule runs next."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import crons
from jobs.crons import CronInvalid, next_by_cron, next_by_interval

pytestmark = pytest.mark.unit

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _runs(expression: str, after: str, count: int, timezone: str = "UTC") -> list[str]:
    found, moment = [], _at(after)
    for _ in range(count):
        moment = next_by_cron(expression, moment, timezone)
        found.append(moment.astimezone(UTC).strftime("%m-%d %H:%M:%S"))
    return found


@pytest.mark.parametrize(
    ("expression", "runs"),
    [
        ("5 0 * * *", ["11-23 00:05:00", "11-24 00:05:00"]),
        ("*/20 * * * *", ["11-22 10:40:00", "11-22 11:00:00"]),
        ("0 9 * * 1", ["11-23 09:00:00", "11-30 09:00:00"]),
        ("0 0 1 * *", ["12-01 00:00:00", "01-01 00:00:00"]),
        ("0 0 29 2 *", ["02-29 00:00:00", "02-29 00:00:00"]),
        ("0 0 * * sun", ["11-29 00:00:00", "12-06 00:00:00"]),
        ("0 0 * * 7", ["11-29 00:00:00", "12-06 00:00:00"]),
        ("30 */10 * * * *", ["11-22 10:30:30", "11-22 10:40:30"]),
        ("*/15 * * * * *", ["11-22 10:30:15", "11-22 10:30:30"]),
        ("0 5 0 * * *", ["11-23 00:05:00", "11-24 00:05:00"]),
    ],
)
def test_five_fields_or_six_with_seconds_first(expression: str, runs: list[str]) -> None:
    assert _runs(expression, "2026-11-22 10:30:00", 2) == runs


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "0 fields"), ("* * * *", "4 fields"), ("* * * * * * *", "7 fields"), ("@daily", "1 fields"),
        ("soon and * * *", "soon and"), ("60 * * * *", "60"), ("* 24 * * *", "24"), ("* * 0 * *", "0 "),
        ("* * * 13 *", "13"), ("* * * * 8", "8"), ("*/0 * * * *", "0"), ("5-1-2 * * * *", "5-1-2"),
        ("0 0 30 2 *", "30 2"), ("* * * * * 99", "99"),
    ],
)  # fmt: skip
def test_a_bad_expression_is_refused_with_a_sentence(expression: str, says: str) -> None:
    with pytest.raises(CronInvalid, match=r"fields|:") as refused:
        crons.check(expression)
    assert says in str(refused.value)
    with pytest.raises(CronInvalid):
        next_by_cron(expression, _at("2026-01-01"))


@pytest.mark.parametrize("expression", ["R R * * *", "H H * * *", "* * * * * R"])
def test_an_expression_that_means_something_else_each_time_is_refused(expression: str) -> None:
    with pytest.raises(CronInvalid):
        crons.check(expression)


def test_an_unknown_time_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(CronInvalid, match="is no time zone"):
            next_by_cron("5 0 * * *", _at("2026-01-01"), name)


def test_a_zone_of_its_own_is_followed() -> None:
    assert _runs("0 9 * * *", "2026-11-22 00:00", 1, "Asia/Tokyo") == ["11-23 00:00:00"]
    assert _runs("0 9 * * *", "2026-07-01 00:00", 1, "Europe/Berlin") == ["07-01 07:00:00"]
    assert _runs("0 9 * * *", "2026-12-01 00:00", 1, "Europe/Berlin") == ["12-01 08:00:00"]


def test_when_clocks_go_forward_the_missing_hour_is_made_up_for_once() -> None:
    """2026-03-29 in Berlin: 02:00 becomes 03:00, which is 01:00 UTC."""
    runs = _runs("30 2 * * *", "2026-03-28 00:00", 3, "Europe/Berlin")
    assert (runs[0], runs[2]) == ("03-28 01:30:00", "03-30 00:30:00")
    assert "03-29 00:30:00" <= runs[1] <= "03-29 01:30:00"


def test_when_clocks_go_back_a_daily_job_runs_once() -> None:
    """2026-10-25 in Berlin: 03:00 becomes 02:00, so 02:30 is there twice, at 00:30 and 01:30 UTC."""
    runs = _runs("30 2 * * *", "2026-10-24 12:00", 2, "Europe/Berlin")
    assert runs[0] in {"10-25 00:30:00", "10-25 01:30:00"}
    assert runs[1] == "10-26 01:30:00"


@pytest.mark.parametrize("after", ["2026-03-28 22:10", "2026-10-24 22:10"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
def test_an_hourly_job_runs_each_real_hour_over_a_change_of_clocks(after: str, zone: str) -> None:
    moments = [_at(after)]
    for _ in range(8):
        moments.append(next_by_cron("0 * * * *", moments[-1], zone).astimezone(UTC))
    assert {later - earlier for earlier, later in pairwise(moments[1:])} == {timedelta(hours=1)}


@given(
    st.sampled_from(
        ["*/7 * * * *", "30 2 * * *", "0 0 1 * *", "15 10 3 * * 1", "59 59 23 31 12 *"]
    ),
    MOMENTS,
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
    ),
)
def test_the_next_run_always_lies_ahead(expression: str, after: datetime, zone: str) -> None:
    found = next_by_cron(expression, after, zone)
    assert found.tzinfo is not None
    assert found > after


@given(MOMENTS, st.integers(1, 10**6), st.integers(-(10**7), 10**7))
def test_an_interval_keeps_its_grid_and_folds_what_was_missed(
    slot: datetime, every_s: int, late_s: int
) -> None:
    every, now = timedelta(seconds=every_s), slot + timedelta(seconds=late_s)
    found = next_by_interval(slot, every, now)
    assert found > now
    assert found > slot
    assert (found - slot) % every == timedelta(0)
    assert found - every <= max(slot, now)


@pytest.mark.parametrize(
    ("every", "cron", "said"),
    [
        (timedelta(seconds=30), "", "every 30 seconds"), (timedelta(seconds=1), "", "every second"),
        (timedelta(minutes=2), "", "every 2 minutes"), (timedelta(hours=1), "", "every hour"),
        (timedelta(days=7), "", "every 7 days"), (timedelta(seconds=90), "", "every 90 seconds"),
        (timedelta(seconds=1.5), "", "every 1.5 seconds"),
        (None, "5 0 * * *", "every day at 00:05 UTC"), (None, "0 5 0 * * *", "every day at 00:05 UTC"),
        (None, "0 9 * * 1", "every Monday at 09:00 UTC"), (None, "0 9 * * 7", "every Sunday at 09:00 UTC"),
        (None, "0 9 1 * *", "on day 1 of each month at 09:00 UTC"), (None, "20 * * * *", "every hour at :20"),
        (None, "*/5 * * * *", "every 5 minutes"), (None, "15 */6 * * *", "every 6 hours at :15"),
        (None, "30 5 0 * * *", "cron 30 5 0 * * * (UTC)"), (None, "0 9 * 12 *", "cron 0 9 * 12 * (UTC)"),
    ],
)  # fmt: skip
def test_a_schedule_is_said_in_plain_words(every: timedelta | None, cron: str, said: str) -> None:
    assert crons.words(every, cron) == said


def test_the_words_name_the_zone() -> None:
    assert crons.words(None, "5 0 * * *", "Asia/Tokyo") == "every day at 00:05 Asia/Tokyo"
