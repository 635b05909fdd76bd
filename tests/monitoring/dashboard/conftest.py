from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from monitoring.dashboard import calling
from monitoring.dashboard.refreshing import redis_client
from subscriptions.panel import door
from tests.sandbox.fixture import Sandbox, sandbox, sandbox_server
from tests.sandbox.remnawave.hand import PanelHand

__all__ = ["sandbox", "sandbox_server"]


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel of the sandbox, and settings that lead there."""
    settings.REMNAWAVE_URL = sandbox.panel_url
    settings.REMNAWAVE_API_TOKEN = "token-of-the-panel"
    settings.PANEL_RATE, settings.PANEL_DIALECT = "100000/s", "auto"
    door.clients_forget()
    yield sandbox.panel
    door.clients_forget()


@pytest.fixture
def redis_gone(settings: Settings, closed_port: int) -> Iterator[None]:
    """No Redis for calls, copies and sockets."""
    before = calling._caller
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"
    redis_client.cache_clear()
    calling._caller = calling.Caller()
    yield
    calling._caller.stop(5.0)
    calling._caller = before
    redis_client.cache_clear()
