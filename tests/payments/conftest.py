"""Payments over the sandbox of Crypto Pay: orders, webhooks as they are sent, and who hears of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from jobs.alerts import attention_needed
from jobs.testing import drain
from payments.events import invoice_made, payment_completed, payment_failed, payment_refunded
from payments.intake import flood
from payments.models import Payment
from payments.providers.cryptobot import gate
from payments.providers.cryptobot.signature import SIGNATURE_HEADER, signature_of
from payments.services import order_create
from tests.sandbox.fixture import Sandbox

TOKEN = "41207:AASample-secret_part"
HOOK = "/webhooks/cryptobot/"
CHAT = 5_000_001


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """The gate leads to the sandbox, and polls as fast as the test can."""
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = TOKEN
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()


@pytest.fixture(autouse=True)
def fresh_allowance() -> None:
    """What other tests sent without a signature is forgotten."""
    flood.unsigned.clear()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payments know nothing of who listens: the rooms above do not, while payments are tested."""
    for signal in (payment_completed, payment_failed, payment_refunded, invoice_made):
        monkeypatch.setattr(signal, "receivers", [])


def order_make(**changes: Any) -> Payment:
    """The smallest order: 5 USDT for a month, by a person with a chat."""
    given: dict[str, Any] = {
        "subscriber_id": 7,
        "telegram_id": CHAT,
        "language": "en",
        "plan_code": "standard-1m",
        "plan_title": "Standard, 1 month",
        "period_days": 30,
        "currency_type": "crypto",
        "currency": "USDT",
        "amount": Decimal("5"),
        "purpose": "renewal",
    }
    return order_create(**{**given, **changes})


def invoiced(**changes: Any) -> Payment:
    """An order whose invoice the sandbox has made."""
    payment = order_make(**changes)
    drain()
    payment.refresh_from_db()
    assert payment.external_id is not None
    return payment


def number_of(payment: Payment) -> int:
    assert payment.external_id is not None
    return int(payment.external_id)


def update_of(invoice: dict[str, Any], update_id: int = 1) -> bytes:
    """The body of a webhook about an invoice as the sandbox shows it."""
    return orjson.dumps(
        {
            "update_id": update_id,
            "update_type": "invoice_paid",
            "request_date": "2026-11-22T12:00:00.000Z",
            "payload": invoice,
        }
    )


def deliver(client: Client, body: bytes, token: str = TOKEN, **headers: str) -> int:
    """Send a webhook as Crypto Pay does. Returns the status of the answer."""
    answer = client.post(
        HOOK,
        body,
        content_type="application/json",
        headers={SIGNATURE_HEADER: signature_of(body, token), **headers},
    )
    assert answer.status_code != 200 or answer.content == b""
    return answer.status_code


@dataclass
class Heard:
    """What was announced, in order."""

    completed: list[Payment] = field(default_factory=list)
    failed: list[tuple[Payment, str]] = field(default_factory=list)
    refunded: list[Payment] = field(default_factory=list)
    invoiced: list[Payment] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)  # what needs a person

    def groups(self) -> list[str]:
        return [each["group"] for each in self.told]


@pytest.fixture
def heard(alone: None) -> Iterator[Heard]:
    """Listens to what payments announce."""
    found = Heard()

    def on(target: list[Any], value: Callable[[dict[str, Any]], Any]) -> Callable[..., None]:
        def receive(sender: object, **given: Any) -> None:
            target.append(value(given))

        return receive

    pairs = [
        (payment_completed, on(found.completed, lambda given: given["payment"])),
        (payment_refunded, on(found.refunded, lambda given: given["payment"])),
        (invoice_made, on(found.invoiced, lambda given: given["payment"])),
        (payment_failed, on(found.failed, lambda given: (given["payment"], given["reason"]))),
        (attention_needed, on(found.told, dict)),
    ]
    for signal, receiver in pairs:
        signal.connect(receiver, weak=False)
    yield found
    for signal, receiver in pairs:
        signal.disconnect(receiver)
