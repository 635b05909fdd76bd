"""Revenue in the console."""

from datetime import timedelta
from decimal import Decimal

from django.test import Client

from jobs.testing import assert_enqueued, job_perform
from lib import clock
from payments.listing.days import bars_of, span_of
from tests.payments.test_earning import paid

LIST = "/admin/payments/financialday/"


def test_nothing_paid_says_so(operator: Client) -> None:
    assert "Nothing was paid in these 30 days." in operator.get(LIST).content.decode()


def test_the_chart_has_every_day_and_today_as_it_stands(operator: Client) -> None:
    now = clock.now()
    paid(1, now)
    paid(2, now - timedelta(days=3), amount=Decimal("7.25"), plan_code="family")
    paid(3, now - timedelta(days=40))
    job_perform("payments.compute_financial_stats")
    first, today = span_of(30)
    bars = bars_of("USDT", first, today)
    assert len(bars) == 30
    assert (bars[-1].revenue, bars[-1].is_open) == (Decimal(5), True)
    assert bars[-4].revenue == Decimal("7.25")
    text = operator.get(LIST).content.decode()
    assert "12.25 USDT" in text
    assert "family" in text
    wider = operator.get(f"{LIST}?days=90").content.decode()
    assert "17.25 USDT" in wider


def test_another_currency_is_chosen(operator: Client) -> None:
    paid(1, clock.now())
    paid(2, clock.now(), currency="EUR", currency_type="fiat", amount=Decimal("9"))
    assert "9 EUR" in operator.get(f"{LIST}?currency=EUR").content.decode()


def test_days_are_computed_by_a_click(operator: Client, supporter: Client) -> None:
    assert supporter.post(f"{LIST}compute/").status_code == 403
    operator.post(f"{LIST}compute/")
    assert_enqueued("payments.compute_financial_stats")


def test_a_strange_span_is_the_usual_one(operator: Client) -> None:
    paid(1)
    answer = operator.get(f"{LIST}?days=7777&currency=%00")
    assert answer.status_code == 200
    assert answer.context["span"] == 30
