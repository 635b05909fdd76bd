"""The review desk: what did not fit, decided by a person, never without the provider's word."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import drain
from payments.models import Payment, PaymentEvent, Review, ReviewReason, State
from payments.providers.cryptobot import gate
from payments.questions import question_open
from payments.services import payment_settle
from tests.payments.conftest import Heard, deliver, invoiced, number_of, update_of
from tests.payments.test_earning import paid
from tests.sandbox.fixture import Sandbox

LIST = "/admin/payments/review/"


def underpaid(provider: Sandbox) -> tuple[Payment, Review]:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True, amount="4.5")
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    payment_settle(payment_id=payment.pk, invoice=invoice, found_by="poll")
    return payment, Review.objects.get(payment=payment)


def resolve(
    client: Client, review: Review, resolution: str, note: str = "asked", **given: str
) -> Any:
    address = reverse("admin:payments_review_resolve", args=[review.pk])
    return client.post(address, {"resolution": resolution, "note": note, **given}, follow=True)


def test_the_desk_shows_what_was_expected_and_what_came(
    operator: Client, provider: Sandbox
) -> None:
    _, review = underpaid(provider)
    listed = operator.get(LIST).content.decode()
    assert "paid less than asked" in listed
    assert "4.5 USDT" in listed
    text = operator.get(reverse("admin:payments_review_change", args=[review.pk])).content.decode()
    assert "Accept as paid" in text
    assert "Ask the payer for the rest" in text


def test_an_empty_desk_says_so(operator: Client) -> None:
    assert "No open question." in operator.get(LIST).content.decode()
    assert "No question was answered yet." in operator.get(f"{LIST}?answered=yes").content.decode()


def test_accepted_money_completes_the_payment(
    operator: Client, provider: Sandbox, heard: Heard
) -> None:
    payment, review = underpaid(provider)
    answer = resolve(operator, review, "settled", "half a dollar is fine")
    assert "Crypto Pay is asked once more" in answer.content.decode()
    drain()
    payment.refresh_from_db()
    review.refresh_from_db()
    assert (payment.state, payment.found_by) == (State.COMPLETED, "operator")
    assert (review.resolution, review.resolved_by) == ("settled", "olga")
    assert heard.completed == [payment]
    assert PaymentEvent.objects.filter(payment=payment, kind="completed", actor="olga").exists()
    assert {"payments.settle", "payments.resolve"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_accepting_twice_completes_once(operator: Client, provider: Sandbox, heard: Heard) -> None:
    _, review = underpaid(provider)
    for _ in range(2):
        resolve(operator, review, "settled")
    drain()
    assert "answered already" in resolve(operator, review, "settled").content.decode()
    assert len(heard.completed) == 1


def test_what_the_provider_does_not_call_paid_is_not_accepted(
    operator: Client, provider: Sandbox, heard: Heard
) -> None:
    payment, review = underpaid(provider)
    provider.pay.forget(number_of(payment))
    resolve(operator, review, "settled")
    drain()
    payment.refresh_from_db()
    review.refresh_from_db()
    assert payment.state == State.PENDING
    assert review.resolved_at is None
    assert heard.completed == []


@pytest.mark.parametrize("resolution", ["refunded", "kept"])
def test_other_answers_close_the_question_and_end_the_order(
    operator: Client, provider: Sandbox, heard: Heard, resolution: str
) -> None:
    payment, review = underpaid(provider)
    resolve(operator, review, resolution, "sent back by transfer")
    drain()
    review.refresh_from_db()
    payment.refresh_from_db()
    assert (review.resolution, review.note) == (resolution, "sent back by transfer")
    assert (payment.state, payment.failure) == (State.FAILED, "declined")
    assert heard.completed == []
    assert "sent back by transfer" in operator.get(f"{LIST}{review.pk}/change/").content.decode()


def test_an_answered_question_is_not_asked_again(
    operator: Client, provider: Sandbox, heard: Heard
) -> None:
    payment, review = underpaid(provider)
    resolve(operator, review, "refunded")
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    payment_settle(payment_id=payment.pk, invoice=invoice, found_by="poll")
    assert Review.objects.count() == 1


def test_money_of_an_unknown_invoice_goes_to_the_payment_that_is_named(
    operator: Client, client: Client, provider: Sandbox, heard: Heard
) -> None:
    stray, target = invoiced(), invoiced()
    body = update_of(provider.pay.pay(number_of(stray), silent=True))
    Payment.objects.filter(pk=stray.pk).delete()
    assert deliver(client, body) == 200
    drain()
    review = Review.objects.get(reason="unknown_invoice")
    assert "name the payment" in resolve(operator, review, "settled").content.decode()
    assert "not the id" in resolve(operator, review, "settled", payment="7").content.decode()
    resolve(operator, review, "settled", payment=str(target.pk))
    drain()
    review.refresh_from_db()
    target.refresh_from_db()
    assert (review.resolution, review.payment_id) == ("settled", target.pk)
    assert (target.state, target.external_id) == (State.COMPLETED, str(number_of(stray)))


def test_money_of_one_order_is_not_accepted_for_another(
    operator: Client, provider: Sandbox, heard: Heard
) -> None:
    mine, other = invoiced(), invoiced()
    provider.pay.pay(number_of(other), silent=True)
    invoice = gate.invoice_read(number_of(other))
    assert invoice is not None
    payment_settle(payment_id=mine.pk, invoice=invoice, found_by="poll")
    review = Review.objects.get(reason="other_order")
    answer = resolve(operator, review, "settled").content.decode()
    assert f"this invoice belongs to payment {other.pk}" in answer
    assert heard.completed == []


def test_a_completed_payment_cannot_be_completed_by_an_answer(operator: Client) -> None:
    payment = paid(1)
    review = question_open(
        key="invoice:2",
        reason=ReviewReason.TWICE,
        facts={"came": {"invoice": "2"}},
        payment=payment,
    )
    assert review is not None
    answer = resolve(operator, review, "settled").content.decode()
    assert "give the money back or keep it" in answer


@pytest.mark.parametrize(("resolution", "note"), [("settled", ""), ("burnt", "x"), ("", "x")])
def test_an_answer_needs_a_word_and_a_reason(
    operator: Client, provider: Sandbox, resolution: str, note: str
) -> None:
    _, review = underpaid(provider)
    assert "Refused" in resolve(operator, review, resolution, note).content.decode()
    review.refresh_from_db()
    assert review.resolved_at is None


def test_who_may_only_look_may_not_decide(supporter: Client, provider: Sandbox) -> None:
    _, review = underpaid(provider)
    assert resolve(supporter, review, "kept").status_code == 403
    text = supporter.get(f"{LIST}{review.pk}/change/").content.decode()
    assert "Deciding needs the permission" in text


def test_the_front_page_names_open_questions(operator: Client, provider: Sandbox) -> None:
    underpaid(provider)
    assert "open question about money" in operator.get("/admin/").content.decode()


def test_the_desk_costs_the_same_however_full_it_is(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        question_open(
            key=f"invoice:{number}",
            reason=ReviewReason.TWICE,
            facts={"came": {"invoice": str(number)}},
            payment=paid(number),
        )
    operator.get(LIST)
    with django_assert_num_queries(5):  # session, person, two of permissions; the page
        answer = operator.get(LIST)
    assert len(answer.context["page"].reviews) == 50
    rest = operator.get(f"{LIST}{answer.context['following']}").context["page"].reviews
    assert len(rest) == 10
