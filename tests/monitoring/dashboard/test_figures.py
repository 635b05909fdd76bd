"""The numbers of the start page: what they say, when they are red, and where they lead."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from config import runbook
from jobs.figures import oldest_due_job
from jobs.models import Queue
from jobs.tasks import noop
from lib import clock
from lib.now import Figure, Severity
from monitoring.checks.models import ServiceCheck
from monitoring.dashboard.figures import open_alerts, panel_latency, users_online
from monitoring.dashboard.models import Point
from monitoring.dashboard.refreshing import snapshot_refresh
from notifications.telegram.figures import lane_rate
from notifications.telegram.models import QueuedMessage
from payments.figures import money_today
from subscriptions.figures import expiring, paid_not_served
from subscriptions.models import AccessCheck, AccessGap
from tests.monitoring.dashboard.rows import alert_make, node_make, paid
from tests.subscriptions.lifecycle.people import subscriber_make

# A Wednesday: by noon some of the day is over and some is not.
NOON = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)


def only(found: Any) -> Figure:
    assert isinstance(found, Figure)
    assert not found.runbook or found.runbook in runbook.sections()
    return found


def test_open_alerts_are_red_when_one_is_critical() -> None:
    assert (only(open_alerts()).value, only(open_alerts()).severity) == ("0", None)
    alert_make("queue_depth", severity="info")
    assert only(open_alerts()).severity is Severity.NOTICE
    alert_make("error_rate", severity="warning")
    assert only(open_alerts()).severity is Severity.WARNING
    alert_make("node_offline", acked_at=clock.now(), acked_by="olga")
    found = only(open_alerts())
    assert (found.value, found.severity, found.runbook) == ("3", Severity.CRITICAL, "node_offline")
    assert "2 nobody has" in found.hint


def test_nobody_unserved_is_worth_as_much_as_the_last_comparison() -> None:
    found = only(paid_not_served())
    assert (found.value, found.severity) == ("0?", Severity.WARNING)
    AccessCheck.objects.create(started_at=clock.now(), finished_at=clock.now())
    found = only(paid_not_served())
    assert (found.value, found.severity) == ("0", None)
    with clock.shift(timedelta(minutes=30)):
        assert only(paid_not_served()).runbook == "access_check_old"


def test_who_paid_and_waits_is_critical() -> None:
    AccessGap.objects.create(payment=paid(timedelta(hours=1)), kind="waiting", facts={})
    found = only(paid_not_served())
    assert (found.value, found.severity, found.runbook) == (
        "1", Severity.CRITICAL, "paid_not_served",
    )  # fmt: skip


def test_who_ends_within_a_day_is_counted() -> None:
    for number, ends in enumerate((-1, 1, 23, 25)):
        subscriber_make(number, timedelta(hours=ends))
    assert only(expiring()).value == "2"
    assert "UTC" in only(expiring()).hint


def test_the_oldest_due_job_turns_red_with_its_age() -> None:
    assert only(oldest_due_job()).value == "none"
    noop.enqueue(delay="1h")
    assert only(oldest_due_job()).value == "none"
    noop.enqueue()
    assert only(oldest_due_job()).severity is None
    with clock.shift(timedelta(seconds=20)):
        assert only(oldest_due_job()).severity is Severity.WARNING
    with clock.shift(timedelta(minutes=2)):
        found = only(oldest_due_job())
        assert (found.severity, found.runbook) == (Severity.CRITICAL, "queue_old")
        assert found.url.endswith("?state=available&queue=default")
        Queue.objects.update(paused_at=clock.now())  # a card of its own says so
        assert only(oldest_due_job()).value == "none"


def test_the_lane_says_what_stops_it_while_messages_wait(settings: Settings) -> None:
    settings.TELEGRAM_BOT_TOKEN = ""
    assert only(lane_rate()).severity is None
    QueuedMessage.objects.create(telegram_id=7, message="x", scheduled_at=clock.now())
    found = only(lane_rate())
    assert (found.severity, found.runbook) == (Severity.CRITICAL, "telegram_late")
    assert "TELEGRAM_BOT_TOKEN" in found.hint


@pytest.fixture
def noon() -> Any:
    with clock.shift(NOON - clock.now()):
        yield NOON


def test_money_is_compared_with_the_same_weekday_up_to_the_same_minute(noon: datetime) -> None:
    assert (only(money_today()).value, only(money_today()).severity) == ("0", None)
    week = timedelta(days=7)
    for _ in range(2):
        paid(timedelta(minutes=5))
    paid(timedelta(hours=13))  # yesterday
    paid(week + timedelta(minutes=5), amount=Decimal(4))
    paid(week - timedelta(minutes=5), amount=Decimal(400))  # later that day
    paid(week + timedelta(hours=13), amount=Decimal(400))  # the day before
    paid(timedelta(minutes=1), currency="EUR", amount=Decimal("2.5"))
    found = only(money_today())
    assert found.value == "10 USDT"
    assert found.hint.startswith("+150 % against Wed 11 Nov by 12:30 UTC (4)")
    assert found.hint.endswith("also 2.5 EUR")
    assert list(found.spark) == [0.0] * 13 + [10.0]  # from midnight to the end of this hour
    assert found.before[13:15] == [404.0, 404.0]
    assert len(found.before) == 25


def test_money_is_a_line_in_the_first_hour_too(noon: datetime) -> None:
    with clock.shift(timedelta(hours=12)):
        paid(timedelta(minutes=5))
        assert list(only(money_today()).spark) == [0.0, 5.0]


def test_half_of_last_week_is_a_warning_where_there_was_enough_to_compare(noon: datetime) -> None:
    week = timedelta(days=7)
    for number in range(9):
        paid(week + timedelta(minutes=number + 1))
    paid(timedelta(minutes=1))
    assert only(money_today()).severity is None
    paid(week + timedelta(minutes=30))
    found = only(money_today())
    assert (found.severity, found.runbook) == (Severity.WARNING, "payment_failures")


def test_users_online_are_those_of_the_last_picture() -> None:
    found = only(users_online())
    assert (found.value, found.runbook) == ("?", "workers_gone")
    node_make("ams-1")
    snapshot_refresh()
    Point.objects.create(at=clock.now() - timedelta(minutes=9), users_online=5)
    Point.objects.create(at=clock.now() - timedelta(minutes=3), users_online=7)
    found = only(users_online())
    assert (found.severity, found.hint) == (Severity.WARNING, "1 of 1 servers online")
    assert list(found.spark) == [5.0, 7.0]
    with clock.shift(timedelta(minutes=2)):
        assert "no picture was taken since" in only(users_online()).hint


def test_the_latency_of_the_panel_is_that_of_the_last_look(settings: Settings) -> None:
    settings.REMNAWAVE_URL = ""
    assert panel_latency() is None
    settings.REMNAWAVE_URL = "http://panel.example"
    assert only(panel_latency()).value == "?"
    now = clock.now()
    check = ServiceCheck.objects.create(
        name="remnawave", state="up", since=now, checked_at=now, latency_ms=41.6
    )
    assert (only(panel_latency()).value, only(panel_latency()).severity) == ("42 ms", None)
    check.latency_ms = 2_500
    check.save()
    assert only(panel_latency()).severity is Severity.WARNING
    ServiceCheck.objects.update(state="down", failures=3, error="HTTP 503")
    found = only(panel_latency())
    assert (found.value, found.severity, found.runbook) == (
        "away", Severity.CRITICAL, "panel_unreachable",
    )  # fmt: skip
