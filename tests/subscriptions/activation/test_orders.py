"""Orders of subscribers: at the price of the moment, in their language, once per key."""

from datetime import timedelta
from decimal import Decimal

import pytest

from jobs.testing import assert_enqueued
from lib import clock
from payments.errors import OrderDiffers
from payments.models import Payment, Purpose
from subscriptions.activation.orders import language_pick, order_for, order_new
from subscriptions.activation.plans import plan_change, price_set
from subscriptions.errors import PlanNotSold, PriceUnknown, SubscriberGone
from tests.subscriptions.buyers import CHAT, plan_make, row_make

pytestmark = pytest.mark.django_db


def test_an_order_keeps_the_price_of_its_moment() -> None:
    person, plan = row_make(1, language="ru"), plan_make()
    payment = order_for(person, plan)
    price_set(plan_id=plan.pk, currency_type="crypto", currency="USDT", amount=Decimal(9))
    payment.refresh_from_db()
    assert (payment.amount, payment.currency) == (Decimal(5), "USDT")
    assert (payment.plan_title, payment.language) == ("Стандарт, 1 месяц", "ru")
    assert (payment.subscriber_id, payment.telegram_id) == (person.pk, CHAT)
    assert_enqueued("payments.make_invoice")
    assert person.events.get().kind == "order_made"


def test_a_key_finds_the_first_order() -> None:
    person, plan = row_make(1), plan_make()
    first = order_for(person, plan, key="k")
    assert order_for(person, plan, key="k") == first
    assert Payment.objects.count() == person.events.count() == 1
    with pytest.raises(OrderDiffers):
        order_for(person, plan_make("year", period_days=365), key="k")


def test_a_plan_that_is_not_sold_any_more_is_renewed_by_who_has_it() -> None:
    plan = plan_make()
    plan_change(plan_id=plan.pk, is_active=False)
    plan.refresh_from_db()
    assert order_for(row_make(1, plan=plan), plan).purpose == Purpose.RENEWAL
    with pytest.raises(PlanNotSold):
        order_for(row_make(2), plan)
    with pytest.raises(PlanNotSold):
        order_new(plan, telegram_id=CHAT)


def test_a_currency_without_a_price_is_refused() -> None:
    with pytest.raises(PriceUnknown):
        order_for(row_make(1), plan_make(), "GBP")


def test_who_is_gone_orders_nothing() -> None:
    with pytest.raises(SubscriberGone):
        order_for(row_make(1, missing_since=clock.now()), plan_make())


def test_somebody_new_orders_without_being_a_subscriber() -> None:
    payment = order_new(plan_make(), telegram_id=CHAT, language="ru-RU")
    assert (payment.subscriber_id, payment.purpose) == (None, Purpose.NEW)
    assert payment.language == "ru"
    again = order_new(plan_make(), telegram_id=CHAT, key="x", expires_in=timedelta(hours=1))
    assert order_new(plan_make(), telegram_id=CHAT, key="x") == again


@pytest.mark.parametrize(
    ("wanted", "picked"), [("ru", "ru"), ("RU-ru", "ru"), ("de", "en"), ("", "en")]
)
def test_people_are_addressed_in_a_language_of_ours(wanted: str, picked: str) -> None:
    assert language_pick(wanted) == picked
