"""Auto-renewal: an invoice shortly before the end, once per end, for whoever has asked for it."""

from datetime import timedelta
from typing import Any

import pytest

from jobs.testing import drain, job_perform
from lib import clock
from payments.events import invoice_made
from payments.models import Payment, State
from payments.services import payment_fail
from subscriptions.models import Renewal, Subscriber
from tests.subscriptions.buyers import CHAT, plan_make, row_make, told

pytestmark = pytest.mark.django_db
KIND = "subscriptions.auto_renew"
SOON = timedelta(minutes=40)


def renewer(number: int = 1, *, ends_in: timedelta = SOON, **fields: Any) -> Subscriber:
    given = {"plan": plan_make(), "auto_renew": True, "expire_at": clock.now() + ends_in}
    return row_make(number, **{**given, **fields})


def run() -> dict[str, int]:
    outcome = job_perform(KIND)
    result: dict[str, int] = getattr(outcome, "result")  # noqa: B009
    return result


def invoice_opens(payment: Payment) -> None:
    """The provider has made the invoice."""
    payment.state, payment.external_id = State.PENDING, str(payment.created_at.timestamp())
    payment.pay_url = "https://pay.example/1"
    payment.expires_at = clock.now() + timedelta(hours=24)
    payment.save()
    invoice_made.send(Payment, payment=payment)


def test_one_invoice_is_made_per_end() -> None:
    person = renewer()
    assert run() == {"invoiced": 1, "again": 0, "skipped": 0}
    assert run() == {"invoiced": 0, "again": 0, "skipped": 0}
    payment = Payment.objects.get()
    assert (payment.purpose, payment.subscriber_id) == ("auto_renewal", person.pk)
    assert Renewal.objects.get().payment == payment
    kinds = list(person.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["order_made", "renewal_invoiced"]


@pytest.mark.parametrize(
    "fields",
    [
        {"auto_renew": False},
        {"ends_in": timedelta(hours=2)},
        {"ends_in": timedelta(hours=-7)},
        {"missing_since": "now"},
    ],
    ids=["did not ask", "not yet", "long over", "gone"],
)
def test_nobody_else_gets_one(fields: dict[str, Any]) -> None:
    if "missing_since" in fields:
        fields = {"missing_since": clock.now()}
    renewer(**fields)
    assert run()["invoiced"] == 0
    assert not Renewal.objects.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"telegram_id": None}, "no_telegram"),
        ({"plan": None}, "no_plan"),
        ({"renew_currency": "GBP"}, "no_price"),
        ({"status": "DISABLED", "cut_by": "operator"}, "disabled"),
    ],
    ids=["no chat", "no plan", "no price", "disabled"],
)
def test_why_there_is_no_invoice_is_written_once(fields: dict[str, Any], reason: str) -> None:
    person = renewer(**fields)
    assert run()["skipped"] == 1
    assert run()["skipped"] == 0
    assert Renewal.objects.get().reason == reason
    assert person.events.get().kind == "renewal_skipped"


def test_the_link_is_sent_once_the_invoice_is_open() -> None:
    renewer(language="ru")
    run()
    payment = Payment.objects.get()
    invoice_opens(payment)
    invoice_opens(payment)
    drain(queues=["notifications"])
    job_perform("subscriptions.tell_invoice", payment_id=str(payment.pk))
    [text] = told("invoice_renewal")
    assert "https://pay.example/1" in text
    assert "Стандарт" in text
    assert Renewal.objects.get().told_at is not None


def test_an_invoice_of_another_purpose_is_not_sent() -> None:
    renewer()
    run()
    payment = Payment.objects.get()
    Payment.objects.update(purpose="renewal")
    payment.refresh_from_db()
    invoice_opens(payment)
    drain(queues=["notifications"])
    assert told("invoice_renewal") == []


def test_an_invoice_that_ran_out_of_time_is_followed_while_it_is_useful() -> None:
    renewer()
    run()
    first = Payment.objects.get()
    invoice_opens(first)
    drain(queues=["notifications"])
    with clock.shift(timedelta(hours=25)):
        payment_fail(payment_id=first.pk, reason="expired")
        assert run()["again"] == 1
        assert run()["again"] == 0
        second = Payment.objects.exclude(pk=first.pk).get()
        assert Renewal.objects.get().payment == second
        invoice_opens(second)
        drain(queues=["notifications"])
    assert len(told("invoice_renewal")) == 2
    with clock.shift(timedelta(days=4)):
        payment_fail(payment_id=second.pk, reason="expired")
        assert run()["again"] == 0


def test_what_a_person_gave_up_is_not_followed() -> None:
    renewer()
    run()
    payment_fail(payment_id=Payment.objects.get().pk, reason="given_up")
    assert run()["again"] == 0


def test_who_was_extended_or_changed_his_mind_gets_no_other_invoice() -> None:
    person, other = renewer(1), renewer(2)
    run()
    for payment in Payment.objects.all():
        payment_fail(payment_id=payment.pk, reason="expired")
    Subscriber.objects.filter(pk=person.pk).update(expire_at=clock.now() + timedelta(days=30))
    Subscriber.objects.filter(pk=other.pk).update(auto_renew=False)
    assert run()["again"] == 0


def test_a_new_end_gets_an_invoice_of_its_own() -> None:
    person = renewer()
    run()
    with clock.shift(timedelta(days=30)):
        Subscriber.objects.filter(pk=person.pk).update(expire_at=clock.now() + SOON)
        assert run()["invoiced"] == 1
    assert Renewal.objects.count() == 2


def test_many_are_done_in_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subscriptions.activation.tasks.PACK", 2)
    for number in range(1, 6):
        renewer(number, telegram_id=CHAT + number)
    assert run()["invoiced"] == 5
