"""Crypto Pay for the tests of its client: the sandbox, over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from payments.providers.cryptobot import gate
from payments.providers.cryptobot.client import CryptoPayClient
from payments.providers.cryptobot.types import InvoiceOrder
from tests.sandbox.fixture import Sandbox

TOKEN = "41207:AASample-secret_part"
TTL = timedelta(hours=24)
ClientMake = Callable[..., CryptoPayClient]


def order_make(payload: str = "order-1", **changes: Any) -> InvoiceOrder:
    """The smallest order that is taken: 499 RUB."""
    given: dict[str, Any] = {"payload": payload, "amount": Decimal(499), **changes}
    if "asset" not in given:
        given.setdefault("fiat", "RUB")
    return InvoiceOrder(**given)


@pytest.fixture
def cryptopay_make(sandbox: Sandbox) -> Iterator[ClientMake]:
    """Make clients of the sandbox: cryptopay_make(token=..., read_timeout_s=...)."""
    made: list[CryptoPayClient] = []

    def make(token: str = TOKEN, **options: Any) -> CryptoPayClient:
        base_url = options.pop("base_url", sandbox.cryptopay_url)
        client = CryptoPayClient(
            base_url, token, **{"longest_life": TTL, "read_timeout_s": 10.0, **options}
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def cryptopay(cryptopay_make: ClientMake) -> CryptoPayClient:
    return cryptopay_make()


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The gate leads to the sandbox, and polls as fast as the test can."""
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = TOKEN
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()
