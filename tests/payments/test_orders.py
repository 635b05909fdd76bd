"""Orders and their invoices."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.models import JobRecord
from jobs.testing import assert_enqueued, drain, jobs_of
from lib import clock
from payments.errors import OrderDiffers, OrderInvalid, ProviderOff
from payments.models import Payment, PaymentEvent, Review, State
from payments.services import invoice_make_again
from payments.words import say
from tests.payments.conftest import TOKEN, Heard, invoiced, number_of, order_make
from tests.sandbox.fixture import Sandbox


def story(payment: Payment) -> list[str]:
    return [event.kind for event in PaymentEvent.objects.filter(payment=payment).order_by("id")]


def run_all() -> None:
    """Run what is due now and what a ladder has put off, up to an hour ahead."""
    for minutes in (0, 1, 5, 30):
        with clock.shift(timedelta(minutes=minutes)):
            drain()


def test_an_order_is_a_row_before_anybody_is_asked() -> None:
    payment = order_make()
    assert payment.state == State.CREATED
    job = assert_enqueued("payments.make_invoice", payment_id=str(payment.pk))
    assert job.priority == 1
    event = PaymentEvent.objects.get(payment=payment)
    assert say(event.kind, event.data) == "Ordered Standard, 1 month, 30 days, for 5 USDT."


def test_the_invoice_of_an_order_is_made_with_its_id_and_an_end(
    provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced(currency_type="fiat", currency="EUR", accepted_assets=["USDT", "TON"])
    shown = provider.pay.invoice(number_of(payment))
    assert shown["payload"] == str(payment.pk)
    assert shown["fiat"] == "EUR"
    assert shown["accepted_assets"] == ["USDT", "TON"]
    assert payment.state == State.PENDING
    assert payment.pay_url == shown["bot_invoice_url"]
    assert payment.expires_at is not None
    assert timedelta(hours=23) < payment.expires_at - clock.now() <= timedelta(hours=24)
    assert heard.invoiced == [payment]
    assert story(payment) == ["ordered", "invoice_asked", "invoice_made"]


def test_an_order_may_ask_for_a_shorter_life_of_its_invoice(provider: Sandbox) -> None:
    payment = invoiced(expires_in=timedelta(hours=2))
    assert payment.expires_at is not None
    assert payment.expires_at - clock.now() <= timedelta(hours=2)


def test_the_same_key_finds_the_first_order() -> None:
    first = order_make(key="renewal:7:2026-12-01")
    again = order_make(key="renewal:7:2026-12-01")
    assert first.pk == again.pk
    assert len(jobs_of("payments.make_invoice")) == 1
    assert story(first) == ["ordered"]


def test_the_same_key_for_another_order_is_refused() -> None:
    order_make(key="renewal:7")
    with pytest.raises(OrderDiffers, match="amount"):
        order_make(key="renewal:7", amount=Decimal("6"))


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal("-1")},
        {"amount": Decimal("NaN")},
        {"amount": Decimal("0.0000000000001")},
        {"amount": Decimal("1e18")},
        {"amount": 5.0},
        {"period_days": 0},
        {"currency": ""},
        {"accepted_assets": ["TON"]},
        {"expires_in": timedelta(days=2)},
    ],
    ids=lambda changes: next(f"{name} {value}" for name, value in changes.items()),
)
def test_what_nobody_could_pay_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OrderInvalid):
        order_make(**changes)
    assert not Payment.objects.exists()


def test_no_orders_are_taken_while_the_provider_is_off(settings: Settings) -> None:
    settings.CRYPTOBOT_ENABLED = False
    with pytest.raises(ProviderOff):
        order_make()


def test_a_timeout_after_it_did_the_work_makes_no_second_invoice(
    provider: Sandbox, heard: Heard
) -> None:
    provider.fault(service="cryptopay", method="createInvoice", kind="cut_after", times=1)
    payment = order_make()
    run_all()
    payment.refresh_from_db()
    assert [row["invoice_id"] for row in provider.pay.invoices()] == [number_of(payment)]
    assert "invoice_found" in story(payment)
    assert len(heard.invoiced) == 1


def test_a_busy_or_broken_provider_is_asked_again(provider: Sandbox) -> None:
    provider.fault(
        service="cryptopay", method="createInvoice", kind="rate_limit", retry_after=1, times=1
    )
    payment = order_make()
    run_all()
    payment.refresh_from_db()
    assert payment.state == State.PENDING
    assert len(provider.pay.invoices()) == 1


def test_what_the_provider_refuses_fails_the_order_and_is_told(
    provider: Sandbox, heard: Heard
) -> None:
    payment = order_make(currency="NOCOIN")
    drain()
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (State.FAILED, "refused")
    assert heard.failed == [(payment, "refused")]
    assert "payments.invoice_refused" in heard.groups()


def test_a_wrong_token_fails_no_order_but_is_told(
    provider: Sandbox, settings: Settings, heard: Heard
) -> None:
    settings.CRYPTOBOT_TOKEN = "41207:revoked"
    payment = order_make()
    run_all()
    payment.refresh_from_db()
    assert payment.state == State.CREATED
    assert "dead:payments.make_invoice" in heard.groups()
    settings.CRYPTOBOT_TOKEN = TOKEN
    invoice_make_again(payment_id=payment.pk, by=None)
    drain()
    payment.refresh_from_db()
    assert payment.state == State.PENDING


def test_an_outcome_that_stays_unknown_is_a_question(provider: Sandbox, heard: Heard) -> None:
    provider.fault(service="cryptopay", method="createInvoice", kind="cut_before", times=10)
    payment = order_make()
    for minutes in (0, 2, 6, 30, 60):
        with clock.shift(timedelta(minutes=minutes)):
            drain()
    assert Review.objects.get(payment=payment).reason == "invoice_unsure"
    assert JobRecord.objects.get(kind="payments.make_invoice").state == "dead"
    provider.clear_faults()


def test_an_order_of_yesterday_gets_no_invoice(provider: Sandbox) -> None:
    payment = order_make()
    with clock.shift(timedelta(hours=25)):
        drain()
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (State.FAILED, "no_invoice")
    assert provider.pay.invoices() == []
