"""The client of Crypto Pay against the sandbox: what it does when all is well."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from payments.providers.cryptobot.client import IDS_LIMIT, CryptoPayClient
from payments.providers.cryptobot.types import CurrencyType, InvoiceStatus, PaidButton
from tests.payments.providers.conftest import ClientMake, order_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process


def sent(sandbox: Sandbox) -> dict[str, object]:
    """The parameters of the last call."""
    given: dict[str, object] = json.loads(sandbox.requests(1)[0]["body"])
    return given


def test_the_app_tells_who_it_is_and_on_which_network(
    sandbox: Sandbox, cryptopay: CryptoPayClient, cryptopay_make: ClientMake
) -> None:
    assert (cryptopay.me().app_id, cryptopay.me().bot) == (41207, "CryptoBot")
    assert not cryptopay.me().is_testnet
    sandbox.pay.network("testnet")
    assert cryptopay_make("7:testnet-secret").me().is_testnet


def test_an_invoice_is_made_and_read_back(cryptopay: CryptoPayClient) -> None:
    made = cryptopay.invoice_create(
        order_make(
            "order-7",
            accepted_assets=("USDT", "TON"),
            description="VPN PRO, 30 days",
            paid_button=PaidButton.OPEN_BOT,
            paid_button_url="https://t.me/example_vpn_bot",
        )
    )
    assert made.status is InvoiceStatus.ACTIVE
    assert made.currency_type is CurrencyType.FIAT
    assert (made.fiat, made.asset, made.currency) == ("RUB", None, "RUB")
    assert (made.amount, made.accepted_assets) == (Decimal(499), ("USDT", "TON"))
    assert (made.payload, made.description) == ("order-7", "VPN PRO, 30 days")
    assert made.pay_url.startswith("http")
    assert made.paid_at is None
    assert made.net_amount is None
    assert cryptopay.invoices([made.invoice_id]) == [made]


def test_what_is_asked_for_travels_and_what_is_not_stays_at_home(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    cryptopay.invoice_create(order_make("p", asset="USDT", amount=Decimal("5.50")))
    assert sent(sandbox) == {
        "currency_type": "crypto",
        "asset": "USDT",
        "amount": "5.50",
        "payload": "p",
        "allow_comments": False,
        "allow_anonymous": True,
        "expires_in": 86_400,
    }


def test_an_amount_is_written_in_plain_digits(cryptopay: CryptoPayClient, sandbox: Sandbox) -> None:
    cryptopay.invoice_create(order_make(amount=Decimal("1E+3")))
    assert sent(sandbox)["amount"] == "1000"


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 24), (timedelta(hours=1), 1), (timedelta(hours=24), 24), (timedelta(days=30), 24)],
)
def test_every_invoice_ends_within_the_span_that_the_site_allows(
    cryptopay: CryptoPayClient, asked: timedelta | None, given: int
) -> None:
    made = cryptopay.invoice_create(order_make(expires_in=asked))
    assert made.expires_at == made.created_at + timedelta(hours=given)


def test_a_paid_invoice_tells_what_came_and_what_is_left(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    number = cryptopay.invoice_create(order_make()).invoice_id
    sandbox.pay.pay(number, asset="TON", comment="thanks")
    (paid,) = cryptopay.invoices([number])
    assert paid.is_paid
    assert paid.paid_at is not None
    assert abs(paid.paid_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (paid.paid_asset, paid.paid_amount) == ("TON", Decimal("3.86260281"))
    assert (paid.paid_fiat_rate, paid.paid_usd_rate) == (Decimal("129.1875"), Decimal("1.59"))
    assert (paid.fee_asset, paid.fee_amount) == ("TON", Decimal("0.11587808"))
    assert paid.net_amount == Decimal("3.74672473")
    assert paid.comment == "thanks"


def test_a_swapped_payment_tells_into_what(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    order = order_make(asset="TON", amount=Decimal(3), swap_to="USDT")
    number = cryptopay.invoice_create(order).invoice_id
    sandbox.pay.pay(number)
    (paid,) = cryptopay.invoices([number])
    assert (paid.is_swapped, paid.swapped_to) == (True, "USDT")
    assert paid.swapped_amount == Decimal("4.62782557")


def test_invoices_are_asked_for_by_id_and_the_missing_ones_are_left_out(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    first, second = (cryptopay.invoice_create(order_make(f"p{n}")) for n in range(2))
    cryptopay.invoice_delete(first.invoice_id)
    ids = [first.invoice_id, second.invoice_id, 1]
    assert [each.payload for each in cryptopay.invoices(ids)] == ["p1"]
    assert sent(sandbox)["count"] == 1000, "without a count there are only a hundred"


def test_no_ids_are_no_question(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    cryptopay.invoice_create(order_make())
    assert cryptopay.invoices([]) == []
    assert sandbox.pay.stats()["by_method"] == {"createInvoice": 1}


def test_invoices_are_asked_for_by_state_and_currency(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    rubles, euros = (
        cryptopay.invoice_create(order_make(fiat=fiat, amount=Decimal(5))).invoice_id
        for fiat in ("RUB", "EUR")
    )
    sandbox.pay.pay(rubles)
    (paid,) = cryptopay.invoices(status=InvoiceStatus.PAID)
    (active,) = cryptopay.invoices(status=InvoiceStatus.ACTIVE, fiat="EUR")
    assert (paid.invoice_id, active.invoice_id) == (rubles, euros)


def test_pages_follow_each_other(cryptopay: CryptoPayClient) -> None:
    made = [cryptopay.invoice_create(order_make()).invoice_id for _ in range(3)]
    pages = [cryptopay.invoices(offset=offset, count=2) for offset in (0, 2)]
    assert [[each.invoice_id for each in page] for page in pages] == [
        [made[2], made[1]],
        [made[0]],
    ]


def test_too_many_ids_are_a_mistake_of_the_caller(cryptopay: CryptoPayClient) -> None:
    with pytest.raises(ValueError, match="at most 300"):
        cryptopay.invoices(range(IDS_LIMIT + 1))
    with pytest.raises(ValueError, match="count"):
        cryptopay.invoices(count=1001)


def test_an_invoice_that_nobody_paid_expires(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    number = cryptopay.invoice_create(order_make(expires_in=timedelta(hours=1))).invoice_id
    sandbox.clock_advance(3601)
    (late,) = cryptopay.invoices([number])
    assert late.status is InvoiceStatus.EXPIRED
    assert cryptopay.invoices(status=InvoiceStatus.ACTIVE) == []


def test_rates_and_balance_are_exact(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    rates = {(rate.source, rate.target): rate.rate for rate in cryptopay.exchange_rates()}
    assert rates["USDT", "RUB"] == Decimal("81.23375")
    number = cryptopay.invoice_create(order_make(asset="TON", amount=Decimal(10))).invoice_id
    sandbox.pay.pay(number)
    held = {balance.currency: balance.available for balance in cryptopay.balance()}
    assert held["TON"] == Decimal("9.7")
