"""Panel and provider of the sandbox, and what people are alerted to."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.alerts import attention_needed
from payments.providers.cryptobot import gate
from subscriptions.panel.door import clients_forget
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.sandbox.remnawave.hand import PanelHand

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel; its own sweeps run when it is told to."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "tests-panel"
    settings.PANEL_RATE = "10000/s"
    sandbox.panel.settings(expiry_every_s=1e7, limited_every_s=1e7, bulk_delay_s=0)
    clients_forget()
    yield sandbox.panel
    clients_forget()


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """Crypto Pay, polled as fast as the test can."""
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = "41207:AASample-secret_part"
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()


@pytest.fixture
def alerts() -> Iterator[list[dict[str, Any]]]:
    """What needed a person, in order."""
    found: list[dict[str, Any]] = []

    def hear(sender: object, **given: Any) -> None:
        found.append({name: value for name, value in given.items() if name != "signal"})

    attention_needed.connect(hear, weak=False)
    yield found
    attention_needed.disconnect(hear)
