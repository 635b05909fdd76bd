"""What an order for an invoice refuses before anything is asked."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from payments.providers.cryptobot.client import CryptoPayClient
from payments.providers.cryptobot.errors import InvoiceOrderInvalid
from payments.providers.cryptobot.types import PaidButton
from tests.payments.providers.conftest import order_make

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"payload": ""}, "needs a payload"),
        ({"payload": "ж" * 2049}, "over 4 KB"),
        ({"amount": Decimal(0)}, "above 0"),
        ({"amount": Decimal("-1")}, "above 0"),
        ({"amount": Decimal("NaN")}, "above 0"),
        ({"amount": Decimal("Infinity")}, "above 0"),
        ({"fiat": None}, "in a fiat or in an asset"),
        ({"fiat": "RUB", "asset": "USDT"}, "in a fiat or in an asset"),
        ({"asset": "USDT", "accepted_assets": ("TON",)}, "with a fiat only"),
        ({"description": "x" * 1025}, "1024"),
        ({"hidden_message": "x" * 2049}, "2048"),
        ({"paid_button": PaidButton.OPEN_BOT}, "needs an http or https address"),
        ({"paid_button": PaidButton.OPEN_BOT, "paid_button_url": "tg://x"}, "http or https"),
        ({"expires_in": timedelta(0)}, "between a second and 31 days"),
        ({"expires_in": timedelta(days=32)}, "between a second and 31 days"),
    ],
)
def test_an_order_that_would_be_refused_is_not_made(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvoiceOrderInvalid, match=sentence):
        order_make(**changes)


@pytest.mark.parametrize("token", ["", "1:a b", "1:a\n", "1:ключ"])
def test_a_token_that_no_header_can_carry_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token") as caught:
        CryptoPayClient("http://127.0.0.1:1", token, longest_life=timedelta(hours=1))
    assert not token or token not in str(caught.value)
