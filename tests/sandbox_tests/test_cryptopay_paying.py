"""The pay switch, and the webhooks that follow it, received by a real server."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.notifications.webhooks.receiver import Answer, Receiver
from tests.sandbox.cryptopay.deliveries import ATTEMPTS, REPEAT_EVERY, WAITS_S
from tests.sandbox.fixture import Sandbox, SandboxFailed
from tests.sandbox_tests.cryptopay import TOKEN, PayApp

THREE_DAYS = timedelta(days=3)


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[PayApp]:
    made = PayApp(sandbox)
    yield made
    made.http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def test_a_payment_may_be_too_little_too_much_or_in_another_coin(
    app: PayApp, sandbox: Sandbox
) -> None:
    little, much, other = (app.order()["invoice_id"] for _ in range(3))
    assert sandbox.pay.pay(little, amount="6")["paid_amount"] == "6"
    assert sandbox.pay.pay(much, amount=Decimal("7.5"))["paid_amount"] == "7.5"
    paid = sandbox.pay.pay(other, asset="TON")
    assert (paid["paid_asset"], paid["paid_amount"]) == ("TON", "3.86260281")
    coins = app.order(currency_type="crypto", asset="TON", amount="3", fiat=None)
    assert sandbox.pay.pay(coins["invoice_id"], asset="USDT")["paid_amount"] == "4.77095419"


def test_an_expired_invoice_is_paid_only_by_those_who_come_late_on_purpose(
    app: PayApp, sandbox: Sandbox
) -> None:
    number = app.order(expires_in=60)["invoice_id"]
    sandbox.clock_advance(3600)
    with pytest.raises(SandboxFailed, match="expired"):
        sandbox.pay.pay(number)
    paid = sandbox.pay.pay(number, late=True)
    assert paid["status"] == "paid"
    assert paid["paid_at"] > paid["expiration_date"]


def test_an_invoice_is_paid_once(app: PayApp, sandbox: Sandbox) -> None:
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number)
    with pytest.raises(SandboxFailed, match="paid already"):
        sandbox.pay.pay(number)


def test_many_are_paid_at_once_or_none(app: PayApp, sandbox: Sandbox) -> None:
    ids = [app.order()["invoice_id"] for _ in range(3)]
    sandbox.pay.pay(ids[2])
    with pytest.raises(SandboxFailed, match="paid already"):
        sandbox.pay.pay_all(ids)
    assert len(sandbox.pay.invoices(status="paid")) == 1
    sandbox.pay.pay_all(ids[:2])
    assert len(sandbox.pay.invoices(status="paid")) == 3


def test_a_payment_is_told_to_the_webhook_signed_and_complete(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url("/webhooks/cryptobot/"))
    paid = sandbox.pay.pay(app.order()["invoice_id"])
    state = sandbox.pay.deliver()
    (received,) = receiver.received
    assert received.path == "/webhooks/cryptobot/"
    assert received.headers["Content-Type"] == "application/json"
    key = hashlib.sha256(TOKEN.encode()).digest()
    signature = hmac.new(key, received.body, hashlib.sha256).hexdigest()
    assert received.headers["crypto-pay-api-signature"] == signature
    body = received.json
    assert set(body) == {"update_id", "update_type", "request_date", "payload"}
    assert (body["update_type"], body["payload"]) == ("invoice_paid", paid)
    assert datetime.fromisoformat(body["request_date"]).tzinfo is not None
    assert (state["delivered"], state["failed"], state["waiting"]) == (1, 0, 0)


def test_without_an_address_nothing_is_sent_now_or_later(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.pay(app.order()["invoice_id"])
    sandbox.pay.webhooks_to(receiver.url())
    sandbox.pay.pay(app.order()["invoice_id"], silent=True)
    assert sandbox.pay.deliver()["sent"] == 0
    assert receiver.received == []


def test_neither_expiry_nor_deletion_is_told(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url())
    app.result("deleteInvoice", invoice_id=app.order()["invoice_id"])
    app.order(expires_in=60)
    sandbox.clock_advance(3600)
    assert sandbox.pay.deliver()["sent"] == 0


def test_a_delivery_can_come_several_times_and_again(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number, duplicates=2)
    assert sandbox.pay.deliver()["sent"] == 3
    sandbox.pay.deliver(number, update_id=7)
    bodies = [received.json for received in receiver.received]
    assert len({body["update_id"] for body in bodies[:3]}) == 1
    assert bodies[3]["update_id"] == 7
    assert {body["payload"]["invoice_id"] for body in bodies} == {number}


def test_a_delivery_can_be_late_by_the_clock_of_the_sandbox(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url())
    sandbox.pay.pay(app.order()["invoice_id"], delay_s=3600)
    assert sandbox.pay.deliver()["waiting"] == 1
    sandbox.clock_advance(3601)
    sandbox.pay.deliver()
    assert len(receiver.received) == 1


def test_what_is_held_goes_out_when_told(app: PayApp, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    sandbox.pay.pay(app.order()["invoice_id"])
    sandbox.clock_advance(60)
    assert sandbox.pay.webhook()["waiting"] == 1
    assert receiver.received == []
    assert sandbox.pay.deliver()["sent"] == 1


def test_what_is_due_goes_out_by_itself(app: PayApp, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.pay.webhooks_to(receiver.url())
    sandbox.pay.pay(app.order()["invoice_id"])
    receiver.wait_for(lambda: len(receiver.received) == 1)
    receiver.answers(Answer(status=503))
    sandbox.pay.pay(app.order()["invoice_id"])
    sandbox.wait_for(lambda: sandbox.pay.webhook()["failed"] == 1)
    sandbox.clock_advance(61)
    receiver.wait_for(lambda: len(receiver.received) == 3)


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=302), Answer(cut=True)])
def test_a_delivery_that_is_not_answered_well_comes_again_with_the_same_number(
    app: PayApp, sandbox: Sandbox, receiver: Receiver, answer: Answer
) -> None:
    receiver.answers(answer, answer)
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number)
    sandbox.pay.deliver()
    for wait_s in WAITS_S[:2]:
        assert sandbox.pay.deliver()["sent"] == 0, "not before its time"
        sandbox.clock_advance(wait_s)
        assert sandbox.pay.deliver()["sent"] == 1
    first, second, third = sandbox.pay.deliveries(number)
    assert (first["attempt"], second["attempt"], third["attempt"]) == (1, 2, 3)
    assert first["update_id"] == third["update_id"]
    assert (third["status"], third["next_at"]) == (204, None)
    dates = [received.json["request_date"] for received in receiver.received]
    assert dates == sorted(set(dates)), "request_date is the time of this sending"


def test_after_seventeen_tries_in_three_days_the_webhook_is_switched_off(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.default["/"] = Answer(status=500)
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number)
    sandbox.pay.deliver()
    for wait_s in WAITS_S:
        sandbox.clock_advance(wait_s)
        sandbox.pay.deliver()
    attempts = sandbox.pay.deliveries(number)
    assert len(attempts) == len(receiver.received) == ATTEMPTS == 17
    span = timedelta(seconds=attempts[-1]["at"] - attempts[0]["at"])
    assert abs(span - THREE_DAYS) < timedelta(minutes=5)
    assert sandbox.pay.webhook()["is_switched_off"]
    sandbox.pay.pay(app.order()["invoice_id"])
    sandbox.clock_advance(THREE_DAYS.total_seconds())
    assert sandbox.pay.deliver()["sent"] == 0

    receiver.default["/"] = Answer()
    sandbox.pay.webhooks_to(receiver.url())
    sandbox.pay.pay(app.order()["invoice_id"])
    assert sandbox.pay.deliver()["is_switched_off"] is False
    assert len(receiver.received) == ATTEMPTS + 1


def test_a_receiver_that_is_not_there_is_tried_again(
    app: PayApp, sandbox: Sandbox, closed_port: int
) -> None:
    sandbox.pay.webhooks_to(f"http://127.0.0.1:{closed_port}/", held=True)
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number)
    assert sandbox.pay.deliver()["waiting"] == 1
    (attempt,) = sandbox.pay.deliveries(number)
    assert attempt["status"] is None
    assert "refused" in attempt["error"]


def test_the_number_of_an_update_is_not_unique(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    sandbox.pay.pay_all([app.order()["invoice_id"] for _ in range(2 * REPEAT_EVERY)])
    sandbox.pay.deliver()
    bodies = [json.loads(received.body) for received in receiver.received]
    numbers = {body["update_id"] for body in bodies}
    invoices = {body["payload"]["invoice_id"] for body in bodies}
    assert (len(numbers), len(invoices)) == (2 * REPEAT_EVERY - 2, 2 * REPEAT_EVERY)


def test_an_invoice_that_is_gone_is_not_told_any_more(
    app: PayApp, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    number = app.order()["invoice_id"]
    sandbox.pay.pay(number)
    sandbox.pay.forget(number)
    assert sandbox.pay.deliver()["sent"] == 0
    with pytest.raises(SandboxFailed, match="there is no invoice"):
        sandbox.pay.invoice(number)


def test_a_reset_forgets_what_waits(app: PayApp, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.pay.webhooks_to(receiver.url(), held=True)
    sandbox.pay.pay(app.order()["invoice_id"])
    sandbox.reset()
    sandbox.pay.webhooks_to(receiver.url())
    state = sandbox.pay.deliver()
    assert (state["sent"], state["waiting"], state["delivered"]) == (0, 0, 0)
