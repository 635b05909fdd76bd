"""A day in figures: exact, the same when computed again, later if it was missed, final when settled."""

from datetime import timedelta

import pytest
from django.forms.models import model_to_dict

from jobs.outcomes import Done
from jobs.testing import job_perform
from lib import clock
from monitoring.checks.models import ServiceCheck, ServiceOutage
from payments.models import FinancialDay
from reports.statistics.days.spans import span_of
from reports.statistics.errors import DayNotOver
from reports.statistics.models import DailyStat
from reports.statistics.services import day_compute, days_compute, days_due
from tests.reports.statistics.rows import (
    DAY,
    HOUR,
    act,
    at,
    counted,
    day_back,
    down,
    failed_try,
    hour,
    looked,
    message,
    node,
    paid,
    person,
    refunded,
    served,
    watched,
)

pytestmark = pytest.mark.django_db
THE_DAY = day_back(4)
SPAN = span_of(THE_DAY)


def figures(row: DailyStat) -> dict[str, object]:
    return model_to_dict(row, exclude=["computed_at"])


def fill() -> None:
    """A bit of everything."""
    watched(SPAN.begin - DAY)
    counted(SPAN.end - timedelta(minutes=1))
    person(at(THE_DAY), SPAN.end + DAY)
    payment = paid(at(THE_DAY), subscriber_id=None)
    paid(at(THE_DAY, 13), "9", currency="EUR", currency_type="fiat")
    refunded(payment, at(THE_DAY, 20))
    server = node("fra-1", SPAN.begin - DAY)
    hour(server, SPAN.begin, 1000)
    down(server, at(THE_DAY, 6), at(THE_DAY, 7))
    message("sent", at(THE_DAY))
    act("jobs.replay", at(THE_DAY))
    failed_try("Traceback\nValueError: no 7", at(THE_DAY))


def test_an_empty_day_has_zeros_and_says_what_it_cannot_tell() -> None:
    row = day_compute(THE_DAY)
    assert (row.users_new, row.payments_count, row.traffic_bytes) == (0, 0, 0)
    assert (row.revenue, row.nodes, row.incidents, row.operations, row.errors) == (
        {},
        [],
        [],
        {},
        [],
    )
    assert (row.users_active, row.users_source, row.users_lost, row.uptime) == (
        None,
        "",
        None,
        None,
    )
    assert (row.messages_sent, row.api_latency_ms) == (0, None)


def test_a_day_that_runs_is_not_computed() -> None:
    with pytest.raises(DayNotOver):
        day_compute(clock.now().date() + DAY)


def test_revenue_stands_by_currency_plan_and_provider() -> None:
    paid(at(THE_DAY), "0.1")
    paid(at(THE_DAY), "0.2")
    paid(at(THE_DAY), "9", currency="EUR", currency_type="fiat", plan_code="year")
    paid(SPAN.end, "100")
    row = day_compute(THE_DAY)
    assert row.revenue == {"EUR": "9", "USDT": "0.3"}
    assert [(line["code"], line["amount"], line["payments"]) for line in row.revenue_by_plan] == [
        ("month", "0.3", 2),
        ("year", "9", 1),
    ]
    assert [line["name"] for line in row.revenue_by_provider] == ["Crypto Pay", "Crypto Pay"]


def test_a_refund_is_of_its_own_day_and_revenue_stays_what_was_paid() -> None:
    refunded(paid(at(THE_DAY)), at(THE_DAY + DAY))
    first, second = day_compute(THE_DAY), day_compute(THE_DAY + DAY)
    assert (first.revenue, first.refunds) == ({"USDT": "5"}, {})
    assert (second.revenue, second.refunds, second.payments_refunded) == ({}, {"USDT": "5"}, 1)


def test_who_pays_first_is_told_from_who_pays_again() -> None:
    paid(at(THE_DAY - 9 * DAY), subscriber_id=1)
    paid(at(THE_DAY, 1), subscriber_id=1)
    paid(at(THE_DAY, 2), subscriber_id=2)
    paid(at(THE_DAY, 3), subscriber_id=2)  # twice on the first day: one new payer
    paid(at(THE_DAY - DAY), subscriber_id=None, telegram_id=77)
    paid(at(THE_DAY, 4), subscriber_id=None, telegram_id=77)
    row = day_compute(THE_DAY)
    assert (row.payers_new, row.payers_again) == (1, 2)


def test_the_run_rate_is_what_covers_the_end_of_the_day() -> None:
    month = paid(at(THE_DAY - 3 * DAY), "5", subscriber_id=None)
    served(month, at(THE_DAY - 3 * DAY))
    quarter = paid(at(THE_DAY), "13.5", period_days=90, subscriber_id=None)
    served(quarter, at(THE_DAY), 90)
    over = paid(at(THE_DAY - 40 * DAY), "5", subscriber_id=None)
    served(over, at(THE_DAY - 40 * DAY))
    back = paid(at(THE_DAY), "5", subscriber_id=None)
    served(back, at(THE_DAY))
    refunded(back, at(THE_DAY, 20))
    row = day_compute(THE_DAY)
    assert (row.run_rate, row.paying) == ({"USDT": "9.5"}, 2)


def test_servers_have_traffic_uptime_and_incidents_of_the_day_alone() -> None:
    steady, shaky = node("ams-1", SPAN.begin - DAY), node("fra-1", SPAN.begin - DAY)
    hour(steady, SPAN.begin, 300)
    hour(steady, SPAN.end - HOUR, 200)
    hour(steady, SPAN.end, 999)
    down(shaky, SPAN.begin - 2 * HOUR, SPAN.begin + 6 * HOUR)
    down(shaky, SPAN.end - 6 * HOUR, SPAN.end + 2 * HOUR)
    row = day_compute(THE_DAY)
    assert row.traffic_bytes == 500
    assert [(line["name"], line["bytes"], line["uptime"]) for line in row.nodes] == [
        ("ams-1", 500, 1.0),
        ("fra-1", 0, 0.5),
    ]
    assert row.nodes[1]["down_s"] == 12 * 3600
    assert row.uptime == 0.75
    assert [each["ended_at"] is None for each in row.incidents] == [False, True]


def test_services_that_were_away_are_incidents_and_unwatched_time_is_none() -> None:
    service = ServiceCheck.objects.create(name="remnawave", state="up", since=SPAN.begin)
    for kind, begin in (("down", at(THE_DAY, 3)), ("unwatched", at(THE_DAY, 9))):
        ServiceOutage.objects.create(
            service=service, kind=kind, began_at=begin, ended_at=begin + HOUR, error="x\nno answer"
        )
    (found,) = day_compute(THE_DAY).incidents
    assert (found["what"], found["name"], found["text"]) == ("service", "remnawave", "no answer")


def test_acts_of_people_are_counted_and_those_of_the_platform_are_not() -> None:
    for hours in (0, 23.9):
        act("jobs.replay", at(THE_DAY, hours))
    act("queues.pause", at(THE_DAY))
    act("subscriptions.disable_expired", at(THE_DAY), name="system")
    act("jobs.replay", SPAN.end)
    assert day_compute(THE_DAY).operations == {"jobs.replay": 2, "queues.pause": 1}


def test_errors_that_differ_in_numbers_are_one() -> None:
    for number in range(3):
        failed_try(f"Traceback\n  File x\nValueError: no user {number}", at(THE_DAY))
    failed_try(None, at(THE_DAY), "crashed")
    failed_try("not ours", at(THE_DAY), "snoozed")
    failed_try("ValueError: later", SPAN.end)
    row = day_compute(THE_DAY)
    assert row.errors == [
        {"text": "ValueError: no user 0", "count": 3},
        {"text": "the worker was killed", "count": 1},
    ]
    assert row.errors_count == 4


def test_messages_and_the_pace_of_the_panel_are_those_of_the_day() -> None:
    for status, moment in (
        ("sent", at(THE_DAY, 0)), ("sent", at(THE_DAY, 23)), ("failed", at(THE_DAY)),
        ("sent", SPAN.end), ("pending", at(THE_DAY)),
    ):  # fmt: skip
        message(status, moment)
    looked(at(THE_DAY), 100)
    looked(at(THE_DAY), 50)
    looked(at(THE_DAY), 9000, service="telegram")
    row = day_compute(THE_DAY)
    assert (row.messages_sent, row.messages_failed, row.api_latency_ms) == (2, 1, 75.0)


def test_computing_a_day_again_gives_the_same_figures() -> None:
    fill()
    first = figures(day_compute(THE_DAY))
    assert figures(day_compute(THE_DAY)) == first
    with clock.shift(timedelta(hours=5)):
        assert figures(day_compute(THE_DAY)) == first


def test_what_its_source_has_lost_stays_as_it_was() -> None:
    fill()
    looked(at(THE_DAY), 80)
    first = figures(day_compute(THE_DAY))
    with clock.shift(100 * DAY):
        again = figures(day_compute(THE_DAY))
    assert again == first
    assert (again["traffic_bytes"], again["operations"]) == (1000, {"jobs.replay": 1})


def test_a_day_is_final_two_hours_after_its_end() -> None:
    yesterday = clock.now().date() - DAY
    end = span_of(yesterday).end
    with clock.shift(end + timedelta(minutes=5) - clock.now()):
        assert not day_compute(yesterday).is_final
        assert yesterday in days_due(clock.now())
    with clock.shift(end + 2 * HOUR + timedelta(minutes=5) - clock.now()):
        assert [row.day for row in days_compute()][-1] == yesterday
        assert days_due(clock.now()) == []


def test_missed_days_are_computed_later_as_far_back_as_is_made_up_for(settings: object) -> None:
    settings.STATISTICS_CATCH_UP_DAYS = 3  # type: ignore[attr-defined]
    counted(clock.now() - 9 * DAY)
    first = job_perform("reports.compute_daily_stats")
    assert isinstance(first, Done)
    assert first.result["days"] == [str(day_back(back)) for back in (3, 2, 1)]
    second = job_perform("reports.compute_daily_stats")
    assert isinstance(second, Done)
    assert str(day_back(3)) not in second.result["days"]


def test_a_new_platform_begins_with_its_first_day() -> None:
    counted(clock.now() - 2 * DAY)
    assert days_due(clock.now()) == [day_back(2), day_back(1)]


def test_a_day_is_computed_by_name() -> None:
    outcome = job_perform("reports.compute_daily_stats", day=str(THE_DAY))
    assert isinstance(outcome, Done)
    assert DailyStat.objects.get().day == THE_DAY


def test_money_is_added_up_by_payments_alone() -> None:
    paid(at(THE_DAY))
    day_compute(THE_DAY)
    assert FinancialDay.objects.filter(day=THE_DAY).count() == 1
