"""Money that fits completes a payment; money that does not is a question, never an activation."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from jobs.testing import drain, job_perform
from lib import clock
from lib.errors import NotFound
from lib.ids import uuid7
from notifications.telegram.models import QueuedMessage
from payments.errors import PaymentNotOpen
from payments.models import FoundBy, Payment, PaymentEvent, Review, State
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.types import Invoice
from payments.services import payment_fail, payment_settle
from tests.payments.conftest import CHAT, Heard, invoiced, number_of, order_make
from tests.sandbox.fixture import Sandbox


def read(payment: Payment) -> Invoice:
    found = gate.invoice_read(number_of(payment))
    assert found is not None
    return found


def settle(payment: Payment, **given: Any) -> Payment:
    return payment_settle(payment_id=payment.pk, invoice=read(payment), found_by="poll", **given)


def test_the_amounts_are_kept_as_the_provider_says_them(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced(amount=Decimal("4.123456"))
    provider.pay.pay(number_of(payment), silent=True)
    settled = settle(payment)
    settled.refresh_from_db()
    invoice = read(payment)
    assert settled.paid_amount == Decimal("4.123456")
    assert settled.fee_amount == invoice.fee_amount
    assert settled.paid_at == invoice.paid_at
    assert settled.found_by == FoundBy.POLL
    assert heard.completed == [settled]


def test_an_invoice_that_is_not_paid_changes_nothing(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    assert settle(payment).state == State.PENDING
    assert heard.completed == []


def test_settling_again_changes_nothing(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    first = settle(payment)
    again = settle(payment)
    assert again.completed_at == first.completed_at
    assert len(heard.completed) == 1


def test_what_does_not_exist_is_not_found(provider: Sandbox) -> None:
    payment = invoiced()
    with pytest.raises(NotFound):
        payment_settle(payment_id=uuid7(), invoice=read(payment), found_by="poll")


@pytest.mark.parametrize(
    ("terms", "paid", "reason"),
    [
        ({}, {"amount": "4.99"}, "under"),
        ({}, {"amount": "5.01"}, "over"),
        ({}, {"asset": "TON"}, "other_asset"),
        (
            {"currency_type": "fiat", "currency": "EUR", "accepted_assets": ["USDT"]},
            {"asset": "TON"},
            "other_asset",
        ),
        (
            {"currency_type": "fiat", "currency": "EUR"},
            {"asset": "USDT", "amount": "1"},
            "under",
        ),
        (
            {"currency_type": "fiat", "currency": "EUR"},
            {"asset": "USDT", "amount": "100"},
            "over",
        ),
    ],
    ids=["under", "over", "other coin", "not accepted", "under in fiat", "over in fiat"],
)
def test_money_that_does_not_fit_is_a_question(
    provider: Sandbox, heard: Heard, terms: dict[str, Any], paid: dict[str, Any], reason: str
) -> None:
    payment = invoiced(**terms)
    provider.pay.pay(number_of(payment), silent=True, **paid)
    settle(payment)
    settle(payment)  # a second look asks nothing new
    payment.refresh_from_db()
    assert payment.state == State.PENDING
    review = Review.objects.get()
    assert (review.reason, review.payment_id) == (reason, payment.pk)
    assert review.facts["expected"]["price"].startswith("5 ")
    assert heard.completed == []
    assert heard.groups() == [f"payments.review:{reason}"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": Decimal("4")}, "over"),
        ({"amount": Decimal("6")}, "under"),
        ({"currency": "TON"}, "other_asset"),
        ({"currency_type": "fiat", "currency": "USD"}, "other_asset"),
    ],
    ids=["dearer", "cheaper", "other coin", "other type"],
)
def test_an_invoice_about_something_else_is_a_question(
    provider: Sandbox, heard: Heard, changes: dict[str, Any], reason: str
) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    Payment.objects.filter(pk=payment.pk).update(**changes)
    settle(payment)
    assert Review.objects.get().reason == reason
    assert heard.completed == []


def test_an_invoice_of_another_order_is_a_question(provider: Sandbox, heard: Heard) -> None:
    mine, other = invoiced(), invoiced()
    provider.pay.pay(number_of(other), silent=True)
    payment_settle(payment_id=mine.pk, invoice=read(other), found_by="poll")
    review = Review.objects.get()
    assert (review.reason, review.key) == ("other_order", f"invoice:{other.external_id}")
    assert heard.completed == []


def test_paid_after_its_time_is_honoured(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    payment_fail(payment_id=payment.pk, reason="expired")
    provider.pay.pay(number_of(payment), silent=True)
    assert settle(payment).state == State.COMPLETED
    assert heard.completed == [payment]
    assert PaymentEvent.objects.filter(payment=payment, kind="completed_late").exists()


def test_paid_after_a_person_gave_it_up_is_a_question(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    payment_fail(payment_id=payment.pk, reason="given_up")
    provider.pay.pay(number_of(payment), silent=True)
    assert settle(payment).state == State.FAILED
    assert Review.objects.get().reason == "late"
    assert heard.completed == []


def test_paid_late_after_another_order_of_the_same_person_is_a_question(
    provider: Sandbox, heard: Heard
) -> None:
    first = invoiced()
    payment_fail(payment_id=first.pk, reason="expired")
    second = invoiced()
    provider.pay.pay_all([number_of(first), number_of(second)], silent=True)
    settle(second)
    settle(first)
    assert Review.objects.get().reason == "twice"
    assert [payment.pk for payment in heard.completed] == [second.pk]


def test_a_second_paid_invoice_of_one_order_is_a_question(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    first = read(payment)
    Payment.objects.filter(pk=payment.pk).update(state=State.CREATED, external_id=None)
    PaymentEvent.objects.filter(payment=payment, kind="invoice_asked").delete()
    job_perform("payments.make_invoice", payment_id=str(payment.pk))
    payment.refresh_from_db()
    assert number_of(payment) != first.invoice_id
    provider.pay.pay_all([number_of(payment), first.invoice_id], silent=True)
    settle(payment)
    spare = gate.invoice_read(first.invoice_id)
    assert spare is not None
    payment_settle(payment_id=payment.pk, invoice=spare, found_by="webhook")
    review = Review.objects.get()
    assert (review.reason, review.key) == ("twice", f"invoice:{first.invoice_id}")
    assert len(heard.completed) == 1


def test_an_order_may_be_paid_by_its_spare_invoice(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    first = read(payment)
    Payment.objects.filter(pk=payment.pk).update(external_id="1")
    provider.pay.pay(first.invoice_id, silent=True)
    spare = gate.invoice_read(first.invoice_id)
    assert spare is not None
    payment_settle(payment_id=payment.pk, invoice=spare, found_by="webhook")
    payment.refresh_from_db()
    assert (payment.state, payment.external_id) == (State.COMPLETED, str(first.invoice_id))


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "was not paid in time"), ("ru-RU", "не был оплачен вовремя"), ("de", "was not paid")],
)
def test_the_payer_is_told_in_a_language_of_ours(
    provider: Sandbox, heard: Heard, language: str, words: str
) -> None:
    payment = invoiced(language=language)
    payment_fail(payment_id=payment.pk, reason="expired")
    payment_fail(payment_id=payment.pk, reason="expired")
    message = QueuedMessage.objects.get()
    assert message.telegram_id == CHAT
    assert words in message.message
    assert heard.failed == [(payment, "expired")]


def test_a_payer_without_a_chat_is_not_told_and_the_story_says_so(provider: Sandbox) -> None:
    payment = invoiced(telegram_id=None)
    payment_fail(payment_id=payment.pk, reason="expired")
    assert not QueuedMessage.objects.exists()
    assert PaymentEvent.objects.filter(payment=payment, kind="not_told").exists()


def test_a_completed_payment_cannot_fail(provider: Sandbox) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    settle(payment)
    with pytest.raises(PaymentNotOpen):
        payment_fail(payment_id=payment.pk, reason="expired")


def test_nobody_is_told_of_an_order_without_an_invoice(heard: Heard) -> None:
    payment = order_make()
    payment_fail(payment_id=payment.pk, reason="no_invoice")
    assert not QueuedMessage.objects.exists()
    assert heard.failed == [(payment, "expired")]
    with clock.shift(timedelta(hours=1)):
        drain(queues=["maintenance"])
