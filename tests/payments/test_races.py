"""Many who notice the same money at the same moment: one completion, one signal."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from uuid import UUID

import pytest
from django.test import Client

from jobs.testing import drain, job_perform
from payments import settling
from payments.errors import PaymentNotOpen
from payments.intake import taking
from payments.models import (
    IncomingWebhook,
    Payment,
    PaymentEvent,
    Review,
    ReviewReason,
    State,
)
from payments.providers.cryptobot import gate
from payments.questions import question_open
from payments.services import payment_fail, payment_recheck, payment_settle
from tests.payments.conftest import Heard, deliver, invoiced, number_of, order_make, update_of
from tests.races.parties import parties
from tests.races.together import run_together
from tests.sandbox.fixture import Sandbox

DELIVERIES = 50
BOTH = pytest.mark.parametrize("is_locked", [True, False], ids=["locked", "control"])


@pytest.fixture(autouse=True)
def all_commit(committed: None) -> None:
    """A race needs two connections."""


def test_fifty_deliveries_a_poll_and_a_click_complete_once(
    client: Client, provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    invoice = provider.pay.pay(number_of(payment), silent=True)
    bodies = [update_of(invoice, update_id=number % 7) for number in range(DELIVERIES)]

    def poll() -> int:
        job_perform("payments.verify_pending")
        return 200

    def click() -> int:
        payment_recheck(payment.pk, None)
        return 200

    acts: list[Callable[[], int]] = [poll, click]
    acts += [partial(_deliver_all, bodies[number::8]) for number in range(8)]
    assert set(run_together(acts)) == {200}
    run_together([drain] * 3)
    payment.refresh_from_db()
    assert payment.state == State.COMPLETED
    assert len(heard.completed) == 1
    assert PaymentEvent.objects.filter(kind="completed").count() == 1
    states = list(IncomingWebhook.objects.values_list("state", flat=True))
    assert sorted(set(states)) == ["duplicate", "processed"]
    assert (states.count("processed"), len(states)) == (1, DELIVERIES)
    assert not Review.objects.exists()


def _deliver_all(bodies: list[bytes]) -> int:
    return max(deliver(Client(), body) for body in bodies)


@BOTH
def test_two_who_settle_at_once_complete_once(
    provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    """The control reads the payment without its lock, as if the row were looked at before."""
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    settle = partial(payment_settle, payment_id=payment.pk, invoice=invoice, found_by="poll")
    if not is_locked:
        monkeypatch.setattr(settling, "payment_lock", _unlocked)
    with parties() as begin:
        first = begin(settle).wait()
        second = begin(settle).wait_blocked()
        first.commit()
        second.commit()
    assert len(heard.completed) == (1 if is_locked else 2)  # a control of one would be blind


def _unlocked(payment_id: UUID) -> Payment:
    return Payment.objects.get(pk=payment_id)


@BOTH
def test_paid_in_the_second_in_which_it_is_given_up(
    provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    """It is paid in any case. The control loses the money: the failure overwrites it."""
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    invoice = gate.invoice_read(number_of(payment))
    assert invoice is not None
    if not is_locked:
        monkeypatch.setattr(settling, "payment_lock", _unlocked)
    with parties() as begin:
        first = begin(
            partial(payment_settle, payment_id=payment.pk, invoice=invoice, found_by="poll")
        ).wait()
        second = begin(partial(payment_fail, payment_id=payment.pk, reason="expired"))
        second.wait_blocked()
        first.commit()
        refusal = pytest.raises(PaymentNotOpen) if is_locked else nullcontext()
        with refusal:
            second.commit()
    payment.refresh_from_db()
    assert payment.state == (State.COMPLETED if is_locked else State.FAILED)


def test_the_same_key_at_once_makes_one_order(heard: Heard) -> None:
    made = run_together([partial(order_make, key="renewal:7")] * 6)
    assert len({payment.pk for payment in made}) == 1
    assert Payment.objects.count() == 1


@BOTH
def test_the_same_event_at_once_is_received_once(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    """The control forgets the key, as a log without its constraint would."""
    payment = invoiced()
    body = update_of(provider.pay.pay(number_of(payment), silent=True))
    if not is_locked:
        monkeypatch.setattr(taking, "_INSERT", taking._INSERT.replace("%(key)s", "''", 1))
    assert set(run_together([partial(deliver, Client(), body)] * 6)) == {200}
    received = IncomingWebhook.objects.filter(state="received").count()
    assert received == (1 if is_locked else 6)


def test_the_same_question_at_once_is_asked_once(heard: Heard) -> None:
    def ask() -> Review | None:
        return question_open(
            key="invoice:1", reason=ReviewReason.TWICE, facts={"came": {"invoice": "1"}}
        )

    asked = run_together([ask] * 4)
    assert [row is not None for row in asked].count(True) == 1
    assert len(heard.told) == 1
