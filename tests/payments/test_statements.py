"""What the path of the money costs: statements that many payments a minute pay for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.testing import job_perform
from lib import clock
from payments.events import payment_completed
from payments.invoicing import invoice_record
from payments.models import IncomingWebhook, Intake, Payment, PaymentEvent, Review, State
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.types import InvoiceOrder
from payments.rows import payment_lock
from payments.services import payment_fail, payment_settle
from payments.settling import invoice_settle
from payments.writing import asked_write
from tests.payments.conftest import Heard, deliver, invoiced, number_of, order_make, update_of
from tests.sandbox.fixture import Sandbox


def cost(act: Callable[[], Any]) -> list[str]:
    """The statements of an act, without the savepoints that only tests have."""
    with CaptureQueriesContext(connection) as captured:
        act()
    found = [query["sql"].strip() for query in captured.captured_queries]
    return [each for each in found if "SAVEPOINT" not in each]


def kinds(payment: Payment) -> list[str]:
    return list(payment.events.order_by("id").values_list("kind", flat=True))


def test_money_that_fits_costs_a_look_and_a_change(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    settle = cost(
        lambda: payment_settle(payment_id=payment.pk, invoice=invoice, found_by="webhook")
    )
    assert len(settle) == 2
    assert kinds(payment) == ["ordered", "invoice_asked", "invoice_made", "completed"]
    assert heard.completed[0].found_by == "webhook"


def test_an_invoice_costs_a_statement_before_and_one_after(provider: Sandbox, heard: Heard) -> None:
    payment = order_make()
    asked = cost(lambda: asked_write(payment.pk, since=payment.created_at))
    again = cost(lambda: asked_write(payment.pk, since=payment.created_at))
    assert (len(asked), len(again)) == (1, 1)
    assert kinds(payment) == ["ordered", "invoice_asked"]
    order = InvoiceOrder(payload=str(payment.pk), amount=payment.amount, asset="USDT")
    invoice = gate.invoice_open(order, look_first=False)
    assert len(cost(lambda: invoice_record(payment.pk, invoice))) == 1
    assert [(each.pk, each.state) for each in heard.invoiced] == [(payment.pk, State.PENDING)]
    payment.refresh_from_db()
    assert (payment.state, payment.external_id) == (State.PENDING, str(invoice.invoice_id))


def test_an_order_that_is_too_old_is_not_asked_for(provider: Sandbox) -> None:
    payment = order_make()
    found, _ = asked_write(payment.pk, since=clock.now())
    assert found == payment
    assert kinds(payment) == ["ordered"]


def test_a_failure_and_who_was_told_are_written_at_once(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    assert len(cost(lambda: payment_fail(payment_id=payment.pk, reason="expired"))) == 4
    assert kinds(payment)[-2:] == ["failed", "told_failed"]


def test_a_question_is_one_statement_whether_it_is_new_or_not(
    provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True, amount="4")
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None

    def look() -> list[str]:
        return cost(lambda: payment_settle(payment_id=payment.pk, invoice=invoice, found_by="poll"))

    first = look()  # and the alert of it
    assert len([each for each in first if "payment_review" in each]) == 1
    assert len(look()) == 3  # the lock, when it was looked at, whether it is asked
    review = Review.objects.get()
    assert kinds(payment)[-1] == "review_opened"
    line = PaymentEvent.objects.get(payment=payment, kind="review_opened")
    assert line.data == {"reason": "paid less than asked", "review": review.pk}


def test_a_delivery_is_processed_in_the_transaction_that_completes_its_payment(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    assert deliver(client, body) == 200
    row = IncomingWebhook.objects.get()

    def fall(**_: object) -> None:
        raise RuntimeError("whoever hears of it falls")

    payment_completed.connect(fall, weak=False)
    try:
        with pytest.raises(RuntimeError):
            job_perform("payments.process_webhook", webhook_id=row.pk)
    finally:
        payment_completed.disconnect(fall)
    row.refresh_from_db()
    payment.refresh_from_db()
    assert (row.state, payment.state) == (Intake.RECEIVED, State.PENDING)
    assert "completed" not in kinds(payment)

    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    settled = invoice_settle("cryptobot", invoice, webhook_id=row.pk)
    assert settled is not None
    assert settled.is_new
    row.refresh_from_db()
    assert (row.state, row.last_error) == (Intake.PROCESSED, "")
    assert row.object_ref == f"payment:{payment.pk}"
    assert row.processed_at is not None


def test_a_delivery_whose_payment_the_poll_has_completed_asks_nobody_again(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    assert deliver(client, body) == 200
    job_perform("payments.verify_pending")
    row = IncomingWebhook.objects.get()
    asked = provider.pay.stats()["by_method"].get("getInvoices", 0)
    assert len(cost(lambda: job_perform("payments.process_webhook", webhook_id=row.pk))) == 2
    assert provider.pay.stats()["by_method"].get("getInvoices", 0) == asked
    row.refresh_from_db()
    assert (row.state, row.object_ref) == (Intake.PROCESSED, f"payment:{payment.pk}")
    assert len(heard.completed) == 1


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_there_is_no_lock(heard: Heard) -> None:
    payment = order_make()
    with pytest.raises(transaction.TransactionManagementError):
        payment_lock(payment.pk)


def test_a_delivery_about_another_invoice_of_a_completed_payment_is_asked_about(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    job_perform("payments.verify_pending")
    Payment.objects.filter(pk=payment.pk).update(external_id="1")
    assert deliver(client, body) == 200
    row = IncomingWebhook.objects.get()
    job_perform("payments.process_webhook", webhook_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.object_ref) == (Intake.PROCESSED, f"payment:{payment.pk}")
    assert Review.objects.get().reason == "twice"
    assert len(heard.completed) == 1
