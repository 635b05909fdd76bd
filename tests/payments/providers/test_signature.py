"""The signature of webhooks, by the vector of the contract and by what forgers try."""

import json

import pytest

from payments.providers.cryptobot.signature import signature_of, signature_ok

pytestmark = pytest.mark.unit

TOKEN = "12345:AASampleCryptoPayTokenForTestsOnly000"
SIGNATURE = "5dcfb49aaa20a7767fd0f833c1202bd54427a0bed85d423b685e1403941299ec"
PAGE = "https://t.me/CryptoBot?start=IVpT5rVw8YzA"
RAW = json.dumps(
    {
        "update_id": 3071,
        "update_type": "invoice_paid",
        "request_date": "2026-11-20T10:31:18.004Z",
        "payload": {
            "invoice_id": 9119980,
            "hash": "IVpT5rVw8YzA",
            "currency_type": "fiat",
            "fiat": "RUB",
            "amount": "499",
            "accepted_assets": ["USDT", "TON", "BTC"],
            "pay_url": PAGE,
            "bot_invoice_url": PAGE,
            "mini_app_invoice_url": "https://t.me/CryptoBot/app"
            "?startapp=invoice-IVpT5rVw8YzA&mode=compact",
            "web_app_invoice_url": "https://app.send.tg/invoices/IVpT5rVw8YzA",
            "description": "VPN PRO, 30 days",
            "status": "paid",
            "created_at": "2026-11-20T10:30:00.001Z",
            "allow_comments": False,
            "allow_anonymous": False,
            "expiration_date": "2026-11-20T11:30:00.000Z",
            "payload": '{"order":"5d9e4f21"}',
            "paid_asset": "USDT",
            "paid_amount": "6.142857",
            "paid_fiat_rate": "81.2325",
            "paid_usd_rate": "0.9998",
            "fee_asset": "USDT",
            "fee_amount": "0.18428571",
            "fee_in_usd": "0.18424885",
            "paid_at": "2026-11-20T10:31:17.220Z",
            "paid_anonymously": False,
        },
    },
    separators=(",", ":"),
).encode()


def test_the_delivery_of_the_contract_is_genuine() -> None:
    assert signature_of(RAW, TOKEN) == SIGNATURE
    assert signature_ok(RAW, SIGNATURE, TOKEN)


@pytest.mark.parametrize(
    "header",
    [None, "", "0" * 64, SIGNATURE[:-1], SIGNATURE + "0", SIGNATURE.upper(), "подпись", "\udc80"],
)
def test_a_wrong_header_is_no_signature(header: str | None) -> None:
    assert not signature_ok(RAW, header, TOKEN)


def test_one_other_byte_spoils_the_signature() -> None:
    assert not signature_ok(RAW.replace(b'"499"', b'"498"'), SIGNATURE, TOKEN)
    assert not signature_ok(RAW + b"\n", SIGNATURE, TOKEN)


def test_another_token_signs_otherwise() -> None:
    assert not signature_ok(RAW, SIGNATURE, TOKEN + "1")


def test_nothing_is_genuine_without_a_token() -> None:
    assert not signature_ok(RAW, signature_of(RAW, ""), "")
