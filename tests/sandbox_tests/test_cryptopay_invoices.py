"""Invoices of Crypto Pay through their life, with the fields of the contract."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.cryptopay import PayApp

ALWAYS = {
    "invoice_id", "hash", "status", "currency_type", "amount", "bot_invoice_url",
    "mini_app_invoice_url", "web_app_invoice_url", "pay_url", "allow_comments", "allow_anonymous",
    "created_at",
}  # fmt: skip
PAID = {
    "paid_at", "paid_anonymously", "paid_asset", "paid_amount", "paid_usd_rate", "fee_asset",
    "fee_amount", "fee_in_usd",
}  # fmt: skip
SWAPPED = {
    "is_swapped", "swapped_uid", "swapped_to", "swapped_rate", "swapped_output",
    "swapped_usd_amount", "swapped_usd_rate",
}  # fmt: skip


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[PayApp]:
    made = PayApp(sandbox)
    yield made
    made.http.close()


def test_an_invoice_has_the_fields_of_the_contract_and_no_nulls(app: PayApp) -> None:
    fiat = app.order(payload=None)
    assert set(fiat) == ALWAYS | {"fiat", "accepted_assets"}
    coins = app.order(currency_type="crypto", asset="USDT", amount="5.50", fiat=None, payload=None)
    assert set(coins) == ALWAYS | {"asset"}
    assert (coins["status"], coins["amount"], coins["asset"]) == ("active", "5.5", "USDT")


def test_what_was_given_comes_back(app: PayApp) -> None:
    given = {
        "description": "VPN PRO, 30 days",
        "hidden_message": "Thanks",
        "paid_btn_name": "openBot",
        "paid_btn_url": "https://t.me/example_vpn_bot",
        "payload": '{"order":"7f0c1a52"}',
        "allow_comments": False,
        "allow_anonymous": False,
        "swap_to": "USDT",
    }
    made = app.order(**given, accepted_assets="USDT,TON", expires_in=3600)
    assert {name: made[name] for name in given} == given
    assert made["accepted_assets"] == ["USDT", "TON"]
    life = datetime.fromisoformat(made["expiration_date"]) - datetime.fromisoformat(
        made["created_at"]
    )
    assert life == timedelta(hours=1)
    assert made["created_at"].endswith("Z")


def test_parameters_come_as_query_json_form_or_multipart(app: PayApp) -> None:
    given = {"asset": "TON", "amount": "3"}
    answers = [
        app.http.get(app.url("createInvoice"), params=given, timeout=10),
        app.http.post(app.url("createInvoice"), json={**given, "amount": 3}, timeout=10),
        app.http.post(app.url("createInvoice"), data=given, timeout=10),
        app.http.post(
            app.url("createInvoice"),
            files={name: (None, value) for name, value in given.items()},
            timeout=10,
        ),
    ]
    assert [answer.json()["result"]["amount"] for answer in answers] == ["3"] * 4


def test_an_invoice_expires_by_the_clock_of_the_sandbox(app: PayApp, sandbox: Sandbox) -> None:
    number = app.order(expires_in=60)["invoice_id"]
    for_ever = app.order()["invoice_id"]
    sandbox.clock_advance(61)
    assert [each["status"] for each in app.read(invoice_ids=str(number))] == ["expired"]
    assert [each["invoice_id"] for each in app.read(status="active")] == [for_ever]


def test_a_paid_invoice_is_told_with_all_that_was_paid(app: PayApp, sandbox: Sandbox) -> None:
    made = app.order()
    paid = sandbox.pay.pay(made["invoice_id"])
    assert set(paid) == set(made) | PAID | {"paid_fiat_rate"}
    assert (paid["status"], paid["paid_asset"]) == ("paid", "USDT")
    assert (paid["paid_amount"], paid["paid_fiat_rate"]) == ("6.14276701", "81.23375")
    assert (paid["fee_amount"], paid["fee_in_usd"]) == ("0.18428301", "0.18424615")
    assert app.read(invoice_ids=str(made["invoice_id"])) == [paid]


def test_a_price_in_coins_has_no_fiat_rate(app: PayApp, sandbox: Sandbox) -> None:
    made = app.order(currency_type="crypto", asset="TON", amount="3", fiat=None)
    paid = sandbox.pay.pay(made["invoice_id"])
    assert set(paid) == set(made) | PAID
    assert (paid["paid_asset"], paid["paid_amount"], paid["fee_amount"]) == ("TON", "3", "0.09")


def test_a_payment_is_swapped_if_the_order_says_so(app: PayApp, sandbox: Sandbox) -> None:
    def paid(*, swap: bool) -> dict[str, object]:
        made = app.order(currency_type="crypto", asset="TON", amount="3", fiat=None, swap_to="USDT")
        return sandbox.pay.pay(made["invoice_id"], swap=swap)

    swapped = paid(swap=True)
    assert set(swapped) >= SWAPPED
    assert (swapped["is_swapped"], swapped["swapped_to"]) == (True, "USDT")
    failed = paid(swap=False)
    assert set(failed) & SWAPPED == {"is_swapped"}
    assert failed["is_swapped"] is False


def test_a_deleted_invoice_is_missing_and_a_paid_one_stays(app: PayApp, sandbox: Sandbox) -> None:
    first, second = (app.order()["invoice_id"] for _ in range(2))
    assert app.result("deleteInvoice", invoice_id=first) is True
    assert app.refusal("deleteInvoice", invoice_id=first) == (400, "INVOICE_NOT_FOUND")
    sandbox.pay.pay(second)
    assert app.refusal("deleteInvoice", invoice_id=second) == (400, "INVOICE_ALREADY_PAID")
    assert [each["invoice_id"] for each in app.read()] == [second]


def test_invoices_are_paged_newest_first_and_a_hundred_unless_told(app: PayApp) -> None:
    made = [app.order()["invoice_id"] for _ in range(103)]
    assert [each["invoice_id"] for each in app.read()] == made[:2:-1]
    assert [each["invoice_id"] for each in app.read(offset=100)] == made[2::-1]
    assert len(app.read(count=1000)) == 103


def test_invoices_are_found_by_state_and_currency(app: PayApp, sandbox: Sandbox) -> None:
    rubles = app.order()["invoice_id"]
    euros = app.order(fiat="EUR", amount="5")["invoice_id"]
    tons = app.order(currency_type="crypto", asset="TON", fiat=None)["invoice_id"]
    sandbox.pay.pay(rubles)
    assert [each["invoice_id"] for each in app.read(status="paid")] == [rubles]
    assert [each["invoice_id"] for each in app.read(fiat="EUR,RUB")] == [euros, rubles]
    assert [each["invoice_id"] for each in app.read(asset="TON")] == [tons]
    assert app.read(invoice_ids="1,2") == []


def test_an_app_sees_its_own_invoices_only(app: PayApp, sandbox: Sandbox) -> None:
    number = app.order()["invoice_id"]
    other = PayApp(sandbox, "2:other")
    assert other.read(invoice_ids=str(number)) == other.read() == []
    assert other.refusal("deleteInvoice", invoice_id=number) == (400, "INVOICE_NOT_FOUND")
    other.http.close()


def test_ids_go_on_after_a_reset(app: PayApp, sandbox: Sandbox) -> None:
    before = app.order()["invoice_id"]
    sandbox.reset()
    assert app.read() == []
    assert app.order()["invoice_id"] > before


def test_balance_rates_and_statistics_tell_of_what_was_paid(app: PayApp, sandbox: Sandbox) -> None:
    for _ in range(2):
        app.order(currency_type="crypto", asset="TON", amount="10", fiat=None)
    sandbox.pay.pay(app.read()[0]["invoice_id"])
    held = {row["currency_code"]: row["available"] for row in app.result("getBalance")}
    assert held["TON"] == "9.7"
    rates = {(row["source"], row["target"]): row for row in app.result("getExchangeRates")}
    assert rates["TON", "RUB"] == {
        "is_valid": True,
        "is_crypto": True,
        "is_fiat": False,
        "source": "TON",
        "target": "RUB",
        "rate": "129.1875",
    }
    assert {row["code"] for row in app.result("getCurrencies")} >= {"USDT", "TON", "RUB", "EUR"}
    stats = app.result("getStats")
    assert (stats["created_invoice_count"], stats["paid_invoice_count"]) == (2, 1)
    assert (stats["volume"], stats["conversion"]) == ("15.9", "50")


def test_the_app_is_named_by_its_token(app: PayApp) -> None:
    assert app.result("getMe") == {
        "app_id": 41207,
        "name": "Sandbox 41207",
        "payment_processing_bot_username": "CryptoBot",
    }


def test_what_is_read_back_can_be_chosen(app: PayApp, sandbox: Sandbox) -> None:
    first, second = (app.order(payload=name)["invoice_id"] for name in "ab")
    sandbox.pay.pay(first)
    assert [each["invoice_id"] for each in sandbox.pay.invoices()] == [second, first]
    assert [each["invoice_id"] for each in sandbox.pay.invoices(limit=1)] == [second]
    assert [each["invoice_id"] for each in sandbox.pay.invoices(status="paid")] == [first]
    assert [each["invoice_id"] for each in sandbox.pay.invoices(payload="b")] == [second]
    assert sandbox.pay.invoice(first)["status"] == "paid"
