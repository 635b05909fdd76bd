"""Payments in the console."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from jobs.models import AuditEntry
from jobs.testing import assert_enqueued, drain
from lib import clock
from payments.models import Payment, State
from payments.services import payment_fail, payment_refund_note
from tests.payments.conftest import deliver, invoiced, number_of, order_make, update_of
from tests.payments.test_earning import paid
from tests.sandbox.fixture import Sandbox

LIST = "/admin/payments/payment/"


def page_of(payment: Payment) -> str:
    return reverse("admin:payments_payment_change", args=[payment.pk])


def act(client: Client, payment: Payment, name: str, **given: Any) -> Any:
    address = reverse(f"admin:payments_payment_{name}", args=[payment.pk])
    return client.post(address, given, follow=True)


def shown(client: Client, query: str = "") -> list[Payment]:
    answer = client.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return list(answer.context["page"].payments)


def test_the_list_shows_the_newest_first(operator: Client) -> None:
    first, second = order_make(), order_make()
    assert shown(operator) == [second, first]


def test_an_empty_list_says_what_to_do(operator: Client) -> None:
    assert "There is no payment yet." in operator.get(LIST).content.decode()


def test_the_list_takes_one_query_for_its_rows(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        paid(number)
    operator.get(LIST)
    with django_assert_num_queries(5) as few:  # session, person, two of permissions; the page
        shown(operator)
    for number in range(3, 60):
        paid(number)
    with django_assert_num_queries(len(few.captured_queries)):
        assert len(shown(operator)) == 50


def test_pages_go_on_where_the_last_one_ended(operator: Client) -> None:
    everything = [paid(number) for number in range(55)][::-1]
    answer = operator.get(LIST)
    rest = operator.get(f"{LIST}{answer.context['following']}")
    found = [*answer.context["page"].payments, *rest.context["page"].payments]
    assert found == everything
    assert rest.context["following"] == ""


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("?state=completed", True),
        ("?state=failed", False),
        ("?plan=standard-1m", True),
        ("?plan=family", False),
        ("?currency=usdt", True),
        ("?currency=EUR", False),
        ("?asset=USDT", True),
        ("?asset=TON", False),
        ("?found_by=webhook", True),
        ("?found_by=poll", False),
        ("?provider=cryptobot", True),
        ("?telegram=42", True),
        ("?telegram=43", False),
        ("?subscriber=9", True),
        ("?created_from=1h", True),
        ("?created_to=1h", False),
    ],
)
def test_filters(operator: Client, query: str, *, matches: bool) -> None:
    payment = paid(1, telegram_id=42, subscriber_id=9)
    assert shown(operator, query) == ([payment] if matches else [])


def test_a_wrong_filter_is_said_beside_the_field(operator: Client) -> None:
    answer = operator.get(f"{LIST}?created_from=soon")
    assert answer.context["page"] is None
    assert "Write 2026-11-22" in answer.content.decode()


@pytest.mark.parametrize("how", ["id", "invoice", "telegram", "plan"])
def test_a_payment_is_found_by_what_people_have(operator: Client, how: str) -> None:
    payment = paid(9_000_017, telegram_id=42)
    paid(9_000_018, telegram_id=43, plan_code="family")
    wanted = {
        "id": str(payment.pk),
        "invoice": "9000017",
        "telegram": "42",
        "plan": "standard-1m",
    }[how]
    answer = operator.get(f"{LIST}?q={wanted}", follow=True)
    if how in {"id", "invoice"}:
        assert answer.context["payment"] == payment
    else:
        assert answer.context["page"].payments == [payment]


def test_the_page_tells_the_story_in_words(
    operator: Client, client: Client, provider: Sandbox
) -> None:
    payment = invoiced()
    assert deliver(client, update_of(provider.pay.pay(number_of(payment), silent=True))) == 200
    drain()
    text = operator.get(page_of(payment)).content.decode()
    assert "Ordered Standard, 1 month, 30 days, for 5 USDT." in text
    assert "noticed by webhook" in text
    assert "invoice_paid" in text


def test_a_payment_that_is_not_there_is_not_found(operator: Client) -> None:
    address = reverse(
        "admin:payments_payment_change", args=["01a20221-7d3e-7c41-9d0a-3f2b8c6f1e55"]
    )
    assert operator.get(address).status_code == 404


def test_recheck_asks_and_is_audited(operator: Client, provider: Sandbox) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    assert "is being asked" in act(operator, payment, "recheck").content.decode()
    drain()
    payment.refresh_from_db()
    assert (payment.state, payment.found_by) == (State.COMPLETED, "operator")
    entry = AuditEntry.objects.get(action="payments.recheck")
    assert (entry.account_name, entry.object_id) == ("olga", str(payment.pk))


def test_giving_up_needs_a_reason(operator: Client, provider: Sandbox) -> None:
    payment = invoiced()
    assert "Refused: say why" in act(operator, payment, "give_up").content.decode()
    act(operator, payment, "give_up", reason="ordered by mistake")
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (State.FAILED, "given_up")
    assert AuditEntry.objects.get(action="payments.give_up").changes["note"] == "ordered by mistake"


def test_a_refund_is_noted_once(operator: Client) -> None:
    payment = paid(1)
    act(operator, payment, "refund", reason="by transfer 17")
    payment.refresh_from_db()
    assert payment.state == State.REFUNDED
    again = payment_refund_note(payment_id=payment.pk, note="again", by=None)
    assert again.refunded_at == payment.refunded_at
    assert AuditEntry.objects.filter(action="payments.refund_note").count() == 1


def test_what_was_not_paid_cannot_be_refunded(operator: Client, provider: Sandbox) -> None:
    payment = invoiced()
    answer = act(operator, payment, "refund", reason="why not")
    assert "Refused: the payment is pending" in answer.content.decode()


def test_an_invoice_can_be_made_again(operator: Client) -> None:
    payment = order_make()
    act(operator, payment, "make_invoice")
    assert_enqueued("payments.make_invoice", payment_id=str(payment.pk))
    payment_fail(payment_id=payment.pk, reason="no_invoice")
    assert "Refused" in act(operator, payment, "make_invoice").content.decode()


@pytest.mark.parametrize("name", ["recheck", "give_up", "refund", "make_invoice"])
def test_who_may_only_look_may_not_act(supporter: Client, name: str) -> None:
    payment = paid(1)
    assert act(supporter, payment, name, reason="x").status_code == 403
    assert supporter.get(page_of(payment)).status_code == 200


def test_who_may_not_look_sees_nothing(person: Any) -> None:
    stranger = person("eve")
    assert stranger.get(LIST).status_code == 403
    assert stranger.get(page_of(paid(1))).status_code == 403


def test_an_act_is_a_post(operator: Client) -> None:
    address = reverse("admin:payments_payment_recheck", args=[paid(1).pk])
    assert operator.get(address).status_code == 405


def test_many_are_rechecked_after_a_look(operator: Client, provider: Sandbox) -> None:
    waiting, done = invoiced(), paid(1)
    look = operator.get(f"{LIST}act/", {"action": "recheck", "id": [str(waiting.pk), str(done.pk)]})
    assert look.status_code == 200
    assert "Recheck 2 payments?" in look.content.decode()
    hidden = [(name, value) for name, value in look.context["hidden"]]
    sent: dict[str, list[str]] = {}
    for name, value in hidden:
        sent.setdefault(name, []).append(value)
    answer = operator.post(f"{LIST}act/", sent, follow=True)
    assert "it is completed already" in answer.content.decode()
    assert_enqueued("payments.check_invoice", payment_id=str(waiting.pk))
    assert AuditEntry.objects.filter(action="payments.bulk_recheck").count() == 1


def test_the_front_page_names_orders_without_an_invoice(operator: Client) -> None:
    order_make()
    with clock.shift(timedelta(minutes=20)):
        assert "order without an invoice" in operator.get("/admin/").content.decode()


def test_a_dear_price_is_shown_exactly(operator: Client) -> None:
    payment = order_make(amount=Decimal("12345.000000000001"))
    assert "12345.000000000001 USDT" in operator.get(page_of(payment)).content.decode()
