"""Users by status at the end of a day that is past, who came, and who left."""

from datetime import timedelta

import pytest

from reports.statistics.days.people import moment_of, people_of
from reports.statistics.days.spans import span_of
from reports.statistics.models import UsersSource
from tests.reports.statistics.rows import (
    DAY,
    HOUR,
    at,
    counted,
    day_back,
    happened,
    person,
    watched,
)

DAY_ = day_back(5)
SPAN = span_of(DAY_)
LONG_AGO, LATER = SPAN.begin - 40 * DAY, SPAN.end + 300 * DAY
AFTER = SPAN.end + 6 * HOUR
FIGURES = ("active", "disabled", "expired", "limited")


def by_status() -> tuple[int | None, ...]:
    found = people_of(SPAN)
    assert found.source == UsersSource.STORY
    return tuple(getattr(found, name) for name in FIGURES)


@pytest.fixture
def story(db: None) -> None:
    watched(LONG_AGO)


def test_the_count_at_the_end_of_the_day_is_what_was_seen(db: None) -> None:
    counted(SPAN.begin + HOUR, active=90, online=44)
    counted(SPAN.end - timedelta(minutes=4), active=7, online=3)
    counted(SPAN.end, active=1, online=99)
    found = people_of(SPAN)
    assert (found.active, found.disabled, found.limited, found.expired) == (7, 1, 2, 4)
    assert (found.source, found.at) == (UsersSource.COUNTED, SPAN.end - timedelta(minutes=4))
    assert found.online_max == 44


def test_a_count_of_the_morning_says_less_than_the_story(story: None) -> None:
    counted(SPAN.begin + HOUR, active=90)
    person(LONG_AGO, LATER)
    assert by_status() == (1, 0, 0, 0)


def test_a_count_of_the_morning_is_named_as_such_where_there_is_no_story(db: None) -> None:
    counted(SPAN.begin + HOUR, active=90)
    found = people_of(SPAN)
    assert (found.active, found.source, found.at) == (90, UsersSource.EARLIER, SPAN.begin + HOUR)


def test_what_nobody_saw_cannot_be_told(db: None) -> None:
    watched(SPAN.end + HOUR)
    person(SPAN.begin + HOUR, LATER)
    found = people_of(SPAN)
    assert (found.active, found.source, found.at, found.lost) == (None, "", None, None)
    assert found.new == 1  # the panel says who joined when


def test_statuses_are_those_of_the_end_of_the_day_not_of_now(story: None) -> None:
    person(LONG_AGO, LATER)
    cut = person(LONG_AGO, LATER, "DISABLED")
    happened(cut, "panel_disabled", AFTER, before="ACTIVE", until=LATER)
    freed = person(LONG_AGO, LATER)
    happened(freed, "enabled", AFTER, before="DISABLED")
    empty = person(LONG_AGO, LATER)
    happened(empty, "panel_active", AFTER, before="LIMITED", until=LATER)
    bulk = person(LONG_AGO, LATER, "DISABLED")
    happened(bulk, "disabled", AFTER, reason="a bulk operation")
    person(LONG_AGO, SPAN.begin - HOUR, "EXPIRED")
    over = person(LONG_AGO, AFTER, "EXPIRED")  # ran out after the day
    happened(over, "panel_expired", AFTER, before="ACTIVE", until=AFTER)
    assert by_status() == (4, 1, 1, 1)


def test_only_the_first_change_after_the_day_counts(story: None) -> None:
    row = person(LONG_AGO, LATER, "DISABLED")
    happened(row, "panel_limited", AFTER, before="ACTIVE", until=LATER)
    happened(row, "panel_disabled", AFTER + DAY, before="LIMITED", until=LATER)
    assert by_status() == (1, 0, 0, 0)


def test_who_joined_later_and_who_had_gone_was_not_there(story: None) -> None:
    person(SPAN.end, LATER)
    person(LONG_AGO, LATER, missing_since=SPAN.begin - HOUR)
    person(LONG_AGO, LATER, missing_since=AFTER)  # went later: was there
    back = person(LONG_AGO, LATER)
    happened(back, "panel_back", AFTER)
    assert by_status() == (1, 0, 0, 0)


def test_new_are_those_who_joined_between_two_midnights_utc(db: None) -> None:
    microsecond = timedelta(microseconds=1)
    for joined in (SPAN.begin - microsecond, SPAN.begin, SPAN.end - microsecond, SPAN.end):
        person(joined, LATER)
    assert moment_of(SPAN).new == 2


def test_lost_are_those_whose_end_fell_on_the_day_and_stayed(story: None) -> None:
    person(LONG_AGO, at(DAY_, 3), "EXPIRED")
    person(LONG_AGO, at(DAY_, 20), "DISABLED", cut_by="sweep")
    person(LONG_AGO, SPAN.begin - HOUR, "EXPIRED")
    person(LONG_AGO, SPAN.end, "EXPIRED")
    person(LONG_AGO, LATER, missing_since=at(DAY_, 9))  # deleted with time left
    person(LONG_AGO, LONG_AGO + DAY, missing_since=at(DAY_, 9))  # was over long before
    assert people_of(SPAN).lost == 3


def test_who_renewed_the_day_after_was_lost_on_the_day_all_the_same(story: None) -> None:
    row = person(LONG_AGO, AFTER + 30 * DAY)
    happened(row, "panel_expired", at(DAY_, 20), before="ACTIVE", until=at(DAY_, 20))
    happened(row, "activated", AFTER, before=AFTER, until=AFTER + 30 * DAY)
    found = people_of(SPAN)
    assert (found.lost, found.active, found.expired) == (1, 0, 1)


def test_who_renewed_before_midnight_was_not_lost(story: None) -> None:
    row = person(LONG_AGO, LATER)
    happened(row, "panel_expired", at(DAY_, 10), before="ACTIVE", until=at(DAY_, 10))
    happened(row, "activated", at(DAY_, 11), before=at(DAY_, 11), until=LATER)
    found = people_of(SPAN)
    assert (found.lost, found.active) == (0, 1)


def test_who_paid_ahead_after_the_day_had_his_old_end(story: None) -> None:
    row = person(LONG_AGO, LATER)
    happened(row, "extended", AFTER, days=30, before=at(DAY_, 21), until=LATER)
    ahead = person(LONG_AGO, LATER)
    happened(ahead, "activated", AFTER, before=AFTER + 2 * DAY, until=LATER)
    found = people_of(SPAN)
    assert (found.lost, found.expired, found.active) == (1, 1, 1)
