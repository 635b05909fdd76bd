"""Every way in which Crypto Pay fails, against the sandbox: what the caller is told of it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from lib.logs import JsonFormatter
from payments.providers.cryptobot.client import CryptoPayClient
from payments.providers.cryptobot.errors import (
    AppSuspended,
    CryptoPayAway,
    CryptoPayBusy,
    CryptoPayError,
    CryptoPayRefused,
    CryptoPayUnknown,
    TokenRefused,
)
from tests.payments.providers.conftest import TOKEN, ClientMake, order_make
from tests.sandbox.fixture import Sandbox

pytestmark = pytest.mark.process

HTML = "<html>blocked by order</html>"
READS: list[Callable[[CryptoPayClient], Any]] = [
    CryptoPayClient.me,
    CryptoPayClient.invoices,
    CryptoPayClient.exchange_rates,
    CryptoPayClient.balance,
]
# Faults that do not tell how a call ended, and how many invoices are there afterwards.
DOUBTFUL: list[tuple[dict[str, Any], int]] = [
    ({"kind": "status", "status": 500}, 0),
    ({"kind": "status", "status": 500, "record": True}, 1),
    ({"kind": "status", "status": 503}, 0),
    ({"kind": "html_502"}, 0),
    ({"kind": "html_502", "record": True}, 1),
    ({"kind": "cut_before"}, 0),
    ({"kind": "cut_after"}, 1),
    ({"kind": "down", "for_s": 60}, 0),
    ({"kind": "status", "status": 200, "body": {"ok": True}}, 0),
    ({"kind": "status", "status": 200, "body": {"ok": True, "result": {}}}, 0),
    ({"kind": "status", "status": 200, "body": {"ok": False}}, 0),
    ({"kind": "status", "status": 200, "body": HTML, "record": True}, 1),
]


@pytest.mark.parametrize(("fault", "made"), DOUBTFUL, ids=str)
def test_after_a_doubtful_end_an_invoice_may_exist(
    sandbox: Sandbox, cryptopay: CryptoPayClient, fault: dict[str, Any], made: int
) -> None:
    sandbox.fault(service="cryptopay", **fault)
    with pytest.raises(CryptoPayUnknown) as caught:
        cryptopay.invoice_create(order_make())
    assert caught.value.is_service_failure
    assert len(sandbox.pay.invoices()) == made
    assert sandbox.pay.stats()["received"] == 1, "the client tried once"


@pytest.mark.parametrize("fault", [fault for fault, _ in DOUBTFUL], ids=str)
def test_a_read_has_no_outcome_to_be_unknown(
    sandbox: Sandbox, cryptopay: CryptoPayClient, fault: dict[str, Any]
) -> None:
    sandbox.fault(service="cryptopay", **fault)
    for read in READS:
        with pytest.raises(CryptoPayAway) as caught:
            read(cryptopay)
        assert caught.value.is_service_failure


def test_an_answer_that_comes_too_late_leaves_the_outcome_unknown(
    sandbox: Sandbox, cryptopay_make: ClientMake
) -> None:
    sandbox.fault(service="cryptopay", kind="latency", latency_ms=5000)
    impatient = cryptopay_make(read_timeout_s=0.2)
    with pytest.raises(CryptoPayUnknown, match="no answer in time"):
        impatient.invoice_create(order_make())
    assert len(sandbox.pay.invoices()) == 1
    with pytest.raises(CryptoPayAway, match="no answer in time"):
        impatient.me()


def test_nobody_there_means_that_nothing_was_done(
    cryptopay_make: ClientMake, closed_port: int
) -> None:
    client = cryptopay_make(base_url=f"http://127.0.0.1:{closed_port}")
    with pytest.raises(CryptoPayAway):
        client.invoice_create(order_make())
    with pytest.raises(CryptoPayAway):
        client.invoices([1])


@pytest.mark.parametrize("body", [HTML, ""])
@pytest.mark.parametrize("status", [302, 403, 404])
def test_a_page_of_somebody_in_between_is_not_an_answer_of_crypto_pay(
    sandbox: Sandbox, cryptopay: CryptoPayClient, status: int, body: str
) -> None:
    sandbox.fault(service="cryptopay", kind="status", status=status, body=body)
    with pytest.raises(CryptoPayAway, match="CRYPTOBOT_API_URL"):
        cryptopay.invoice_create(order_make())


def test_a_wrong_base_path_is_told_as_such(sandbox: Sandbox, cryptopay_make: ClientMake) -> None:
    with pytest.raises(CryptoPayAway, match="CRYPTOBOT_API_URL"):
        cryptopay_make(base_url=f"{sandbox.url}/elsewhere").me()


@pytest.mark.parametrize("kind", ["revoked", "of the other network", "malformed"])
def test_a_token_that_is_not_accepted_is_told_apart(
    sandbox: Sandbox, cryptopay_make: ClientMake, kind: str
) -> None:
    token = {"revoked": "1:revoked", "of the other network": "1:testnet", "malformed": "secret"}
    with pytest.raises(TokenRefused) as caught:
        cryptopay_make(token[kind]).invoice_create(order_make())
    assert (caught.value.code, caught.value.name) == (401, "UNAUTHORIZED")
    assert not caught.value.is_service_failure


def test_a_suspended_app_is_told_apart(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    sandbox.pay.app(41207, suspended=True)
    with pytest.raises(AppSuspended) as caught:
        cryptopay.me()
    assert caught.value.code == 423


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"asset": "DOGE"}, "UNSUPPORTED_ASSET"),
        ({"accepted_assets": ("DOGE",)}, "UNSUPPORTED_ASSET"),
        ({"amount": Decimal("0.01")}, "AMOUNT_TOO_SMALL"),
        ({"amount": Decimal(10_000_000)}, "AMOUNT_TOO_BIG"),
    ],
)
def test_a_refusal_bears_the_name_that_crypto_pay_gives_it(
    sandbox: Sandbox, cryptopay: CryptoPayClient, changes: dict[str, Any], name: str
) -> None:
    with pytest.raises(CryptoPayRefused) as caught:
        cryptopay.invoice_create(order_make(**changes))
    assert (caught.value.code, caught.value.name) == (400, name)
    assert not caught.value.is_service_failure
    assert sandbox.pay.invoices() == []


def test_a_name_that_nobody_has_seen_is_a_refusal_like_any_other(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    error = {"ok": False, "error": {"code": 400, "name": "BRAND_NEW", "message": "…"}}
    sandbox.fault(service="cryptopay", kind="status", status=400, body=error)
    with pytest.raises(CryptoPayRefused, match="400 BRAND_NEW"):
        cryptopay.invoice_create(order_make())


def test_malformed_values_are_refused_to_readers_and_doubtful_to_writers(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    error = {"ok": False, "error": {"code": 500, "name": "APP_ERROR"}}
    sandbox.fault(service="cryptopay", kind="status", status=500, body=error)
    with pytest.raises(CryptoPayRefused, match="APP_ERROR"):
        cryptopay.invoices()
    with pytest.raises(CryptoPayUnknown, match="APP_ERROR"):
        cryptopay.invoice_create(order_make())


def test_a_rate_limit_names_the_time_to_wait(sandbox: Sandbox, cryptopay: CryptoPayClient) -> None:
    sandbox.fault(service="cryptopay", kind="rate_limit", retry_after=35)
    for call in (cryptopay.me, lambda: cryptopay.invoice_create(order_make())):
        with pytest.raises(CryptoPayBusy) as caught:
            call()
        assert caught.value.retry_after == timedelta(seconds=35)
        assert not caught.value.is_service_failure
    assert sandbox.pay.invoices() == []


def test_a_rate_limit_without_a_time_is_a_failure_of_the_service(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    sandbox.fault(service="cryptopay", kind="status", status=429)
    with pytest.raises(CryptoPayBusy) as caught:
        cryptopay.me()
    assert (caught.value.retry_after, caught.value.is_service_failure) == (None, True)


def test_deleting_what_is_not_there_or_paid_is_refused(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    number = cryptopay.invoice_create(order_make()).invoice_id
    sandbox.pay.pay(number)
    for invoice_id in (number, 1):
        with pytest.raises(CryptoPayRefused):
            cryptopay.invoice_delete(invoice_id)


def test_one_unreadable_invoice_spoils_the_answer_instead_of_looking_gone(
    sandbox: Sandbox, cryptopay: CryptoPayClient
) -> None:
    cryptopay.invoice_create(order_make())
    (good,) = sandbox.pay.invoices()
    body = {"ok": True, "result": {"items": [good, good | {"amount": "many"}]}}
    sandbox.fault(service="cryptopay", kind="status", status=200, body=body)
    with pytest.raises(CryptoPayAway, match="amount must be a number"):
        cryptopay.invoices()


def test_the_token_is_in_no_error_and_no_log(
    sandbox: Sandbox, cryptopay: CryptoPayClient, caplog: pytest.LogCaptureFixture
) -> None:
    error = {"ok": False, "error": {"code": 400, "name": f"BAD {TOKEN}"}}
    caplog.set_level("DEBUG")
    sandbox.fault(service="cryptopay", kind="status", status=400, body=error)
    with pytest.raises(CryptoPayError) as caught:
        cryptopay.me()
    told = str(caught.value) + "".join(JsonFormatter().format(line) for line in caplog.records)
    assert "secret_part" not in told
    assert "secret_part" not in str(sandbox.requests())
