"""Crypto Pay as jobs ask it: the pace, the breaker, and what is found after an unsure try."""

from datetime import timedelta
from decimal import Decimal

import pytest
from pytest_django.fixtures import Settings

from jobs import breakers, rates, sql
from jobs.models import Breaker, RateBucket
from jobs.registry import Rate
from lib import clock
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.errors import (
    CryptoPayAway,
    CryptoPayBusy,
    CryptoPayNotConfigured,
    CryptoPayRefused,
    CryptoPayUnknown,
    TokenRefused,
)
from payments.providers.cryptobot.types import InvoiceStatus
from tests.payments.providers.conftest import order_make
from tests.sandbox.fixture import Sandbox


def state() -> tuple[str, int]:
    """The breaker: its state, and the failures in a row."""
    row = Breaker.objects.filter(name=gate.BREAKER).values_list("state", "failures").first()
    return row or ("closed", 0)


def test_without_a_token_nothing_is_asked(db: None, settings: Settings) -> None:
    settings.CRYPTOBOT_TOKEN = ""
    assert not gate.is_configured()
    for ask in (gate.me, gate.balance, lambda: gate.invoices_read([1])):
        with pytest.raises(CryptoPayNotConfigured):
            ask()
    assert state() == ("closed", 0)


def test_invoices_are_opened_and_read_by_id(provider: Sandbox) -> None:
    first, second = (gate.invoice_open(order_make(name), look_first=False) for name in "ab")
    provider.pay.pay(first.invoice_id)
    provider.pay.forget(second.invoice_id)
    read = gate.invoices_read([first.invoice_id, second.invoice_id])
    assert {number: each.status for number, each in read.items()} == {
        first.invoice_id: InvoiceStatus.PAID
    }
    assert gate.invoice_read(second.invoice_id) is None
    assert gate.invoices_read([]) == {}


def test_an_unsure_try_is_found_by_its_payload_and_not_made_again(provider: Sandbox) -> None:
    provider.fault(service="cryptopay", kind="cut_after", times=1)
    order = order_make("order-7")
    with pytest.raises(CryptoPayUnknown):
        gate.invoice_open(order, look_first=False)
    found = gate.invoice_open(order, look_first=True)
    (only,) = provider.pay.invoices()
    assert (found.invoice_id, found.payload) == (only["invoice_id"], "order-7")
    assert gate.invoice_open(order, look_first=True) == found, "repeating changes nothing"


def test_an_unsure_try_that_did_not_arrive_is_made_now(provider: Sandbox) -> None:
    provider.fault(service="cryptopay", kind="cut_before", times=1)
    with pytest.raises(CryptoPayUnknown):
        gate.invoice_open(order_make(), look_first=False)
    assert gate.invoice_open(order_make(), look_first=True).payload == "order-1"
    assert len(provider.pay.invoices()) == 1


def test_spare_invoices_of_one_order_are_deleted(provider: Sandbox) -> None:
    """A control besides: without looking first, a repeat does make a second payable invoice."""
    made = [gate.invoice_open(order_make(), look_first=False) for _ in range(3)]
    gate.invoice_open(order_make("of somebody else"), look_first=False)
    assert len(provider.pay.invoices(payload="order-1")) == 3
    assert gate.invoice_find("order-1", fiat="RUB") == made[0]
    assert [each["invoice_id"] for each in provider.pay.invoices(payload="order-1")] == [
        made[0].invoice_id
    ]
    assert len(provider.pay.invoices()) == 2


def test_only_active_invoices_in_the_same_currency_are_looked_through(provider: Sandbox) -> None:
    paid = gate.invoice_open(order_make("paid"), look_first=False)
    gate.invoice_open(order_make("coins", asset="TON", amount=Decimal(3)), look_first=False)
    provider.pay.pay(paid.invoice_id)
    assert gate.invoice_find("paid", fiat="RUB") is None
    assert gate.invoice_find("coins", fiat="RUB") is None
    assert gate.invoice_find("coins", asset="TON") is not None


def test_an_order_is_found_on_the_last_page(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PAGE_LIMIT", 3)
    monkeypatch.setattr(gate, "OVERLAP", 1)
    for number in range(8):
        gate.invoice_open(order_make(f"order-{number}"), look_first=False)
    assert gate.invoice_find("order-0") is not None
    assert gate.invoice_find("order-9") is None


def test_what_is_older_than_the_order_is_not_looked_through(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PAGE_LIMIT", 3)
    monkeypatch.setattr(gate, "OVERLAP", 0)
    for number in range(9):
        gate.invoice_open(order_make(f"order-{number}"), look_first=False)
    provider.clock_advance(2 * 3600)
    made = [gate.invoice_open(order_make(f"new-{n}"), look_first=False) for n in range(2)]
    assert gate.invoice_find("new-0", fiat="RUB", since=made[0].created_at) == made[0]
    assert gate.invoice_find("order-0", fiat="RUB", since=made[0].created_at) is None
    assert provider.pay.stats()["by_method"]["getInvoices"] == 2, "a page each"
    assert gate.invoice_find("order-0", fiat="RUB") is not None, "a control: without it, to the end"


def test_a_list_in_another_order_is_read_to_its_end(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "PAGE_LIMIT", 3)
    monkeypatch.setattr(gate, "OVERLAP", 1)
    first = gate.invoice_open(order_make("first"), look_first=False)
    provider.clock_advance(2 * 3600)
    last = [gate.invoice_open(order_make(f"new-{n}"), look_first=False) for n in range(3)][-1]
    mixed = [provider.pay.invoice(number) for number in _mixed(provider)]
    body = {"ok": True, "result": {"items": mixed}}
    provider.fault(service="cryptopay", kind="status", status=200, body=body, times=1)
    assert gate.invoice_find("new-0", fiat="RUB", since=last.created_at) is not None
    assert provider.pay.stats()["by_method"]["getInvoices"] == 2
    assert gate.invoice_find("first") == first


def _mixed(provider: Sandbox) -> list[int]:
    """A page whose last invoice is old, although it is not in order."""
    newest, second, _, oldest = [each["invoice_id"] for each in provider.pay.invoices()]
    return [second, newest, oldest]


def test_deleting_is_safe_to_repeat_and_survives_a_lost_answer(provider: Sandbox) -> None:
    first, second = (gate.invoice_open(order_make(), look_first=False) for _ in range(2))
    for _ in range(2):
        gate.invoice_delete(first.invoice_id)
    provider.fault(service="cryptopay", kind="cut_after", times=1, method="deleteInvoice")
    gate.invoice_delete(second.invoice_id)
    assert provider.pay.invoices() == []


def test_an_invoice_that_was_paid_meanwhile_is_not_deleted(provider: Sandbox) -> None:
    made = gate.invoice_open(order_make(), look_first=False)
    provider.pay.pay(made.invoice_id)
    with pytest.raises(CryptoPayRefused, match="INVOICE_ALREADY_PAID"):
        gate.invoice_delete(made.invoice_id)


def test_three_failures_in_a_row_open_the_breaker_and_nothing_more_is_asked(
    provider: Sandbox,
) -> None:
    provider.fault(service="cryptopay", kind="status", status=500)
    for _ in range(breakers.THRESHOLD):
        with pytest.raises(CryptoPayAway):
            gate.invoices_read([1])
    assert state()[0] == "open"
    with pytest.raises(breakers.BreakerOpen):
        gate.invoice_open(order_make(), look_first=False)
    assert provider.pay.stats()["received"] == breakers.THRESHOLD


def test_the_breaker_closes_when_one_call_succeeds(provider: Sandbox) -> None:
    provider.fault(service="cryptopay", kind="status", status=503, times=breakers.THRESHOLD)
    for _ in range(breakers.THRESHOLD):
        with pytest.raises(CryptoPayAway):
            gate.me()
    with clock.shift(breakers.LONGEST_PAUSE):
        assert gate.me().app_id == 41207
        assert gate.invoices_read([1]) == {}
    assert state() == ("closed", 0)


def test_a_pause_costs_nobody_the_right_to_probe(provider: Sandbox) -> None:
    breakers.force(gate.BREAKER, is_open=True, reason="a person says so")
    rates.pause(gate.BUCKET, timedelta(hours=3))
    with clock.shift(timedelta(hours=2)), pytest.raises(CryptoPayBusy):
        gate.me()
    assert state()[0] == "open", "nobody has become the probe"


def test_an_answer_that_we_do_not_like_is_no_failure_of_the_service(provider: Sandbox) -> None:
    provider.fault(service="cryptopay", kind="status", status=500, times=1)
    with pytest.raises(CryptoPayAway):
        gate.me()
    assert state() == ("closed", 1)
    provider.pay.app(41207, revoked=True)
    with pytest.raises(TokenRefused):
        gate.me()
    assert state() == ("closed", 0)


def test_a_rate_limit_stops_everybody_for_the_time_that_it_names(provider: Sandbox) -> None:
    provider.fault(service="cryptopay", kind="rate_limit", retry_after=35, times=1)
    with pytest.raises(CryptoPayBusy):
        gate.invoices_read([1])
    for ask in (
        lambda: gate.invoices_read([1]),
        lambda: gate.invoice_open(order_make(), look_first=False),
        gate.me,
    ):
        with pytest.raises(CryptoPayBusy) as caught:
            ask()
        assert caught.value.retry_after is not None
        assert timedelta(0) < caught.value.retry_after <= timedelta(seconds=35)
    assert provider.pay.stats()["received"] == 1
    assert state() == ("closed", 0)


def test_a_poll_takes_the_turn_of_a_second(provider: Sandbox, settings: Settings) -> None:
    settings.CRYPTOBOT_POLLS_PER_S = 1
    (before,) = sql.rows("SELECT clock_timestamp()")[0]
    gate.invoices_read([1])
    assert RateBucket.objects.get(name=gate.BUCKET).tat >= before + timedelta(seconds=1)


@pytest.fixture
def crowded(provider: Sandbox) -> Sandbox:
    """Other workers have taken the turns of the next hour."""
    rates.take(gate.BUCKET, Rate(1, "1h"))
    return provider


def test_polls_of_all_workers_share_one_pace(crowded: Sandbox) -> None:
    for ask in (lambda: gate.invoices_read([1]), gate.exchange_rates, gate.balance):
        with pytest.raises(CryptoPayBusy) as caught:
            ask()
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > timedelta(minutes=30)
        assert not caught.value.is_service_failure
    assert crowded.pay.stats()["received"] == 0


def test_what_somebody_waits_for_is_not_held_up_by_polls(crowded: Sandbox) -> None:
    made = gate.invoice_open(order_make(), look_first=False)
    assert gate.invoice_read(made.invoice_id) == made


def test_a_reader_waits_for_its_turn(provider: Sandbox, settings: Settings) -> None:
    settings.CRYPTOBOT_POLLS_PER_S = 20
    for _ in range(3):
        gate.invoices_read([1])
    assert provider.pay.stats()["received"] == 3
    assert rates.paused_until(gate.BUCKET) is None
