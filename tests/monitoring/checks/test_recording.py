"""Rows, samples and outages of services."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib import clock
from lib.partitions import days_drop, days_kept, days_prepare, partitioned_tables, rest_count
from monitoring.alerts.models import Alert
from monitoring.checks.models import ServiceCheck, ServiceOutage, ServiceSample
from monitoring.checks.outages import KEPT, outages_forget
from monitoring.checks.recording import services_record
from tests.monitoring.checks.conftest import AT, AWAY, MINUTE, REFUSED, WELL, record, rounds


def row(name: str) -> ServiceCheck:
    return ServiceCheck.objects.get(pk=name)


def test_a_look_that_succeeds_is_kept_with_its_facts_and_a_sample() -> None:
    assert record(AT)["telegram"] == "up"
    telegram = row("telegram")
    assert (telegram.since, telegram.ok_at, telegram.watched_since) == (AT, AT, AT)
    assert (telegram.latency_ms, telegram.facts, telegram.error) == (12.5, {"version": "1"}, "")
    sample = ServiceSample.objects.get(service="telegram")
    assert (sample.at, sample.is_ok, sample.latency_ms) == (AT, True, 12.5)


def test_three_failures_in_a_row_are_down_and_one_success_is_up() -> None:
    states = [record(AT + MINUTE * n, redis=AWAY)["redis"] for n in range(4)]
    assert states == ["failing", "failing", "down", "down"]
    redis = row("redis")
    assert (redis.failures, redis.error, redis.since) == (4, "connection refused", AT + 2 * MINUTE)
    assert record(AT + 4 * MINUTE)["redis"] == "up"
    redis = row("redis")
    assert (redis.failures, redis.since) == (0, AT + 4 * MINUTE)


def test_two_failures_and_a_success_begin_anew() -> None:
    rounds(2, redis=AWAY)
    record(AT + 2 * MINUTE)
    assert record(AT + 3 * MINUTE, redis=AWAY)["redis"] == "failing"


def test_an_outage_lasts_from_the_first_failure_to_the_first_success() -> None:
    record(AT)
    after = rounds(3, AT + MINUTE, telegram=AWAY)
    outage = ServiceOutage.objects.get()
    assert (outage.began_at, outage.ended_at, outage.looks) == (AT + MINUTE, None, 3)
    record(after)
    outage.refresh_from_db()
    assert (outage.kind, outage.ended_at, outage.error) == ("down", after, "connection refused")
    record(after + MINUTE, telegram=AWAY)
    assert ServiceOutage.objects.count() == 2


def test_a_refusal_is_an_outage_of_its_own_kind() -> None:
    record(AT, cryptobot=REFUSED)
    assert ServiceOutage.objects.get().kind == "refused"


def test_a_service_without_an_address_is_not_looked_at_and_has_no_samples() -> None:
    assert record(AT, uplink=None)["uplink"] == "off"
    assert row("uplink").watched_since is None
    assert not ServiceSample.objects.filter(service="uplink").exists()


def test_switching_a_service_off_ends_its_outage() -> None:
    after = rounds(3, telegram=AWAY)
    record(after, telegram=None)
    assert ServiceOutage.objects.get().ended_at == after
    telegram = row("telegram")
    assert (telegram.state, telegram.failures, telegram.watched_since) == ("off", 0, None)


def test_a_round_that_comes_late_changes_nothing() -> None:
    rounds(3, telegram=AWAY)
    record(AT + MINUTE, telegram=WELL)
    assert row("telegram").state == "down"
    assert ServiceSample.objects.filter(service="telegram").count() == 3


def test_a_pause_of_ours_is_a_span_in_which_nobody_looked() -> None:
    record(AT)
    record(AT + timedelta(hours=2))
    spans = ServiceOutage.objects.filter(kind="unwatched")
    assert spans.count() == ServiceCheck.objects.exclude(watched_since=None).count()
    span = spans.get(service="redis")
    assert (span.began_at, span.ended_at) == (AT, AT + timedelta(hours=2))


def test_a_service_that_was_down_stays_down_over_a_pause() -> None:
    rounds(3, redis=AWAY)
    record(AT + timedelta(hours=2), redis=AWAY)
    assert ServiceOutage.objects.get(service="redis").looks == 4


def test_failures_before_and_after_a_pause_of_ours_are_not_in_a_row() -> None:
    after = rounds(2, cryptobot=AWAY)
    later = after + timedelta(hours=2)
    assert record(later, cryptobot=AWAY)["cryptobot"] == "failing"
    assert not Alert.objects.exists()
    states = [record(later + MINUTE * n, cryptobot=AWAY)["cryptobot"] for n in (1, 2)]
    assert states == ["failing", "down"]


def test_a_quiet_round_costs_a_handful_of_queries() -> None:
    rounds(2)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        record(AT + 5 * MINUTE)
    # Savepoint twice; rows, their update, samples, open outages, open alerts.
    assert len(asked) <= 9


def test_names_that_the_code_does_not_know_any_more_are_kept_and_told_of_nobody() -> None:
    for number in range(3):
        services_record({"gone": AWAY}, AT + MINUTE * number)
    assert row("gone").state == "down"


@pytest.mark.parametrize("kept", [True, False])
def test_old_outages_are_forgotten(kept: bool) -> None:
    record(clock.now())
    ended = clock.now() - KEPT + (MINUTE if kept else -MINUTE)
    ServiceOutage.objects.create(
        service_id="redis", kind="down", began_at=ended - MINUTE, ended_at=ended
    )
    ServiceOutage.objects.create(service_id="redis", kind="down", began_at=ended - 2 * MINUTE)
    assert outages_forget() == (0 if kept else 1)
    assert outages_forget() == 0
    assert ServiceOutage.objects.filter(ended_at=None).count() == 1


def test_samples_have_days_that_are_made_ahead_and_dropped() -> None:
    now = clock.now()
    record(now)
    kept = {each.table: each.kept for each in partitioned_tables()}
    assert kept["service_sample"] == kept["rule_sample"] == timedelta(days=7)
    days_prepare("service_sample", "at")
    assert now.date() in days_kept("service_sample")
    assert rest_count("service_sample") == 0
    assert ServiceSample.objects.filter(at=now).count() == ServiceCheck.objects.count()
    days_drop("service_sample", now.date() + timedelta(days=1))
    assert not ServiceSample.objects.exists()
