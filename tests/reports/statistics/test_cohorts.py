"""Cohorts: who joined and paid, who paid and stayed; nothing is said of what lies ahead."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lib import clock
from reports.statistics.cohorts import cohorts_compute
from reports.statistics.models import Cohort
from tests.reports.statistics.rows import DAY, paid, person, refunded, served

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def november() -> object:
    """The 22nd of November 2026, whenever this runs."""
    with clock.shift(NOW - clock.now()):
        yield


def cohort(kind: str, month: date) -> Cohort:
    return Cohort.objects.get(kind=kind, month=month)


def test_of_those_who_joined_it_tells_how_soon_they_paid() -> None:
    june = datetime(2026, 6, 10, tzinfo=UTC)
    for wait in (timedelta(hours=2), 3 * DAY, 20 * DAY, 200 * DAY):
        row = person(june, NOW + DAY)
        if wait < 100 * DAY:
            paid(june + wait, subscriber_id=row.pk)
    person(june, NOW + DAY)
    cohorts_compute()
    found = cohort("joined", date(2026, 6, 1))
    assert (found.people, found.counts) == (5, [1, 2, 3, 3])


def test_what_lies_ahead_is_not_told() -> None:
    person(datetime(2026, 10, 30, tzinfo=UTC), NOW + DAY)
    person(datetime(2026, 11, 20, tzinfo=UTC), NOW + DAY)
    cohorts_compute()
    assert cohort("joined", date(2026, 10, 1)).counts == [0, 0, None, None]
    assert cohort("joined", date(2026, 11, 1)).counts == [None, None, None, None]


def test_a_month_begins_at_midnight_utc() -> None:
    for joined in (datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)):
        person(joined, NOW + DAY)
    cohorts_compute()
    assert (
        cohort("joined", date(2026, 5, 1)).people == cohort("joined", date(2026, 6, 1)).people == 1
    )


def test_of_those_who_paid_it_tells_whose_time_still_covers() -> None:
    first = datetime(2026, 6, 5, tzinfo=UTC)
    loyal = person(first, NOW + DAY)
    for number in range(3):
        at = first + 30 * DAY * number
        served(paid(at, subscriber_id=loyal.pk), at)
    once = person(first, NOW + DAY)
    served(paid(first, subscriber_id=once.pk), first)
    quarter = person(first, NOW + DAY)
    served(paid(first, subscriber_id=quarter.pk, period_days=90), first, 90)
    back = person(first, NOW + DAY)
    served(paid(first, subscriber_id=back.pk), first)
    again = paid(first + 29 * DAY, subscriber_id=back.pk)
    served(again, first + 30 * DAY)
    refunded(again, first + 31 * DAY)
    cohorts_compute()
    found = cohort("paid", date(2026, 6, 1))
    # Until 1 July + 30 * n days lie behind: n = 4 is on 29 October, n = 5 on 28 November.
    assert (found.people, found.counts) == (4, [4, 2, 2, 0, 0] + [None] * 8)


def test_computing_again_gives_the_same() -> None:
    row = person(datetime(2026, 6, 5, tzinfo=UTC), NOW + DAY)
    paid(datetime(2026, 6, 6, tzinfo=UTC), subscriber_id=row.pk)
    assert cohorts_compute() == Cohort.objects.count() == 2
    before = list(Cohort.objects.order_by("kind").values("kind", "month", "people", "counts"))
    assert cohorts_compute() == 2
    assert (
        list(Cohort.objects.order_by("kind").values("kind", "month", "people", "counts")) == before
    )


def test_what_is_older_than_a_year_is_left_out() -> None:
    person(datetime(2025, 10, 5, tzinfo=UTC), NOW + DAY)
    assert cohorts_compute() == 0
