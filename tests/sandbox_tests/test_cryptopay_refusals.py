"""What Crypto Pay refuses, with the names that clients match on."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.cryptopay import PayApp


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[PayApp]:
    made = PayApp(sandbox)
    yield made
    made.http.close()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"asset": "DOGE"}, (400, "UNSUPPORTED_ASSET")),
        ({"asset": ""}, (400, "ASSET_INVALID")),
        ({"currency_type": "fiat", "fiat": "XXX"}, (400, "FIAT_INVALID")),
        ({"currency_type": "barter"}, (400, "CURRENCY_TYPE_INVALID")),
        ({"amount": "0"}, (400, "AMOUNT_INVALID")),
        ({"amount": "-1"}, (400, "AMOUNT_INVALID")),
        ({"amount": "NaN"}, (400, "AMOUNT_INVALID")),
        ({"amount": "many"}, (400, "AMOUNT_INVALID")),
        ({"amount": None}, (400, "AMOUNT_INVALID")),
        ({"amount": "0.001"}, (400, "AMOUNT_TOO_SMALL")),
        ({"amount": "25100"}, (400, "AMOUNT_TOO_BIG")),
        ({"amount": "1e300"}, (400, "AMOUNT_TOO_BIG")),
        ({"paid_btn_name": "openBot"}, (400, "PAID_BTN_URL_REQUIRED")),
        ({"paid_btn_name": "openDoor", "paid_btn_url": "https://a.b"}, (400, "PAID_BTN_NAME_INVALID")),
        ({"expires_in": 0}, (400, "EXPIRES_IN_INVALID")),
        ({"expires_in": 2_678_401}, (400, "EXPIRES_IN_INVALID")),
        ({"expires_in": "soon"}, (400, "EXPIRES_IN_INVALID")),
        ({"description": "x" * 1025}, (400, "DESCRIPTION_TOO_LONG")),
        ({"hidden_message": "x" * 2049}, (400, "HIDDEN_MESSAGE_TOO_LONG")),
        ({"payload": "ж" * 2049}, (400, "PAYLOAD_TOO_LONG")),
        ({"swap_to": "DOGE"}, (400, "SWAP_TO_INVALID")),
        (
            {"currency_type": "fiat", "fiat": "RUB", "accepted_assets": ["USDT", "TON"]},
            (500, "APP_ERROR"),
        ),
        (
            {"currency_type": "fiat", "fiat": "RUB", "accepted_assets": "USDT,DOGE"},
            (400, "UNSUPPORTED_ASSET"),
        ),
    ],
)  # fmt: skip
def test_an_order_is_refused_by_name(
    app: PayApp, changes: dict[str, Any], refusal: tuple[int, str]
) -> None:
    order = {"asset": "USDT", "amount": "5", **changes}
    assert app.refusal("createInvoice", **order) == refusal
    assert app.read() == []


@pytest.mark.parametrize(
    ("filters", "refusal"),
    [
        ({"offset": -1}, (500, "INTERNAL_SERVER_ERROR")),
        ({"count": -1}, (500, "APP_ERROR")),
        ({"count": 1001}, (500, "APP_ERROR")),
        ({"status": "expired"}, (500, "APP_ERROR")),
        ({"invoice_ids": "a,b"}, (500, "APP_ERROR")),
        ({"invoice_ids": [1, 2]}, (500, "APP_ERROR")),
    ],
)
def test_a_question_is_refused_by_name(
    app: PayApp, filters: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert app.refusal("getInvoices", **filters) == refusal


@pytest.mark.parametrize(
    "token", ["", "secret", "0:a", "1:revoked", "1:testnet", "1:", "1:a b", "x:a"]
)
def test_a_token_that_is_wrong_or_of_the_other_network_is_unauthorized(
    sandbox: Sandbox, token: str
) -> None:
    app = PayApp(sandbox, token)
    assert app.refusal("getMe") == (401, "UNAUTHORIZED")
    app.http.close()


def test_the_networks_know_their_own_tokens_only(app: PayApp, sandbox: Sandbox) -> None:
    sandbox.pay.network("testnet")
    assert app.refusal("getMe") == (401, "UNAUTHORIZED")
    app.http.headers["Crypto-Pay-API-Token"] = "41207:testnet-secret"
    assert app.result("getMe")["payment_processing_bot_username"] == "CryptoTestnetBot"


def test_an_app_can_be_barred_and_opened_again(app: PayApp, sandbox: Sandbox) -> None:
    sandbox.pay.app(41207, revoked=True)
    assert app.refusal("getMe") == (401, "UNAUTHORIZED")
    sandbox.pay.app(41207, revoked=False, suspended=True)
    assert app.refusal("getMe") == (423, "APP_SUSPENDED")
    sandbox.pay.app(41207, suspended=False)
    assert app.result("getMe")["app_id"] == 41207


def test_an_unknown_method_and_a_wrong_path_are_told_apart(app: PayApp, sandbox: Sandbox) -> None:
    assert app.refusal("getMoney") == (405, "METHOD_NOT_FOUND")
    answer = requests.post(f"{sandbox.cryptopay_url}/getMe", timeout=10)
    assert (answer.status_code, answer.text) == (404, "Not Found")


def test_what_is_no_json_is_malformed(app: PayApp) -> None:
    for body in (b"{", b"[]", b"\xff"):
        answer = app.http.post(
            app.url("getMe"), data=body, headers={"Content-Type": "application/json"}, timeout=10
        )
        assert answer.json()["error"] == {"code": 500, "name": "APP_ERROR"}


def test_too_wide_an_interval_is_refused(app: PayApp) -> None:
    span = {"start_at": "2020-01-01T00:00:00Z", "end_at": "2026-01-01T00:00:00Z"}
    assert app.refusal("getStats", **span) == (400, "INTERVAL_TOO_BIG")


@pytest.mark.parametrize(
    ("status", "name"),
    [(500, "INTERNAL_SERVER_ERROR"), (503, "SERVICE_UNAVAILABLE"), (401, "UNAUTHORIZED")],
)
def test_an_ordered_status_comes_in_the_envelope_of_crypto_pay(
    app: PayApp, sandbox: Sandbox, status: int, name: str
) -> None:
    sandbox.fault(service="cryptopay", kind="status", status=status, times=1)
    assert app.refusal("getMe") == (status, name)
    assert app.result("getMe")
    assert sandbox.pay.stats()["by_status"] == {str(status): 1, "200": 1}


def test_an_ordered_rate_limit_names_the_seconds_to_wait(app: PayApp, sandbox: Sandbox) -> None:
    sandbox.fault(service="cryptopay", kind="rate_limit", retry_after=7, method="getMe")
    answer = app.call("getMe")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert app.read() == [], "other methods go on"


def test_a_cut_may_come_before_or_after_the_invoice(app: PayApp, sandbox: Sandbox) -> None:
    for kind, made in (("cut_before", 0), ("cut_after", 1)):
        sandbox.fault(service="cryptopay", kind=kind, times=1)
        with pytest.raises(requests.ConnectionError):
            app.order()
        assert len(app.read()) == made


def test_the_token_is_not_kept_with_the_requests(app: PayApp, sandbox: Sandbox) -> None:
    app.order()
    assert "secret" not in str(sandbox.requests())


def test_money_goes_out_once_per_spend_id_and_only_if_allowed(
    app: PayApp, sandbox: Sandbox
) -> None:
    order = {"user_id": 500100201, "asset": "USDT", "amount": "10", "spend_id": "refund-1"}
    assert app.refusal("transfer", **order) == (403, "METHOD_DISABLED")
    sandbox.pay.app(41207, transfers=True)
    made = app.result("transfer", **order, comment="Referral payout")
    assert set(made) == {
        "transfer_id", "user_id", "asset", "amount", "status", "completed_at", "comment",
    }  # fmt: skip
    assert app.refusal("transfer", **order) == (400, "SPEND_ID_ALREADY_USED")
    assert app.result("getTransfers", spend_id="refund-1") == {
        "items": [{**made, "spend_id": "refund-1"}]
    }
    assert app.result("getTransfers", spend_id="refund-2") == {"items": []}
    held = {row["currency_code"]: row["available"] for row in app.result("getBalance")}
    assert held["USDT"] == "990"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"asset": "DOGE"}, "ASSET_INVALID"),
        ({"amount": "0"}, "AMOUNT_INVALID"),
        ({"amount": "0.5"}, "AMOUNT_TOO_SMALL"),
        ({"amount": "26000"}, "AMOUNT_TOO_BIG"),
        ({"amount": "1001"}, "INSUFFICIENT_FUNDS"),
        ({"user_id": 66}, "USER_NOT_FOUND"),
        ({"spend_id": "x" * 65}, "APP_ERROR"),
    ],
)
def test_a_transfer_is_refused_by_name(
    app: PayApp, sandbox: Sandbox, changes: dict[str, Any], name: str
) -> None:
    sandbox.pay.app(41207, transfers=True)
    sandbox.pay.strangers([66])
    order = {"user_id": 1, "asset": "USDT", "amount": "10", "spend_id": "s", **changes}
    assert app.refusal("transfer", **order)[1] == name
    assert app.result("getTransfers")["items"] == []


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("pay", {"invoice_ids": [1]}),
        ("pay", {"invoice_ids": "1"}),
        ("pay", {"invoice_ids": [], "asset": "USDT", "hurry": True}),
        ("pay", {"invoice_ids": [], "amount": "0"}),
        ("pay", {"invoice_ids": [], "amount": "many"}),
        ("pay", {"invoice_ids": [], "late": "yes"}),
        ("pay", {"invoice_ids": [], "duplicates": -1}),
        ("pay", {"invoice_ids": [], "delay_s": -1}),
        ("webhook", {"url": "ftp://example.com"}),
        ("webhook", {"url": "http://example.com", "held": 1}),
        ("network", {"network": "moon"}),
        ("apps/1", {"banned": True}),
        ("strangers", {"user_ids": ["1"]}),
        ("deliver", {"invoice_id": 1}),
    ],
)
def test_an_order_to_the_sandbox_that_makes_no_sense_is_refused(
    sandbox: Sandbox, path: str, order: dict[str, Any]
) -> None:
    verb = "POST" if path in {"pay", "deliver"} else "PUT"
    with pytest.raises(SandboxFailed, match=f"{verb} cryptopay/{path}"):
        sandbox._call(verb, f"cryptopay/{path}", order)
