"""The page where a person pays."""

from collections.abc import Iterator

import pytest
import requests

from tests.notifications.webhooks.receiver import Receiver
from tests.sandbox.fixture import Sandbox
from tests.sandbox_tests.cryptopay import PayApp


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[PayApp]:
    made = PayApp(sandbox)
    yield made
    made.http.close()


def test_a_click_pays_and_the_webhook_is_told(app: PayApp, sandbox: Sandbox) -> None:
    made = app.order(description="VPN <PRO>", accepted_assets="TON,USDT", hidden_message="Thanks")
    shown = requests.get(made["bot_invoice_url"], timeout=10)
    assert "VPN &lt;PRO&gt;" in shown.text
    assert "Pay 3.86260281 TON" in shown.text
    with Receiver() as receiver:
        sandbox.pay.webhooks_to(receiver.url())
        paid = requests.post(made["pay_url"], params={"asset": "TON"}, timeout=10)
        sandbox.pay.deliver()
        assert receiver.received[0].json["payload"]["paid_asset"] == "TON"
    assert "Paid: 3.86260281 TON" in paid.text
    assert "Thanks" in paid.text


def test_what_cannot_be_paid_says_why(app: PayApp, sandbox: Sandbox) -> None:
    made = app.order(expires_in=60, accepted_assets="TON")
    page = made["web_app_invoice_url"].partition("?")[0]
    wrong = requests.post(page, params={"asset": "BTC"}, timeout=10)
    assert (wrong.status_code, "takes TON" in wrong.text) == (409, True)
    sandbox.clock_advance(61)
    assert "This invoice is expired" in requests.get(page, timeout=10).text
    late = requests.post(page, params={"asset": "TON"}, timeout=10)
    assert (late.status_code, "expired" in late.text) == (409, True)
    for unknown in (f"{page}0", f"{sandbox.cryptopay_url}/pay/IVnothing"):
        assert requests.get(unknown, timeout=10).status_code == 404
