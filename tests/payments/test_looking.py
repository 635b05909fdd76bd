"""The poll of open payments: what the webhook did not tell."""

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from jobs.outcomes import Done
from jobs.testing import drain, job_perform
from lib import clock
from notifications.telegram.models import QueuedMessage
from payments import looking, settling
from payments.models import FoundBy, Payment, PaymentEvent, Review, State
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.errors import CryptoPayAway
from payments.providers.cryptobot.types import Invoice
from payments.services import payment_give_up, payment_recheck
from tests.payments.conftest import Heard, invoiced, number_of, order_make
from tests.sandbox.fixture import Sandbox


def look() -> dict[str, int]:
    outcome = job_perform("payments.verify_pending")
    assert isinstance(outcome, Done)
    result: dict[str, int] = outcome.result
    return result


def test_a_paid_invoice_without_a_webhook_is_found(provider: Sandbox, heard: Heard) -> None:
    paid, open_one = invoiced(), invoiced()
    provider.pay.pay(number_of(paid), silent=True)
    found = look()
    assert (found["checked"], found["completed"], found["failed"]) == (2, 1, 0)
    paid.refresh_from_db()
    open_one.refresh_from_db()
    assert (paid.state, paid.found_by) == (State.COMPLETED, FoundBy.POLL)
    assert open_one.state == State.PENDING
    assert len(heard.completed) == 1


def test_all_are_asked_about_by_packs_of_ids(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "IDS_LIMIT", 2)
    payments = [invoiced() for _ in range(5)]
    before = provider.pay.stats()["by_method"].get("getInvoices", 0)
    assert look()["checked"] == 5
    assert provider.pay.stats()["by_method"]["getInvoices"] - before == 3
    assert not Payment.objects.filter(
        pk__in=[each.pk for each in payments], checked_at=None
    ).exists()


def test_an_expired_invoice_fails_its_payment_and_is_told_once(
    provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced(expires_in=timedelta(minutes=5))
    provider.clock_advance(600)
    assert look()["failed"] == 1
    assert look()["checked"] == 0
    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (State.FAILED, "expired")
    assert QueuedMessage.objects.count() == 1
    assert heard.failed == [(payment, "expired")]


def test_an_invoice_that_is_open_for_too_long_is_deleted_before_it_fails(
    provider: Sandbox,
) -> None:
    payment = invoiced()
    with clock.shift(timedelta(hours=25)):
        assert look()["failed"] == 1
    assert provider.pay.invoices() == []
    payment.refresh_from_db()
    assert payment.state == State.FAILED


def test_an_invoice_that_was_made_late_has_its_whole_time(provider: Sandbox) -> None:
    payment = invoiced()
    ordered_at = clock.now() - timedelta(hours=10)
    Payment.objects.filter(pk=payment.pk).update(created_at=ordered_at)
    with clock.shift(timedelta(hours=20)):
        assert look()["failed"] == 0
    with clock.shift(timedelta(hours=25)):
        assert look()["failed"] == 1


def test_expired_here_but_paid_there_is_completed(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    with clock.shift(timedelta(hours=25)):
        assert look()["completed"] == 1
    assert heard.completed == [payment]
    assert heard.failed == []


def test_an_invoice_that_is_gone_is_a_question(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    provider.pay.forget(number_of(payment))
    assert look()["missing"] == 1
    assert look()["missing"] == 1
    review = Review.objects.get()
    assert (review.reason, review.payment_id) == ("invoice_gone", payment.pk)
    payment.refresh_from_db()
    assert payment.state == State.PENDING
    with clock.shift(timedelta(hours=25)):
        look()
    payment.refresh_from_db()
    assert payment.state == State.FAILED


def test_one_that_cannot_be_settled_holds_up_no_other(
    provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = invoiced(), invoiced()
    provider.pay.pay_all([number_of(poison), number_of(good)], silent=True)

    def settle(**given: object) -> Payment:
        if given["payment_id"] == poison.pk:
            raise RuntimeError("poison")
        return settling.payment_settle(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "payment_settle", settle)
    found = look()
    assert (found["completed"], found["errors"]) == (1, 1)
    assert [payment.pk for payment in heard.completed] == [good.pk]
    assert "payments.verify_pending" in heard.groups()


def test_a_provider_that_is_away_ends_the_run_and_loses_nothing(
    provider: Sandbox, heard: Heard
) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    provider.fault(service="cryptopay", method="getInvoices", kind="html_502", times=1)
    with pytest.raises(CryptoPayAway):
        look()
    assert look()["completed"] == 1
    assert heard.completed == [payment]


def test_orders_without_an_invoice_end_after_a_day(settings: Settings, heard: Heard) -> None:
    payment = order_make()
    with clock.shift(timedelta(hours=25)):
        assert look()["failed"] == 1
    assert heard.failed == [(payment, "expired")]


def test_a_person_has_one_payment_checked(
    provider: Sandbox, heard: Heard, account: Callable[..., User]
) -> None:
    payment, olga = invoiced(), account("olga")
    provider.pay.pay(number_of(payment), silent=True)
    payment_recheck(payment.pk, olga)
    payment_recheck(payment.pk, olga)
    drain()
    payment.refresh_from_db()
    assert (payment.state, payment.found_by) == (State.COMPLETED, FoundBy.OPERATOR)
    assert PaymentEvent.objects.filter(payment=payment, kind="checked", actor="olga").count() == 1
    assert len(heard.completed) == 1


def test_giving_up_deletes_the_invoice(provider: Sandbox, heard: Heard) -> None:
    payment = invoiced()
    payment_give_up(payment_id=payment.pk, note="the customer asked for it", by=None)
    drain(limit=10)
    assert provider.pay.invoices() == []
    assert heard.failed == [(payment, "expired")]


def test_what_people_were_asked_before_costs_a_page_nothing(
    provider: Sandbox, heard: Heard
) -> None:
    def misfits(count: int) -> None:
        for _ in range(count):
            provider.pay.pay(number_of(invoiced()), silent=True, amount="4")
        assert look()["completed"] == 0

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            look()
        return len(captured)

    misfits(1)
    assert Review.objects.count() == 1
    Review.objects.update(resolved_at=clock.now(), resolution="kept")
    one = cost()
    misfits(3)
    before = clock.now()
    assert cost() == one
    assert Review.objects.count() == 4
    assert Payment.objects.filter(state=State.PENDING, checked_at__gte=before).count() == 4


def test_an_asked_one_that_another_invoice_pays_meanwhile_is_asked_about_again(
    provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment, other = invoiced(), invoiced()
    provider.pay.pay(number_of(payment), silent=True, amount="4")
    look()
    assert Review.objects.get().reason == "under"
    read = gate.invoices_read

    def read_slowly(ids: Collection[int]) -> dict[int, Invoice]:
        found = read(ids)
        Payment.objects.filter(pk=payment.pk).update(
            state=State.COMPLETED, completed_at=clock.now(), paid_at=clock.now(), external_id="1"
        )
        return found

    monkeypatch.setattr(gate, "invoices_read", read_slowly)
    look()
    assert list(Review.objects.order_by("id").values_list("reason", flat=True)) == [
        "under",
        "twice",
    ]
    other.refresh_from_db()
    assert other.state == State.PENDING


def test_one_that_its_webhook_settles_meanwhile_is_left_alone(
    provider: Sandbox, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = invoiced()
    provider.pay.pay(number_of(payment), silent=True)
    read = gate.invoices_read

    def read_slowly(ids: Collection[int]) -> dict[int, Invoice]:
        found = read(ids)
        settling.payment_settle(
            payment_id=payment.pk, invoice=found[number_of(payment)], found_by="webhook"
        )
        return found

    monkeypatch.setattr(gate, "invoices_read", read_slowly)
    found = look()
    assert (found["checked"], found["completed"], found["errors"]) == (1, 0, 0)
    payment.refresh_from_db()
    assert payment.found_by == FoundBy.WEBHOOK
    assert len(heard.completed) == 1
    assert not Review.objects.exists()
