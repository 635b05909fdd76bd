"""What happens between the steps of others: money that goes back, numbers that change their owner,
people who are cut while somebody extends them.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.outcomes import Cancel
from jobs.testing import drain, job_perform
from lib import clock
from payments import fitting
from payments.models import Payment, Review, ReviewReason
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.types import Invoice, InvoiceOrder
from payments.questions import question_open
from payments.services import order_create, payment_refund_note, payment_settle, review_resolve
from subscriptions import services
from subscriptions.activation import run
from subscriptions.lifecycle import cutting
from subscriptions.lifecycle.expired import EXPIRED
from subscriptions.lifecycle.sweeps import sweep_begin
from subscriptions.models import Activation, Renewal, Subscriber
from subscriptions.turns import TurnTaken
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand
from tests.subscriptions.buyers import (
    CHAT,
    ends_of,
    paid,
    person_make,
    plan_make,
    status_of,
    told,
)

TOKEN = "41207:AASample-secret_part"
MONTH = timedelta(days=30)


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = TOKEN
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()


def order_of(person: Subscriber) -> Payment:
    """An order of five USDT that waits to be paid."""
    made = order_create(
        subscriber_id=person.pk,
        telegram_id=CHAT,
        language="en",
        plan_code=plan_make().code,
        plan_title="Standard",
        period_days=30,
        currency_type="crypto",
        currency="USDT",
        amount=Decimal(5),
    )
    drain()
    made.refresh_from_db()
    return made


def stray_paid(provider: Sandbox) -> Invoice:
    """A paid invoice that is of no order of ours."""
    made = gate.client().invoice_create(
        InvoiceOrder(payload="stray", amount=Decimal(5), asset="USDT")
    )
    provider.pay.pay(made.invoice_id, silent=True)
    found = gate.invoice_read(made.invoice_id)
    assert found is not None
    return found


def asked_about(invoice: Invoice) -> Review:
    row = question_open(
        key=f"invoice:{invoice.invoice_id}",
        reason=ReviewReason.UNKNOWN_INVOICE,
        facts=fitting.facts(None, invoice),
    )
    assert row is not None
    return row


def test_money_for_one_never_extends_who_has_his_number_now(panel: PanelHand, db: None) -> None:
    ours, other = person_make(panel), person_make(panel)
    number = other.panel_id
    assert number is not None
    other.delete()
    Subscriber.objects.filter(pk=ours.pk).update(panel_id=number)  # restored from a backup
    ours.refresh_from_db()
    before = panel.user(number)["expireAt"]
    activation = paid(ours)
    job_perform("subscriptions.activate", activation_id=activation.pk)
    activation.refresh_from_db()
    assert panel.user(number)["expireAt"] == before
    assert (activation.state, activation.reason) == ("failed", "missing")
    assert not told()


def test_money_that_goes_back_while_access_is_given_is_not_told_as_served(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch, alerts: list[Any]
) -> None:
    activation = paid(person_make(panel))

    def strike(name: str) -> None:
        if name == "activation.served":
            payment_refund_note(payment_id=activation.payment_id, note="asked for it", by=None)

    monkeypatch.setattr(run, "fault", strike)
    assert run.activation_run(activation.pk, is_last=False) == Cancel("the payment is refunded")
    activation.refresh_from_db()
    assert activation.state == Activation.State.FAILED
    assert not told()
    assert [each["group"] for each in alerts] == ["access:refunded"]


def test_a_question_stays_open_if_its_money_was_not_what_completed_the_payment(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    payment = order_of(person_make(panel))
    stray = stray_paid(provider)
    row = asked_about(stray)
    review_resolve(
        review_id=row.pk, resolution="settled", note="his", by=None, payment_id=payment.pk
    )
    own = int(payment.external_id or 0)
    provider.pay.pay(own, silent=True)
    invoice = gate.invoice_read(own)
    assert invoice is not None
    payment_settle(payment_id=payment.pk, invoice=invoice, found_by="webhook")
    drain()
    row.refresh_from_db()
    assert row.resolved_at is None
    assert Activation.objects.count() == 1


def test_the_invoice_whose_place_another_takes_can_be_paid_no_more(
    panel: PanelHand, provider: Sandbox, db: None
) -> None:
    payment = order_of(person_make(panel))
    before = int(payment.external_id or 0)
    stray = stray_paid(provider)
    payment_settle(payment_id=payment.pk, invoice=stray, found_by="operator", accept=True)
    drain()
    payment.refresh_from_db()
    assert payment.external_id == str(stray.invoice_id)
    assert gate.invoice_read(before) is None


def test_who_ends_while_payments_are_off_gets_his_invoice_afterwards(
    panel: PanelHand, provider: Sandbox, db: None, settings: Settings
) -> None:
    person_make(panel, ends_in=timedelta(minutes=50), plan=plan_make(), auto_renew=True)
    settings.CRYPTOBOT_ENABLED = False
    job_perform("subscriptions.auto_renew")
    assert not Renewal.objects.exists()
    settings.CRYPTOBOT_ENABLED = True
    with clock.shift(timedelta(minutes=10)):
        job_perform("subscriptions.auto_renew")
    assert Payment.objects.count() == 1


def test_nobody_is_extended_and_cut_in_the_same_moment(
    panel: PanelHand, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = person_make(panel, ends_in=timedelta(hours=-2))
    sweep_begin(EXPIRED)
    refused: list[str] = []

    def strike(name: str) -> None:
        if name == "sweep.intended":
            with pytest.raises(TurnTaken) as caught:  # the operator is told to try again
                services.subscriber_extend(subscriber_id=person.pk, days=30, by=None)
            refused.append(str(caught.value))

    monkeypatch.setattr(cutting, "fault", strike)
    drain()
    person.refresh_from_db()
    assert len(refused) == 1
    assert (status_of(panel, person), person.cut_by) == ("DISABLED", "sweep")
    assert ends_of(panel, person) == person.expire_at
