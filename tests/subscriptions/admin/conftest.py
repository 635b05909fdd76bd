"""A panel that the console tells to act."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

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


@pytest.fixture(autouse=True)
def _nothing_kept(clean_redis: None) -> None:
    """Boards and counts are kept for a minute; each test sees its own."""
