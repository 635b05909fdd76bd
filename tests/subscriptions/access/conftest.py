"""The provider of the sandbox."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from payments.providers.cryptobot import gate
from tests.sandbox.fixture import Sandbox


@pytest.fixture
def provider(sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """Crypto Pay, polled as fast as the test can."""
    settings.CRYPTOBOT_API_URL = sandbox.cryptopay_url
    settings.CRYPTOBOT_TOKEN = "41207:AASample-secret_part"
    settings.CRYPTOBOT_POLLS_PER_S = 1000
    yield sandbox
    gate.client().close()
    gate._client.cache_clear()
