from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from monitoring.dashboard import calling
from monitoring.dashboard.refreshing import redis_client
from tests.panels import panel_reached
from tests.sandbox.fixture import Sandbox
from tests.sandbox.remnawave.hand import PanelHand


@pytest.fixture
def panel(sandbox: Sandbox, settings: Settings) -> Iterator[PanelHand]:
    """The panel of the sandbox, and settings that lead there."""
    with panel_reached(sandbox, settings):
        yield sandbox.panel


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
