"""What operators and Prometheus are told: a report that is missing, days that are not computed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from lib import clock
from lib.now import Attention, Source
from reports.statistics import attention, metrics
from reports.statistics.services import report_make, report_tell
from tests.reports.statistics.rows import DAY, counted, day_back
from tests.reports.statistics.stats import stat

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 19, 5, tzinfo=UTC)  # a Thursday


@pytest.fixture(autouse=True)
def morning() -> Iterator[None]:
    """Five in the morning, whenever this runs."""
    with clock.shift(MORNING - clock.now()):
        yield


def shown(source: Source) -> list[Attention]:
    found = source()
    return [found] if isinstance(found, Attention) else list(found or ())


def missed() -> list[str]:
    return [item.title for item in shown(attention.missed_reports)]


def numbers() -> dict[tuple[str, str], float]:
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for metric in metrics.collect()
        for sample in metric.samples
    }


def test_a_report_is_missed_an_hour_after_its_time(admin_chat: int) -> None:
    stat(day_back(2))
    stat(day_back(1))
    with clock.shift(timedelta(hours=1, minutes=30)):
        assert missed() == []
    with clock.shift(timedelta(hours=2, minutes=1)):
        assert missed() == ["daily report was not sent"]
        report_tell(report_make(kind="daily", period=day_back(1))[0])
        assert missed() == []


def test_a_new_platform_owes_no_report() -> None:
    with clock.shift(timedelta(hours=9)):
        assert missed() == []


def test_a_day_that_was_not_computed_is_shown() -> None:
    counted(clock.now() - 4 * DAY)
    assert [item.count for item in shown(attention.missed_days)] == [4]
    stat(day_back(2))
    assert [item.count for item in shown(attention.missed_days)] == [3]


def test_reports_that_go_to_nobody_are_said_only_with_a_bot(
    settings: Settings, admin_chat: int
) -> None:
    settings.TELEGRAM_BOT_TOKEN = "42:token"
    assert shown(attention.unheard_reports) == []
    settings.ADMIN_TELEGRAM_IDS = []
    assert len(shown(attention.unheard_reports)) == 1
    settings.TELEGRAM_BOT_TOKEN = ""
    assert shown(attention.unheard_reports) == []


def test_numbers_tell_the_last_day_and_how_old_the_last_report_is(admin_chat: int) -> None:
    assert numbers()["statistics_days_due", ""] == 1
    stat(day_back(1))
    report_tell(report_make(kind="daily", period=day_back(1))[0])
    with clock.shift(timedelta(hours=1)):
        found = numbers()
    assert found["statistics_days_due", ""] == 0
    assert found["statistics_users", "active"] == 100
    assert found["statistics_users_lost", ""] == 2
    assert round(found["report_age_seconds", "daily"] / 60) == 60
    assert round(found["statistics_day_age_seconds", ""] / 3600) == 6
