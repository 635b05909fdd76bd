"""Days and reports equal a recount from the raw rows: another way, in Python, over random days."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from payments.models import Payment
from reports.statistics.days.spans import span_of
from reports.statistics.reporting.payload import payload_make
from reports.statistics.services import day_compute
from subscriptions.models import Activation, Subscriber, SubscriberEvent
from tests.reports.statistics.rows import (
    DAY,
    act,
    counted,
    day_back,
    failed_try,
    happened,
    message,
    paid,
    person,
    refunded,
    served,
    watched,
)

pytestmark = pytest.mark.django_db
LAST = day_back(3)
DAYS = [LAST - DAY * number for number in range(6, -1, -1)]
BEGIN = span_of(DAYS[0]).begin
PLANS = (("week", 7, "1.5"), ("month", 30, "5"), ("quarter", 90, "13.5"))


@pytest.fixture(autouse=True)
def messages_kept(settings: Settings) -> None:
    """Nothing of the week was cleaned away, so both can count it."""
    settings.CLEANUP_NOTIFICATION_DAYS = 30


def moment(dice: random.Random) -> datetime:
    """Any moment of the week, often just at a midnight."""
    if dice.random() < 0.2:
        return BEGIN + DAY * dice.randrange(1, 7) + timedelta(microseconds=dice.choice((-1, 0, 1)))
    return BEGIN + timedelta(seconds=dice.uniform(0, 7 * 86_400))


def world(seed: int) -> None:
    """A week of a small shop."""
    dice = random.Random(seed)
    watched(BEGIN - DAY)
    for _ in range(40):
        joined = moment(dice) - DAY * dice.choice((0, 0, 40))
        row = person(joined, moment(dice) + DAY * dice.choice((0, 0, 60)))
        for _ in range(dice.choice((0, 0, 1, 2))):
            plan, days, price = dice.choice(PLANS)
            currency, amount = dice.choice((("USDT", price), ("EUR", "4.60")))
            at = moment(dice) - DAY * dice.choice((0, 0, 50))
            payment = paid(
                at,
                amount,
                plan_code=plan,
                period_days=days,
                currency=currency,
                subscriber_id=row.pk,
            )
            served(payment, max(at, row.expire_at), days)
            if dice.random() < 0.15:
                refunded(payment, moment(dice) + DAY)
        if dice.random() < 0.3:
            _moved(row, moment(dice), dice)
    for _ in range(40):
        message(dice.choice(("sent", "sent", "failed")), moment(dice))
        act(dice.choice(("jobs.replay", "queues.pause")), moment(dice))
        failed_try(f"KeyError: {dice.randrange(3)}", moment(dice))


def _moved(row: Subscriber, at: datetime, dice: random.Random) -> None:
    """Somebody's end is moved by hand, at a moment of the week."""
    if row.panel_created_at is None or row.panel_created_at >= at:
        return
    before, row.expire_at = row.expire_at, moment(dice) + DAY * 30
    row.save(update_fields=["expire_at"])
    happened(row, "panel_moved", at, before=before, until=row.expire_at)


def end_of(row: Subscriber, at: datetime) -> datetime:
    """Until when somebody was served as it stood at a moment, by walking back his whole story."""
    end = row.expire_at
    story = SubscriberEvent.objects.filter(subscriber=row, at__gte=at).order_by("-id")
    for event in story:
        end = datetime.fromisoformat(event.data["before"])
    return end


def recount(day: date) -> dict[str, Any]:
    """The figures of a day, row by row."""
    span = span_of(day)

    def on(at: datetime | None) -> bool:
        return at is not None and span.begin <= at < span.end

    revenue, refunds = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    by_plan = defaultdict[tuple[str, str], Decimal](Decimal)
    first, again = set[int](), set[int]()
    for payment in Payment.objects.order_by("completed_at"):
        if on(payment.completed_at):
            revenue[payment.currency] += payment.amount
            by_plan[payment.plan_code, payment.currency] += payment.amount
            earlier = Payment.objects.filter(
                subscriber_id=payment.subscriber_id, completed_at__lt=span.begin
            )
            (again if earlier.exists() else first).add(payment.subscriber_id or 0)
        if on(payment.refunded_at):
            refunds[payment.currency] += payment.amount
    rate, paying = defaultdict[str, Decimal](Decimal), 0
    for access in Activation.objects.select_related("payment"):
        bought = access.payment
        assert access.base_expire_at is not None
        assert access.target_expire_at is not None
        assert bought.completed_at is not None
        covers = access.base_expire_at < span.end <= access.target_expire_at
        kept = bought.refunded_at is None or bought.refunded_at >= span.end
        if covers and kept and bought.completed_at < span.end:
            rate[bought.currency] += bought.amount * 30 / bought.period_days
            paying += 1
    people = [
        (row.panel_created_at, end_of(row, span.end))
        for row in Subscriber.objects.all()
        if row.panel_created_at is not None and row.panel_created_at < span.end
    ]
    return {
        "revenue": dict(revenue),
        "refunds": dict(refunds),
        "by_plan": dict(by_plan),
        "payers": (len(first), len(again)),
        "rate": {name: round(value, 4) for name, value in rate.items()},
        "paying": paying,
        "new": sum(on(joined) for joined, _ in people),
        "lost": sum(on(end) for _, end in people),
        "active": sum(end >= span.end for _, end in people),
        "expired": sum(end < span.end for _, end in people),
        **_recount_work(on),
    }


def _recount_work(on: Any) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, sent_at, failed_at FROM notification_queue")
        messages = cursor.fetchall()
        cursor.execute("SELECT action, at FROM jobs_auditentry")
        acts = [action for action, at in cursor.fetchall() if on(at)]
        cursor.execute("SELECT finished_at FROM jobs_jobattempt")
        tries = [at for (at,) in cursor.fetchall() if on(at)]
    return {
        "sent": sum(status == "sent" and on(at) for status, at, _ in messages),
        "failed": sum(status == "failed" and on(at) for status, _, at in messages),
        "operations": {name: acts.count(name) for name in set(acts)},
        "errors": len(tries),
    }


def decimals(money: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in money.items()}


def computed(day: date) -> dict[str, Any]:
    """The same of the row that was computed."""
    row = day_compute(day)
    return {
        "revenue": decimals(row.revenue),
        "refunds": decimals(row.refunds),
        "by_plan": {
            (line["code"], line["currency"]): Decimal(line["amount"])
            for line in row.revenue_by_plan
            if line["payments"]
        },
        "payers": (row.payers_new, row.payers_again),
        "rate": {name: round(value, 4) for name, value in decimals(row.run_rate).items()},
        "paying": row.paying,
        "new": row.users_new,
        "lost": row.users_lost,
        "active": row.users_active,
        "expired": row.users_expired,
        "sent": row.messages_sent,
        "failed": row.messages_failed,
        "operations": row.operations,
        "errors": row.errors_count,
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_of_a_week_equals_a_recount(seed: int) -> None:
    world(seed)
    for day in DAYS:
        assert computed(day) == recount(day), day


def test_a_weekly_report_equals_a_recount() -> None:
    world(4)
    monday = DAYS[0] - DAY * DAYS[0].weekday()
    week = [monday + DAY * number for number in range(7)]
    counted(span_of(week[0]).begin)
    days = [recount(day_compute(day).day) for day in week]
    told = payload_make("weekly", monday)["now"]
    for name, key in (("revenue", "revenue"), ("refunds", "refunds")):
        total = defaultdict[str, Decimal](Decimal)
        for each in days:
            for currency, amount in each[key].items():
                total[currency] += amount
        assert decimals(told[name]) == total
    assert told["users_new"] == sum(each["new"] for each in days)
    assert told["messages_sent"] == sum(each["sent"] for each in days)
    assert told["payers_new"] == sum(each["payers"][0] for each in days)
    assert decimals(told["run_rate"]).keys() == days[-1]["rate"].keys()
