"""Reading the JSON of Crypto Pay: exact numbers, and a refusal for whatever is not by contract."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from payments.providers.cryptobot.errors import UpdateInvalid
from payments.providers.cryptobot.reading import (
    ShapeInvalid,
    invoice_read,
    json_read,
    rate_read,
    rows_read,
    update_read,
)
from payments.providers.cryptobot.types import InvoiceStatus

pytestmark = pytest.mark.unit


def given(**changes: Any) -> dict[str, Any]:
    """An invoice as it comes; None takes a field away."""
    row: dict[str, Any] = {
        "invoice_id": 9119980,
        "hash": "IVpT5rVw8YzA",
        "currency_type": "fiat",
        "fiat": "RUB",
        "amount": "499",
        "accepted_assets": ["USDT", "TON"],
        "bot_invoice_url": "https://t.me/CryptoBot?start=IVpT5rVw8YzA",
        "status": "paid",
        "created_at": "2026-11-20T10:30:00.001Z",
        "payload": "order-1",
        "paid_asset": "USDT",
        "paid_amount": "6.142857",
        "fee_asset": "USDT",
        "fee_amount": "0.18428571",
        "paid_at": "2026-11-20T10:31:17.220Z",
        **changes,
    }
    return {name: value for name, value in row.items() if value is not None}


def update(**changes: Any) -> bytes:
    body = {
        "update_id": 3071,
        "update_type": "invoice_paid",
        "request_date": "2026-11-20T10:31:18.004Z",
        "payload": given(),
        **changes,
    }
    return json.dumps(body).encode()


def test_an_amount_is_exact_whether_it_comes_as_a_text_or_as_a_number() -> None:
    raw = json.dumps(given()).replace('"0.18428571"', "0.18428571").encode()
    read = invoice_read(json_read(raw))
    assert read.fee_amount == Decimal("0.18428571")
    assert read.net_amount == Decimal("5.95857129")


def test_moments_are_utc() -> None:
    read = invoice_read(given(paid_at="2026-11-20T13:31:17.220+03:00"))
    assert read.paid_at == datetime(2026, 11, 20, 10, 31, 17, 220_000, UTC)
    assert read.created_at == datetime(2026, 11, 20, 10, 30, 0, 1000, UTC)
    assert invoice_read(given(created_at="2026-11-20T10:30:00")).created_at.tzinfo is UTC


def test_the_older_name_of_the_link_is_understood() -> None:
    read = invoice_read(given(bot_invoice_url=None, pay_url="https://t.me/x"))
    assert read.pay_url == "https://t.me/x"


def test_a_status_that_nobody_knows_is_neither_paid_nor_expired() -> None:
    assert invoice_read(given(status="frozen")).status is InvoiceStatus.UNKNOWN
    assert not invoice_read(given(status="frozen")).is_paid


def test_what_is_left_of_a_payment_is_unknown_if_the_fee_is_in_another_coin() -> None:
    assert invoice_read(given(fee_asset="TON")).net_amount is None
    assert invoice_read(given(fee_amount=None)).net_amount == Decimal("6.142857")


@pytest.mark.parametrize(
    "changes",
    [
        {"invoice_id": "9119980"},
        {"invoice_id": True},
        {"invoice_id": None},
        {"status": None},
        {"currency_type": "barter"},
        {"fiat": None},
        {"amount": None},
        {"amount": "many"},
        {"amount": "NaN"},
        {"amount": "1e999999999"},
        {"amount": True},
        {"paid_amount": ["1"]},
        {"created_at": "yesterday"},
        {"created_at": "0001-01-01T00:00:00+14:00"},
        {"accepted_assets": "USDT"},
        {"payload": 7},
        {"paid_anonymously": "yes"},
        {"bot_invoice_url": None},
    ],
    ids=str,
)
def test_an_invoice_that_is_not_by_contract_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ShapeInvalid):
        invoice_read(given(**changes))


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b'{"a": Infinity}'])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ShapeInvalid):
        json_read(raw)


def test_an_update_tells_which_invoice_was_paid() -> None:
    read = update_read(update())
    assert read is not None
    assert (read.update_id, read.invoice.invoice_id) == (3071, 9119980)
    assert read.sent_at == datetime(2026, 11, 20, 10, 31, 18, 4000, UTC)


def test_an_update_of_another_type_says_nothing_to_us() -> None:
    assert update_read(update(update_type="invoice_refunded", payload={"odd": 1})) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        update(update_id=None),
        update(request_date="soon"),
        update(payload=None),
        update(payload=given(amount="x")),
        update(update_type=7),
    ],
)
def test_what_is_no_update_is_refused(raw: bytes) -> None:
    with pytest.raises(UpdateInvalid):
        update_read(raw)


def test_a_list_comes_bare_or_as_items() -> None:
    assert rows_read([1]) == rows_read({"items": [1]}) == [1]
    for odd in (None, {}, {"items": None}, "x"):
        with pytest.raises(ShapeInvalid):
            rows_read(odd)


def test_a_rate_that_is_not_valid_is_none() -> None:
    row = {"source": "TON", "target": "RUB", "rate": "129.15"}
    assert rate_read(row | {"is_valid": False}) is None
    read = rate_read(row | {"is_valid": True})
    assert read is not None
    assert read.rate == Decimal("129.15")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["1e999999999", "NaN", "-0", "٣", "2026-11-20T10:30:00Z", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given_any(st.sampled_from(sorted(given())), JSON)
def test_whatever_stands_in_a_field_it_is_read_or_refused(name: str, value: Any) -> None:
    raw = json.dumps(given() | {name: value}).encode()
    try:
        read = invoice_read(json_read(raw))
    except ShapeInvalid:
        return
    assert read.amount.is_finite()
    assert read.created_at.tzinfo is UTC
    assert read.net_amount is None or read.net_amount.is_finite()


@given_any(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_stranger_sends_is_read_or_refused(raw: bytes) -> None:
    try:
        read = update_read(raw)
    except UpdateInvalid:
        return
    assert read is None, "nobody hits upon a whole update by chance"
